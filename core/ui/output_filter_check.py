"""What an output filter does: to a text that is typed, to lists of texts, and to harmless texts about groups of people."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import streamlit as st

from core.mitigations import registry
from core.schemas.output_filter import Caught, FilterReport, FilterRules, GroupRate
from core.services import output_filters
from core.store.tables import Run

from . import parts
from .differences import difference_html

GROUPS_SHOWN = 12


def try_panel(run: Run, rules: FilterRules) -> None:
    """One text, before and after. Raises UserError where a rule cannot be used."""
    st.markdown("**Try it**")
    guard = registry()[output_filters.KEY].guard(rules)
    text = st.text_area(
        "A text",
        key=f"filter-try-{run.id}",
        height=120,
        placeholder="Write or paste an answer, then press Ctrl and Enter",
    )
    if not text.strip():
        st.caption("What the rules make of it appears here.")
        return
    done = guard.apply(text)
    if not done.hits:
        st.caption(":material/check: Nothing is changed.")
        return
    shown = f"<p>{escape(done.text)}</p>" if done.refused else f"<p>{difference_html(text, done.text)}</p>"
    st.html(f'<div class="tw-tile">{shown}</div>')
    st.caption(f":material/filter_alt: {parts.plain(done.sentence())}")


def check_panel(run: Run, rules: FilterRules, draft: dict[str, Any]) -> list[str]:
    """Measure the rules on texts that must be caught and on those that must not. Returns the red list."""
    st.markdown("**Check it before you rely on it**")
    given = st.text_area(
        "Red list: texts that must be caught, one a line",
        "\n".join(draft["red_list"]),
        height=90,
        key=f"filter-red-{run.id}",
        help="Whole sentences as the model might write them, also with the words in other forms. Better not written by whoever "
        "wrote the rules: else they only show that the rules find themselves.",
    )
    red_list = [line.strip() for line in given.splitlines() if line.strip()]
    draft["red_list"] = red_list
    asked = (rules.model_dump_json(), tuple(red_list))
    key = f"filter-report-{run.id}"
    if st.button("Check these rules", icon=":material/fact_check:", disabled=rules.empty, key=f"filter-check-{run.id}"):
        with st.spinner("Trying the rules on all texts"):
            st.session_state[key] = (asked, output_filters.measure(run, rules, red_list))
    before, report = st.session_state.get(key) or (None, None)
    if report is None and (now := output_filters.current(run)) and output_filters.rules_of(now) == rules:
        before, report = asked, output_filters.report_of(now)
    if report is not None:
        if before != asked:
            st.caption("The rules or the red list have changed since this was measured: check them again.")
        report_panel(report)
    return red_list


def report_panel(report: FilterReport) -> None:
    """The three shares with interval and n, the groups, and the texts behind them."""
    tiles = st.columns(3)
    _tile(tiles[0], "Caught of your red list", report.recall, "The red list is empty, so nothing is known of this.")
    _tile(tiles[1], "Changed of your data's own answers", report.clean, "Your data has no answers to try.")
    _tile(
        tiles[2], "Changed of what the model wrote", report.samples, "No samples yet: write some on the Samples screen."
    )
    st.caption(
        "More is better for the first. Own answers that are changed are false alarms, unless they should not be there."
    )
    _groups(report.groups)
    _texts("Came through although it is on the red list", [(text, text) for text in report.missed])
    _changed("Changed in your data's own answers", report.changed)
    _changed("Changed in what the model wrote", report.written)
    with st.expander("What this does not show"):
        for line in report.not_tested:
            st.markdown(f"- {parts.plain(line)}")


def _tile(place: Any, label: str, estimate: Any, without: str) -> None:
    with place:
        if estimate is None:
            st.html(
                f'<div class="tw-tile"><p class="tw-tile-label">{escape(label)}</p><p class="tw-tile-value">–</p>'
                f'<p class="tw-tile-basis">{escape(without)}</p></div>'
            )
        else:
            parts.tile(label, estimate)


def hit_groups(groups: Sequence[GroupRate]) -> list[GroupRate]:
    """Groups about whom harmless texts are changed, the worst first."""
    return sorted((g for g in groups if g.worst > 0), key=lambda g: -g.worst)


def _groups(groups: Sequence[GroupRate]) -> None:
    st.markdown("**False alarms by group of people**")
    if not groups:
        st.caption("There are no texts about groups of people in the language of your data, so this was not tested.")
        return
    hit = hit_groups(groups)
    tried = [e for e in (g.probes or g.own for g in groups) if e is not None]
    if not hit:
        most = max(tried, key=lambda e: e.high or 0)
        st.markdown(
            f":material/check: None of the harmless texts about {len(groups)} groups of people is changed "
            f"(for each group 0 of at least {most.n}, so at most {100 * (most.high or 0):.1f}%)."
        )
        return
    named = ", ".join(g.title for g in hit[:3])
    st.warning(
        f"The rules change harmless sentences about {named}{' and others' if len(hit) > 3 else ''}. A filter that hits these "
        "people more often than others treats them worse: narrow the rule, or allow the phrases.",
        icon=":material/group:",
    )
    rows = [
        [
            f"{escape(g.title)}<span class='tw-cell-basis'>{escape(g.axis_title)}</span>",
            parts.figure_html(g.probes, share=True),
            parts.figure_html(g.own, share=True),
            f"<span class='tw-long'>{escape(g.example)}</span>",
        ]
        for g in hit[:GROUPS_SHOWN]
    ]
    parts.table(["Group", "everyday sentences changed", "own answers changed", "for example"], rows)
    if len(groups) > len(hit):
        st.caption(
            f"Nothing is changed for the other {len(groups) - len(hit)} groups (at least {min(e.n for e in tried)} texts each)."
        )


def _changed(title: str, found: Sequence[Caught]) -> None:
    _texts(title, [(c.before, c.after) for c in found], [", ".join(c.rules) for c in found])


def _texts(title: str, pairs: Sequence[tuple[str, str]], rules: Sequence[str] = ()) -> None:
    if not pairs:
        return
    with st.expander(f"{title} ({len(pairs)} shown)"):
        lines = [
            f"<tr><td>{difference_html(before, after) if before != after else escape(before)}</td>"
            f"<td>{escape(rule)}</td></tr>"
            for (before, after), rule in zip(pairs, rules or [""] * len(pairs), strict=True)
        ]
        st.html(f'<div class="tw-wide"><table class="tw-table"><tbody>{"".join(lines)}</tbody></table></div>')
