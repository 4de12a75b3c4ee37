"""How examples are filled up or packed into batches, and what each way costs on this very data."""

from __future__ import annotations

import streamlit as st

from core.schemas.plan import PreparationPlan
from core.services import recipes, tokens
from core.services.tokens import Lengths
from core.store.tables import Project

from . import parts

TITLES = {
    "pack": "Pack several into one sequence",
    "bucket": "Take similar lengths together",
    "batch": "Fill up to the longest of each batch",
    "fixed": "Fill up to the maximum length",
}


def batching_panel(project: Project, plan: PreparationPlan, found: Lengths, packs: bool) -> PreparationPlan:
    """A small table of the ways, simulated on the real lengths, and the choice. Returns the plan with it."""
    batch_size = recipes.draft(project).batch_size
    ways = tokens.compared(found, plan, batch_size, packs)
    least = max(1, min(way.positions for way in ways))
    known = [way.strategy for way in ways]
    now = "pack" if packs and plan.packing else plan.padding
    left, right = st.columns([3, 2])
    with left:
        st.dataframe(
            [
                {
                    "way": TITLES[way.strategy],
                    "padding": f"{100 * way.padding:.1f}%",
                    "time": f"{way.positions / least:.2f} ×",
                }
                for way in ways
            ],
            hide_index=True,
            width="stretch",
            height=38 + 35 * len(ways),
        )
        st.caption(
            f"Counted on {'all rows' if found.sampled >= found.rows else f'{found.sampled:,} rows'} in batches of "
            f"{batch_size}, as in your recipe. Time: places that the model works through, the fewest = 1.",
            help=parts.term("padding"),
        )
    with right:
        chosen = st.radio("How batches are filled", known, known.index(now), format_func=TITLES.__getitem__)
        if not packs:
            st.caption("Each text is judged by itself here, so there is nothing to pack.")
    if chosen == "pack":
        return plan.model_copy(update={"packing": True})
    # What does not pack keeps its own setting, also in a later project step that could.
    return plan.model_copy(update={"packing": plan.packing and not packs, "padding": chosen})
