"""Figures in words: every value with its interval and the number of examples behind it, and the four verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from core.schemas.estimates import Estimate, Verdict

from .markup import Icon, icon

_VERDICTS: dict[Verdict, tuple[str, Icon, str, str]] = {
    Verdict.BETTER: ("better", "up", "Better", "The improvement is larger than chance explains."),
    Verdict.WORSE: ("worse", "down", "Worse", "The loss is larger than chance explains."),
    Verdict.NO_EVIDENCE: ("none", "equal", "No evidence", "The difference could be chance."),
    Verdict.NOT_ENOUGH_DATA: ("few", "few", "Not enough data", "There are too few examples to say anything."),
}


def percent(estimate: Estimate, digits: int = 1) -> str:
    """A share between 0 and 1 as "91.0% (88.2 to 93.4, n = 300)"."""
    return f"{100 * estimate.value:.{digits}f}% ({basis(estimate, 100, digits)})"


def number(estimate: Estimate, digits: int = 2, unit: str = "") -> str:
    """A value in its own unit as "2.31 (2.20 to 2.42, n = 300)"."""
    return f"{estimate.value:,.{digits}f}{f' {unit}' if unit else ''} ({basis(estimate, 1, digits)})"


def points(estimate: Estimate, digits: int = 1) -> str:
    """A difference of two shares as "+4.2 points (+1.1 to +7.3, n = 300)"."""
    return f"{100 * estimate.value:+.{digits}f} points ({basis(estimate, 100, digits, sign='+')})"


def basis(estimate: Estimate, factor: float = 1, digits: int = 2, sign: str = "") -> str:
    """What a value rests on: "88.2 to 93.4, n = 300", or only n where there is no interval."""
    n = f"n = {estimate.n:,}"
    if estimate.low is None or estimate.high is None:
        return n
    # Adding 0 turns the -0 of a rounded small negative into 0.
    low, high = (f"{round(factor * bound, digits) + 0.0:{sign},.{digits}f}" for bound in (estimate.low, estimate.high))
    return f"{low} to {high}, {n}"


def verdict_html(verdict: Verdict) -> str:
    """The verdict as a badge, for use inside other HTML."""
    style, shape, word, meaning = _VERDICTS[verdict]
    return f'<span class="tw-badge tw-badge-{style}" title="{escape(meaning)}">{icon(shape)}{word}</span>'


def figure_html(estimate: Estimate | None, *, share: bool = False, digits: int | None = None) -> str:
    """A value with what it rests on in small letters under it, for use inside a table; a dash where there is none."""
    if estimate is None:
        return '<span class="tw-quiet">\u2013</span>'
    factor, unit = (100, "%") if share else (1, "")
    digits = digits if digits is not None else (1 if share else 2)
    return (
        f'<span class="tw-cell">{round(factor * estimate.value, digits) + 0.0:,.{digits}f}{unit}</span>'
        f'<span class="tw-cell-basis">{basis(estimate, factor, digits)}</span>'
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A small table of figures that is read as a whole and needs no scrolling. The header is plain text; cells are HTML
    (`figure_html`, `verdict_html`, or escaped text), the first of each row its name."""
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>' for first, *rest in rows
    )
    st.html(
        f'<div class="tw-wide"><table class="tw-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def verdict_badge(verdict: Verdict) -> None:
    """Draw one of the four verdicts: icon, word and colour say the same; hovering says what it means."""
    st.html(verdict_html(verdict), width="content")


def tile(label: str, estimate: Estimate, *, share: bool = True, digits: int | None = None, unit: str = "") -> None:
    """A large figure with its basis under it. A share also gets a bar from 0 to 100% that shows its interval."""
    factor = 100 if share else 1
    digits = digits if digits is not None else (1 if share else 2)
    value = f"{factor * estimate.value:,.{digits}f}{'%' if share else f' {unit}' if unit else ''}"
    title = f' title="95% interval, {escape(estimate.method)}"' if estimate.low is not None and estimate.method else ""
    st.html(
        f'<div class="tw-tile"><p class="tw-tile-label">{escape(label)}</p><p class="tw-tile-value">{escape(value)}</p>'
        f'<p class="tw-tile-basis"{title}>{basis(estimate, factor, digits)}</p>{_range(estimate) if share else ""}'
        "</div>"
    )


def _range(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return ""
    low, high, value = (100 * min(max(v, 0), 1) for v in (estimate.low, estimate.high, estimate.value))
    return (
        f'<div class="tw-range" aria-hidden="true"><span style="left:{low:.1f}%;width:{high - low:.1f}%"></span>'
        f'<b style="left:calc({value:.1f}% - 1px)"></b></div>'
    )
