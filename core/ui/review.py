"""Panels of the Samples screen: ask for samples, judge them blind with keys, see the result."""

from __future__ import annotations

import streamlit as st

from core.schemas.predictor import Decoding
from core.services import reviews
from core.store.tables import Run, SampleSet

from . import parts

KEYS = {"1": "Left is better", "2": "Right is better", "3": "Both alike", "4": "Both bad", "Z": "Undo", "S": "Skip"}
HEAT = "0 takes the likeliest word each time, which makes small models repeat themselves; higher is freer."


def usual_heat(run: Run) -> float:
    """A question has an answer, so its likeliest words are taken; a free text would go in circles that way."""
    return 0.7 if run.task == "completion" else 0.0


def generate_form(run: Run, *, expanded: bool) -> None:
    """Which prompts, and how they are answered."""
    with st.expander("New samples", expanded=expanded, icon=":material/edit_note:"):
        st.caption(
            "Without prompts of your own, up to 50 prompts of the validation part are used. Both models answer the same prompts "
            "with the same settings."
        )
        own = st.text_area("Your own prompts, one a line (optional)", height=120, key=f"prompts-{run.id}")
        left, middle, right = st.columns(3)
        length = left.number_input("Longest answer (tokens)", 8, 512, 80)
        heat = middle.slider("Temperature", 0.0, 1.5, usual_heat(run), 0.1, help=HEAT)
        seed = right.number_input("Seed", 0, 10**6, 0, help=parts.term("seed"))
        if st.button("Write samples", type="primary"):
            decoding = Decoding(
                max_new_tokens=int(length), temperature=float(heat), top_p=0.95 if heat else 1.0, seed=int(seed)
            )
            reviews.submit(run, reviews.own_prompts(own), decoding)
            st.rerun()


def review_panel(sample_set: SampleSet) -> None:
    """One item at a time, full width; every vote is kept at once."""
    done = reviews.reviews(sample_set)
    skipped: set[int] = st.session_state.setdefault(f"skipped-{sample_set.id}", set())
    total = len(sample_set.items)
    voted = sum(1 for r in done.values() if r.vote)
    open_items = [i for i in range(total) if not (i in done and done[i].vote)]
    order = [i for i in open_items if i not in skipped] or open_items
    st.progress(voted / total, text=f"{voted} of {total} rated")
    if not order:
        st.success("All samples are rated.", icon=":material/check_circle:")
        return
    item = order[0]
    shown = sample_set.items[item]
    st.caption("Asked")
    with st.container(border=True):
        st.text(shown["prompt"])
    sides = (shown["left"], "base" if shown["left"] == "tuned" else "tuned")
    for column, side, title in zip(st.columns(2), sides, ("Left", "Right"), strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(title)
            st.text(shown[side] or "(nothing)")

    def vote(value: str) -> None:
        given = {key: st.session_state.get(f"{key}-{sample_set.id}-{item}") for key in reviews.SCORES}
        reviews.rate(
            sample_set,
            item,
            vote=value,
            scores={k: int(v) + 1 for k, v in given.items() if v is not None},
            note=st.session_state.get(f"note-{sample_set.id}-{item}", ""),
            corrected=st.session_state.get(f"corrected-{sample_set.id}-{item}", ""),
        )

    def take_back() -> None:
        reviews.undo(sample_set)

    buttons = [
        ("Left is better", "1", lambda: vote(sides[0])),
        ("Right is better", "2", lambda: vote(sides[1])),
        ("Both alike", "3", lambda: vote("tie")),
        ("Both bad", "4", lambda: vote("bad")),
    ]
    for column, (label, key, act) in zip(st.columns(4), buttons, strict=True):
        column.button(label, shortcut=key, on_click=act, width="stretch", key=f"vote-{key}")
    with st.container(horizontal=True, gap="small"):
        st.button("Undo", shortcut="z", on_click=take_back, type="tertiary", icon=":material/undo:")
        st.button(
            "Skip", shortcut="s", on_click=lambda: skipped.add(item), type="tertiary", icon=":material/skip_next:"
        )
    parts.key_legend(KEYS)
    with st.expander("More about this pair (optional)"):
        st.caption("Stars are for the better answer, kept with your vote.")
        for column, (key, title) in zip(st.columns(2), reviews.SCORES.items(), strict=True):
            column.caption(title)
            column.feedback("stars", key=f"{key}-{sample_set.id}-{item}")
        st.text_input("Note", key=f"note-{sample_set.id}-{item}")
        st.text_area("A better answer, in your words", key=f"corrected-{sample_set.id}-{item}", height=90)


def result_panel(sample_set: SampleSet) -> None:
    """Win rate with its interval, and how many more votes would decide. Names are shown only here."""
    found = reviews.result(sample_set)
    if not found.votes:
        return
    with st.expander("Result so far", icon=":material/leaderboard:", expanded=found.more_votes == 0):
        parts.verdict_badge(found.verdict)
        if found.win_rate:
            st.markdown(f"Your model is preferred in **{parts.percent(found.win_rate)}** (a tie counts half).")
        st.caption(
            f"{found.wins} times your model, {found.losses} times the base model, {found.ties} alike, {found.both_bad} both bad. "
            + (f"About {found.more_votes} more decisive votes would settle it." if found.more_votes else "")
        )
        for key, estimate in found.scores.items():
            st.caption(f"{reviews.SCORES[key]}: {parts.number(estimate, 1)} of 5")
        if found.left_share and found.left_share.n >= 10:
            st.caption(
                f"The left side won {parts.percent(found.left_share, 0)}: near 50% means that the side did not matter."
            )
        if found.agreement:
            st.caption(f"Pairs shown twice got the same vote {parts.percent(found.agreement, 0)}.")
