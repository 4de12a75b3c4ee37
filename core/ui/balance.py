"""What balancing would do to each category of the training rows, beside the setting itself."""

from __future__ import annotations

import streamlit as st

from core.data.balancing import MOST_REPEATS, MOST_WEIGHT, class_weights, rows_a_round
from core.schemas.recipe import Recipe
from core.services import preparation, split_counts
from core.store.tables import Project

from .markup import plain

UNEVEN = 3.0  # times that the largest category is larger than the smallest, from which balancing is worth a thought


def balance_panel(project: Project, recipe: Recipe) -> None:
    """The rarest categories first, with their rows a round or their weight; nothing where there are no categories."""
    plan = preparation.current(project)
    counts = split_counts.of_part(plan) if plan else None
    if not counts or len(counts) < 2:
        return
    rarest, least = min(counts.items(), key=lambda item: (item[1], item[0]))
    largest, most = max(counts.items(), key=lambda item: (item[1], item[0]))
    if recipe.balance == "none":
        if most >= UNEVEN * least:
            st.caption(
                f":material/balance: “{plain(largest[:40])}” has {most:,} training rows, “{plain(rarest[:40])}” "
                f"{least:,}. Under “Advanced settings”, “Rare categories” can give the rare ones more weight."
            )
        return
    with st.container(border=True):
        st.markdown("**Rare categories**")
        order = sorted(counts, key=lambda label: (counts[label], label))
        weights = class_weights(counts)
        after = rows_a_round(counts, recipe.balance)
        if recipe.balance == "weights":
            table = [{"category": x, "rows": counts[x], "weight of a row": round(weights[x], 2)} for x in order]
            text = f"{plain(rarest[:40])}: each of its {least:,} rows counts {weights[rarest]:.1f} times in the loss"
            limit = f" No row counts more than {MOST_WEIGHT:.0f} times." * (max(weights.values()) >= MOST_WEIGHT)
        else:
            table = [{"category": x, "rows": counts[x], "rows a round": after[x]} for x in order]
            shown = rarest if recipe.balance == "oversample" else largest
            text = f"{plain(shown[:40])}: {counts[shown]:,} → {after[shown]:,} rows a round"
            limit = f" No row is read more than {MOST_REPEATS} times a round." * (recipe.balance == "oversample")
            if recipe.balance == "undersample":
                limit = " Which rows are read is drawn anew in each round."
        st.caption(f"{text}. {sum(after.values()):,} rows a round in all.{limit} Validation and test stay as they are.")
        st.dataframe(table, hide_index=True, width="stretch", height=min(260, 38 + 35 * len(table)))
