"""Two rounds side by side: what was done differently, their scores on the same rows, the rows between them, their curves."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.schemas.estimates import Verdict
from core.services import evaluation_rows, round_changes, round_compare, versions
from core.services.round_compare import Paired
from core.services.rounds import Round

from . import parts
from .curves_panel import overlaid_panel
from .dataset_versions import difference_panel

ROWS = 20
SPLITS = {"validation": "On validation rows", "test": "On test rows"}
VERDICTS = {
    Verdict.BETTER: "Round {} is better than round {}.",
    Verdict.WORSE: "Round {} is worse than round {}.",
    Verdict.NO_EVIDENCE: "There is no evidence that round {} is better or worse than round {}.",
    Verdict.NOT_ENOUGH_DATA: "There are too few rows to say whether round {} is better than round {}.",
}


def compare_panel(found: Sequence[Round]) -> None:
    """Choose two rounds; the verdict first, then what stands behind it."""
    able = {one.number: one for one in found if one.state.final or one.finished}
    if len(able) < 2:
        st.info("With a second round, you can compare the two here.", icon=":material/compare_arrows:")
        return
    numbers = list(able)
    last = able[numbers[-1]]
    first_one = last.parent if last.parent in able else numbers[-2]
    left, right = st.columns(2)

    def title(number: int) -> str:
        return f"{number} · {able[number].run.name}"

    a = left.selectbox("First", numbers, index=numbers.index(first_one), format_func=title, key="compare-first")
    b = right.selectbox("Second", numbers, index=len(numbers) - 1, format_func=title, key="compare-second")
    if a == b:
        st.info("Choose two different rounds.", icon=":material/compare_arrows:")
        return
    first, second = able[a], able[b]
    _scores(first, second)
    _differences(first, second)
    _examples(first, second)
    st.subheader("Curves", anchor=False)
    overlaid_panel(second.run, first.run)


def _differences(first: Round, second: Round) -> None:
    st.subheader("What was done differently", anchor=False)
    found = round_changes.changes(round_changes.basis(first.run), round_changes.basis(second.run))
    if not found:
        st.markdown("Nothing: settings, data, base model and seed are the same.")
    elif {change.kind for change in found} == {"seed"}:
        st.markdown("Only the seed. What differs between their scores is luck.")
    else:
        st.markdown("\n".join(f"- {parts.plain(change.text)}" for change in found))
    if first.version.content != second.version.content:
        with st.expander(
            f"Rows of version {first.version.number} and version {second.version.number}", icon=":material/difference:"
        ):
            if st.toggle("Show what differs", key=f"rows-{first.version.id}-{second.version.id}"):
                difference_panel(versions.difference(first.version, second.version), second.version)


def _scores(first: Round, second: Round) -> None:
    """Both rounds on the same rows, for each part on which both were measured."""
    for split, title in SPLITS.items():
        reason = round_compare.why_not(first, second, split)
        if reason:
            if split == "validation" or first.tests or second.tests:
                st.caption(f"{title}: {reason}")
            continue
        found = round_compare.paired(first, second, split)
        if found is None:
            st.caption(f"{title}: the two rounds share no row with the same right answer.")
            continue
        headline = found.comparison(found.headline)
        with st.container(border=True):
            if headline is not None:
                parts.verdict_badge(headline.verdict)
                said = VERDICTS[headline.verdict].format(second.number, first.number)
                st.html(f'<p class="tw-verdict">{escape(said)}</p>')
            st.caption(f"{title}. {_basis(found)}")
            _table(found, first, second)


def _basis(found: Paired) -> str:
    said = f"Both answered the same {found.n:,} rows, and the test is paired row by row."
    if found.other_answer:
        said += f" {found.other_answer:,} rows are left out, because their right answer was mended between the two."
    if found.only_first or found.only_second:
        said += f" {found.only_first + found.only_second:,} rows were seen by one of them only."
    if found.left_out:
        said += " Figures by token are left out: the base models cut texts into different tokens."
    return said


def _table(found: Paired, first: Round, second: Round) -> None:
    rows = []
    for metric, comparison in found.comparisons:
        share = metric.format == "percent"
        name = f'<span title="{escape(metric.help)}">{escape(metric.title)}</span>'
        change = parts.points(comparison.change) if share else parts.number(comparison.change, 3)
        figures = [parts.figure_html(e, share=share) for e in (comparison.base, comparison.tuned)]
        rows.append([name, *figures, escape(change), parts.verdict_html(comparison.verdict)])
    parts.table(["", f"Round {first.number}", f"Round {second.number}", "Difference", ""], rows)


def _examples(first: Round, second: Round) -> None:
    """Rows that one of them gets right and the other wrong: on validation, which may be read as often as one likes."""
    found = round_compare.paired(first, second, "validation")
    if found is None:
        return
    st.subheader("Rows between them", anchor=False)
    titles = {"second": f"Only round {second.number} is right", "first": f"Only round {first.number} is right"}
    if not hasattr(found.second.items[0], "correct"):
        titles = {"second": f"Round {second.number} does better", "first": f"Round {first.number} does better"}
    counted = {side: round_compare.examples(found, side, ROWS) for side in titles}
    tabs = st.tabs([f"{titles[side]} ({counted[side][0]:,})" for side in titles])
    for tab, side in zip(tabs, titles, strict=True):
        with tab:
            count, rows = counted[side]
            if not rows:
                st.caption("None.")
                continue
            texts = evaluation_rows.texts(second.run, [row.row_id for row in rows])
            st.dataframe(
                [
                    {
                        "text": _shown(texts.get(row.row_id)),
                        "right answer": row.right,
                        f"round {first.number}": row.first,
                        f"round {second.number}": row.second,
                        "row": row.row_id,
                    }
                    for row in rows
                ],
                hide_index=True,
                width="stretch",
                height=320 if len(rows) > 8 else "content",
            )
            if count > len(rows):
                st.caption(f"The first {len(rows)} of {count:,}. All are validation rows.")


def _shown(example: object) -> str:
    if example is None:
        return ""
    text = getattr(example, "text", "")
    return text or "\n".join(m.content for m in getattr(example, "prompt", ()))
