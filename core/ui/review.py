"""Judging: one item at a time in full width, by keys, kept at once, without a word about whose answers they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.schemas.reviews import ReviewSpec, Vote
from core.services import review_results, reviews
from core.services.reviews import State
from core.store.tables import Review, SampleSet

from . import parts
from .one_press import OnePress
from .reading import reading_html

PAIR: tuple[tuple[str, str, Vote], ...] = (
    ("Left is better", "1", "left"),
    ("Right is better", "2", "right"),
    ("Both alike", "3", "tie"),
    ("Both bad", "4", "bad"),
)
SINGLE: tuple[tuple[str, str, Vote], ...] = (("Good", "1", "up"), ("Not good", "2", "down"))
MORE_KEYS = {"E": "write a better one", "S": "skip for now", "Z": "undo"}
LEAD_FROM = 10  # votes from which the interval is shown while the person still judges


@st.fragment
def review_panel(sample_set: SampleSet, rater: str) -> None:
    """The next item with its buttons; at the end the way to the result."""
    now = reviews.state(sample_set, rater)
    if now.ended:
        st.rerun(scope="app")
    spec = reviews.spec_of(sample_set)
    press = OnePress(f"review-{sample_set.id}-{rater}", now.item)
    _progress(sample_set, rater, now, spec)
    above = st.container()
    if now.item is None:
        _through(sample_set, rater)
        return
    # The buttons come first: once a person sees an item, its own buttons are the ones that a key presses.
    _buttons(sample_set, rater, now.item, spec, press)
    with above:
        _texts(sample_set, rater, now.item)
    _more(sample_set, rater, now.item, now.own.get(now.item), spec)


def rule(sample_set: SampleSet, spec: ReviewSpec) -> str:
    """The stopping rule in words. It stands there before the first vote and never changes."""
    total = sum(1 for item in sample_set.items if item["repeat_of"] is None and not reviews.is_same(item))
    if spec.mode == "single":
        return f"Fixed before the first vote: all {total:,} answers are judged, each by itself."
    again = sum(1 for item in sample_set.items if item["repeat_of"] is not None)
    twice = f" ({again} of them twice, to see whether you agree with yourself)" if again else ""
    return (
        f"Fixed before the first vote: all {total:,} pairs are judged{twice}, then the sign test decides. Whoever stops "
        "earlier is held to a stricter test. Names are shown at the end."
    )


def _progress(sample_set: SampleSet, rater: str, now: State, spec: ReviewSpec) -> None:
    skipped = f" · {now.skipped} skipped, they come again at the end" if now.skipped else ""
    st.progress(now.voted / max(1, now.total), text=f"{now.voted} of {now.total} judged{skipped}")
    if now.voted == 0:
        st.caption(rule(sample_set, spec), help=parts.term("blind review"))
        return
    if spec.mode == "single" or len(spec.contenders) != 2:
        return
    found = review_results.live(sample_set, rater)
    more = review_results.more_votes(found)
    left = f"About {more} more votes to decide." if more else "It could be decided now."
    rate, n = found.win_rate, found.wins + found.losses + found.ties + found.both_bad
    if n >= LEAD_FROM and rate is not None and rate.low is not None and rate.high is not None:
        # How clear it is, and not for whom.
        ahead, low, high = (rate.value, rate.low, rate.high)
        if ahead < 0.5:
            ahead, low, high = 1 - ahead, 1 - high, 1 - low
        share = f"{100 * ahead:.0f} times in 100 ({100 * low:.0f} to {100 * high:.0f}, n = {rate.n})"
        left = f"So far one of the two is preferred {share}. {left}"
    st.caption(left)


def _texts(sample_set: SampleSet, rater: str, item: int) -> None:
    shown, raw = sample_set.items[item], bool(st.session_state.get("review-raw"))
    with st.container(border=True):
        turns = shown.get("turns") or []
        if len(turns) > 1:
            for turn in turns:
                st.caption({"user": "Person", "assistant": "Earlier answer"}.get(turn["role"], "Instruction"))
                st.html(reading_html(turn["content"], raw=raw))
        else:
            st.caption("Asked")
            st.html(reading_html(shown["prompt"], raw=raw))
    left, right = reviews.sides(sample_set, item, rater)
    names = [("Left", left), ("Right", right)] if right is not None else [("Answer", left)]
    for column, (title, key) in zip(st.columns(len(names)), names, strict=True):
        with column.container(border=True, height="stretch"):
            st.caption(title)
            st.html(reading_html(str(shown[key]), raw=raw))
            if _cut(shown, str(key)):
                st.caption(":material/content_cut: Cut at the longest answer that was allowed.")


def _cut(shown: dict[str, Any], key: str) -> bool:
    ends = shown.get("finished")
    return isinstance(ends, dict) and ends.get(key) is False


def _buttons(sample_set: SampleSet, rater: str, item: int, spec: ReviewSpec, press: OnePress) -> None:
    place = f"{sample_set.id}-{rater}-{item}"

    def vote(pressed: Vote) -> None:
        if press.takes():
            reviews.vote(sample_set, item, pressed, rater)

    def skip() -> None:
        if press.takes():
            reviews.skip(sample_set, item, rater)

    choices = PAIR if spec.mode == "pairs" else SINGLE
    for column, (label, key, pressed) in zip(st.columns(len(choices)), choices, strict=True):
        column.button(
            label, shortcut=key, on_click=vote, args=(pressed,), width="stretch", key=f"review-{pressed}-{place}"
        )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Write a better one",
            shortcut="e",
            on_click=_toggle,
            args=(f"review-open-{place}",),
            key=f"review-edit-{place}",
            type="tertiary",
            icon=":material/edit:",
        )
        st.button(
            "Skip",
            shortcut="s",
            on_click=skip,
            key=f"review-skip-{place}",
            type="tertiary",
            icon=":material/skip_next:",
        )
        st.button(
            "Undo",
            shortcut="z",
            on_click=_undo,
            args=(sample_set, rater),
            key="review-undo",
            type="tertiary",
            icon=":material/undo:",
        )
        st.toggle("As written", key="review-raw", help="Show the texts without their formatting.")
    legend = {key: label[:1].lower() + label[1:] for label, key, _ in choices}
    parts.key_legend({**legend, **MORE_KEYS})


def _undo(sample_set: SampleSet, rater: str) -> None:
    reviews.undo(sample_set, rater)


def _toggle(key: str) -> None:
    st.session_state[key] = not st.session_state.get(key, False)


def _more(sample_set: SampleSet, rater: str, item: int, known: Review | None, spec: ReviewSpec) -> None:
    """Everything that is optional. It is kept when it is given, with or without a vote."""
    place = f"{sample_set.id}-{rater}-{item}"

    def keep(column: str, key: str) -> Callable[[], None]:
        return lambda: reviews.rate(sample_set, item, rater, **{column: st.session_state.get(key) or ""})

    if st.session_state.get(f"review-open-{place}") or (known is not None and known.corrected):
        _correction(sample_set, rater, item, known.corrected if known else "", place, keep)
    reasons = f"review-reasons-{place}"
    st.session_state.setdefault(reasons, [r for r in (known.reasons if known else None) or () if r in spec.reasons])
    st.pills(
        "Why (optional)",
        spec.reasons,
        selection_mode="multi",
        key=reasons,
        on_change=lambda: reviews.rate(sample_set, item, rater, reasons=list(st.session_state.get(reasons) or ())),
    )
    with st.expander("Rate from 1 to 5, and a note (optional)", icon=":material/star:", key="review-more"):
        _rubrics(sample_set, rater, item, known, spec)
        note = f"review-words-note-{place}"
        st.session_state.setdefault(note, known.note if known else "")
        st.text_input("Note", key=note, on_change=keep("note", note))


def _correction(
    sample_set: SampleSet, rater: str, item: int, kept: str, place: str, keep: Callable[[str, str], Callable[[], None]]
) -> None:
    shown, key = sample_set.items[item], f"review-words-better-{place}"
    st.session_state.setdefault(key, kept)
    left, right = reviews.sides(sample_set, item, rater)

    def start_from(side: str) -> None:
        st.session_state[key] = str(shown[side])
        reviews.rate(sample_set, item, rater, corrected=str(shown[side]))

    with st.container(border=True):
        st.text_area(
            "A better answer, in your words",
            key=key,
            height=140,
            on_change=keep("corrected", key),
            help="It can teach the next round. Leave the box (Tab or a click) to judge with keys again.",
        )
        with st.container(horizontal=True, gap="small"):
            names = [("Start from the left one", left), ("Start from the right one", right)]
            for name, side in names if right is not None else [("Start from this answer", left)]:
                st.button(name, on_click=start_from, args=(side,), key=f"review-from-{name}-{place}", type="tertiary")


def _rubrics(sample_set: SampleSet, rater: str, item: int, known: Review | None, spec: ReviewSpec) -> None:
    """Each answer by itself: the better one of two may still be poor."""
    left, right = reviews.sides(sample_set, item, rater)
    shown = [("left", "Left", left), ("right", "Right", right)] if right is not None else [("left", "Answer", left)]
    given = dict(known.scores or {}) if known else {}

    def keep() -> None:
        scores = {
            key: {
                r.key: value + 1
                for r in spec.rubrics
                if (value := st.session_state.get(_star(side, r.key))) is not None
            }
            for side, _, key in shown
        }
        reviews.rate(sample_set, item, rater, scores={key: marks for key, marks in scores.items() if marks})

    def _star(side: str, rubric: str) -> str:
        return f"review-star-{side}-{rubric}-{sample_set.id}-{rater}-{item}"

    for column, (side, title, key) in zip(st.columns(len(shown)), shown, strict=True):
        with column:
            st.markdown(f"**{title}**")
            for rubric in spec.rubrics:
                marks = given.get(str(key))
                if isinstance(marks, dict) and marks.get(rubric.key):
                    st.session_state.setdefault(_star(side, rubric.key), int(marks[rubric.key]) - 1)
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    st.caption(parts.plain(rubric.title), width=170, help=rubric.help or None)
                    st.feedback("stars", key=_star(side, rubric.key), on_change=keep)


def _through(sample_set: SampleSet, rater: str) -> None:
    st.success("All are judged.", icon=":material/check_circle:")
    with st.container(horizontal=True, gap="small"):
        if st.button("Show the result", type="primary", icon=":material/visibility:"):
            reviews.end(sample_set, rater)
            st.rerun(scope="app")
        st.button(
            "Undo the last one",
            shortcut="z",
            on_click=_undo,
            args=(sample_set, rater),
            key="review-undo-last",
            icon=":material/undo:",
        )


def end_panel(sample_set: SampleSet, rater: str) -> None:
    """The way out before the end, for who has seen enough."""
    now = reviews.state(sample_set, rater)
    if not now.voted or now.item is None:
        return

    def stop() -> None:
        reviews.end(sample_set, rater)

    if st.button("Stop here and show the result", type="tertiary", icon=":material/flag:", key="review-stop"):
        parts.confirm(
            "Stop here?",
            f"{now.total - now.voted} are not judged yet. Your votes are closed, the names are shown, and a stricter test is "
            "used, because who stops when it looks good finds differences that are not there.",
            "Show the result",
            stop,
        )
