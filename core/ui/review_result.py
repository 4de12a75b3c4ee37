"""What a review found: the sentence to repeat, the figures behind it, whose answers they were, and everything as a file."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.data.agreement import reading
from core.schemas.estimates import Estimate
from core.schemas.reviews import ReviewResult, ReviewSpec
from core.services import review_export, review_results, reviews
from core.store.tables import Run, SampleSet

from . import parts

SIDES_FROM = 10  # decisive votes from which a habit of one side can be told


def result_panel(run: Run, sample_set: SampleSet, rater: str) -> None:
    """For a rater who has ended. With several raters, what all of them say comes first."""
    spec = reviews.spec_of(sample_set)
    names = review_results.finished(sample_set)
    together = review_results.combined(sample_set) if len(names) > 1 else None
    own = review_results.result(sample_set, rater)
    if together is not None:
        _one(together, spec, "All who have finished")
        with st.expander("Your own votes", icon=":material/person:"):
            _one(own, spec, "")
    else:
        _one(own, spec, "")
    waiting = [name for name in reviews.raters(sample_set) if name not in names]
    if waiting:
        said = ", ".join(
            f"{parts.plain(n or 'without a name')} ({reviews.state(sample_set, n).voted})" for n in waiting
        )
        st.caption(f"Not finished yet, so not counted: {said}. They count once they have asked for the result.")
    _files(run, sample_set, rater)


def _one(found: ReviewResult, spec: ReviewSpec, title: str) -> None:
    with st.container(border=True):
        if title:
            st.caption(f"{title}: {', '.join(parts.plain(n or 'without a name') for n in found.raters)}")
        if found.verdict is not None:
            parts.verdict_badge(found.verdict)
        st.html(f'<p class="tw-verdict">{escape(found.sentence)}</p>')
        if found.more_votes and spec.mode == "pairs":
            st.caption(f"About {found.more_votes} more votes to decide, if the preference is as strong as it looks.")
    if found.against:
        _pairs(found, spec)
    if found.ranking:
        _ranking(found)
    elif len(spec.contenders) > 2 and spec.mode == "pairs":
        st.caption("An order of all needs votes on at least three of them.")
    if found.thumbs:
        titles = {c.key: c.title for c in spec.contenders}
        rows = [[escape(titles[k]), parts.figure_html(v, share=True)] for k, v in found.thumbs.items()]
        parts.table(["", "found good"], rows)
    _rubrics(found, spec)
    _trust(found)
    _reasons(found, spec)


def _pairs(found: ReviewResult, spec: ReviewSpec) -> None:
    first = spec.contenders[0].title
    rows = []
    for against in found.against:
        p = "–" if against.p is None else f"{against.p:.3f}" if against.p >= 0.001 else "under 0.001"
        counts = f"{against.wins} / {against.losses} / {against.ties} / {against.both_bad}"
        rows.append(
            [
                f"{escape(first)} against {escape(against.title)}",
                parts.verdict_html(against.verdict),
                parts.figure_html(against.win_rate, share=True),
                parts.figure_html(against.equal_length, share=True),
                f'<span class="tw-cell">{p}</span>',
                f'<span class="tw-cell">{counts}</span>',
            ]
        )
    header = ["", "verdict", "preferred, a tie counts half", "at equal length", "p", "won / lost / alike / both bad"]
    parts.table(header, rows)
    main = found.against[0]
    notes = ["Under each figure: its 95% interval and the number of prompts it rests on."]
    if main.same:
        notes.append(f"{main.same} prompts got the same answer from both: nobody was asked, and they count as alike.")
    if main.longer_wins is not None:
        notes.append(f"The longer answer was preferred {parts.percent(main.longer_wins, 0)}.")
    st.caption(" ".join(notes), help=parts.term("win rate"))


def _ranking(found: ReviewResult) -> None:
    rows = [
        [f"{n}. {escape(place.title)}", parts.figure_html(place.wins, share=True), f"{place.votes:,}"]
        for n, place in enumerate(found.ranking, start=1)
    ]
    st.markdown("**The order of all**", help=parts.term("Bradley-Terry"))
    parts.table(["", "preferred to another of them", "votes"], rows)


def _rubrics(found: ReviewResult, spec: ReviewSpec) -> None:
    if not found.rubrics:
        return
    st.markdown("**Ratings from 1 to 5**")
    header = ["", *(c.title for c in spec.contenders if c.key in found.rubrics)]
    rows = []
    for rubric in spec.rubrics:
        cells = [
            parts.figure_html(found.rubrics[c.key].get(rubric.key), digits=1)
            for c in spec.contenders
            if c.key in found.rubrics
        ]
        alpha = found.rubric_agreement.get(rubric.key)
        name = escape(rubric.title) + (f'<span class="tw-cell-basis">{_alpha(alpha)}</span>' if alpha else "")
        rows.append([name, *cells])
    parts.table(header, rows)


def _trust(found: ReviewResult) -> None:
    """How far these votes can be trusted."""
    lines = []
    if found.tie_rate is not None and found.bad_rate is not None:
        lines.append(f"alike {parts.percent(found.tie_rate, 0)}, both bad {parts.percent(found.bad_rate, 0)}")
    if found.left_share is not None and found.left_share.n >= SIDES_FROM:
        lines.append(
            f"the left side won {parts.percent(found.left_share, 0)}: near 50% means that the side did not matter"
        )
    if found.consistency is not None:
        lines.append(f"pairs shown twice got the same vote {parts.percent(found.consistency, 0)}")
    if found.agreement is not None:
        lines.append(f"the raters' votes agree with an alpha of {_alpha(found.agreement)}")
    if lines:
        st.caption("How far to trust it: " + "; ".join(lines) + ".", help=parts.term("Krippendorff's alpha"))


def _alpha(alpha: Estimate) -> str:
    return f"alpha {parts.number(alpha)}, {reading(alpha)}"


def _reasons(found: ReviewResult, spec: ReviewSpec) -> None:
    titles = {c.key: f"for {c.title}" for c in spec.contenders} | {"tie": "for alike", "bad": "for both bad"}
    titles |= {"up": "for good", "down": "for not good"}
    said = [
        f"{titles.get(key, key)}: " + ", ".join(f"{reason} ({n})" for reason, n in counts.items())
        for key, counts in found.reasons.items()
    ]
    if said:
        st.caption("Reasons " + "; ".join(parts.plain(words) for words in said) + ".")


def _files(run: Run, sample_set: SampleSet, rater: str) -> None:
    """A rater who has ended may take everybody's votes with them."""
    name = f"reviews-round-{run.number}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.download_button(
            "All judgements (CSV)",
            lambda: review_export.table(sample_set).encode("utf-8-sig"),
            f"{name}.csv",
            "text/csv",
            key=f"reviews-csv-{sample_set.id}",
            icon=":material/table:",
            on_click="ignore",
        )
        st.download_button(
            "All judgements (JSON lines)",
            lambda: review_export.jsonl(sample_set).encode(),
            f"{name}.jsonl",
            "application/jsonl",
            key=f"reviews-jsonl-{sample_set.id}",
            icon=":material/data_object:",
            on_click="ignore",
        )
    refused = (sample_set.config or {}).get("refused") or []
    if refused:
        with st.expander(f"{len(refused)} prompts were left out", icon=":material/block:"):
            rows = [[escape(text[:200]), escape(why)] for text, why in refused[:200]]
            parts.table(["prompt", "because"], rows)


def refused_note(sample_set: SampleSet) -> None:
    """Before the first vote: what was left out or is marked, and why."""
    refused = (sample_set.config or {}).get("refused") or []
    near = sum(1 for item in sample_set.items if item.get("near") and item["repeat_of"] is None)
    said = []
    for why in sorted({why for _, why in refused}):
        said.append(f"{sum(1 for _, w in refused if w == why)} prompts were left out, because {why}")
    if near:
        said.append(f"{near} prompts nearly repeat a row of your data, so the model may remember them")
    if said:
        st.caption(":material/block: " + "; ".join(said) + ".")
