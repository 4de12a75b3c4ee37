"""Who judges, and which set of samples: kept in the address, so that a reload or a bookmark leads back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from core.services import reviews
from core.store.tables import SampleSet

from . import parts

NOBODY = "without a name"


def choose_set(sets: Sequence[SampleSet]) -> SampleSet | None:
    """The newest set, or another one where there are several; None where there is none."""
    if len(sets) < 2:
        return sets[0] if sets else None
    # What was drawn comes first: thumbs from the playground are looked at when they are asked for.
    sets = sorted(sets, key=reviews.from_playground)
    by_id = {s.id: s for s in sets}
    drawn = [s for s in sets if not reviews.from_playground(s)]
    numbers = {s.id: len(drawn) - n for n, s in enumerate(drawn)}
    asked = st.query_params.get("review")

    def title(set_id: str) -> str:
        if set_id not in numbers:
            return f"From the playground · {len(by_id[set_id].items)} items"
        made = datetime.fromtimestamp(by_id[set_id].created_at)
        return f"Review {numbers[set_id]} · {made:%d %b %H:%M} · {len(by_id[set_id].items)} items"

    names = list(by_id)
    chosen = st.selectbox("Samples", names, index=names.index(asked) if asked in by_id else 0, format_func=title)
    if chosen != sets[0].id or asked:
        st.query_params["review"] = chosen
    return by_id[chosen]


def choose_rater(sample_set: SampleSet | None) -> str:
    """The rater of this browser. Each sees only their own votes until they have ended."""
    rater = reviews.clean_name(st.query_params.get("rater", ""))
    if sample_set is None:
        return rater
    known = reviews.raters(sample_set)
    label = f"Rating as {parts.plain(rater)}" if rater else "Who is rating"
    with st.popover(label, icon=":material/person:"):
        st.caption("Several people can judge the same samples, each under a name of their own. Nobody sees the votes of others "
                   "before they have finished themselves.")  # fmt: skip
        typed = st.text_input("Your name", rater, max_chars=reviews.NAME_LENGTH, key=f"rater-{sample_set.id}-{rater}")
        if reviews.clean_name(typed) != rater:
            name = reviews.join(sample_set, typed)
            if name:
                st.query_params["rater"] = name
            else:
                st.query_params.pop("rater", None)
            st.rerun()
        for name in known:
            now = reviews.state(sample_set, name)
            done = "finished" if now.ended else f"{now.voted} of {now.total}"
            st.caption(f"{parts.plain(name or NOBODY)}: {done}")
    return rater
