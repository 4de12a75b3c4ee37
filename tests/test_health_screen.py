"""How the findings of the health report are drawn: the marked word, the figure with its unit, the order."""

from __future__ import annotations

from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity
from core.services.health import EvidenceRow
from core.ui.finding_rows import marked, rows_html
from core.ui.findings import body_html, finding_html, in_order, measured, tally


def finding(severity: Severity = Severity.WARNING, **more: object) -> Finding:
    return Finding(check="x", severity=severity, title="A title", meaning="It means.", fix="Do it.", **more)  # type: ignore[arg-type]


def test_every_place_of_the_word_is_marked_whatever_its_case_and_the_text_is_escaped() -> None:
    html = marked("Moron <b> and moron", ["moron"])
    assert html == "<mark>Moron</mark> &lt;b&gt; and <mark>moron</mark>"


def test_a_word_far_into_a_long_text_is_brought_into_view() -> None:
    html = marked("x" * 5_000 + " here it is " + "y" * 5_000, ["here"])
    assert html.startswith("…") and "<mark>here</mark>" in html and html.endswith("…") and len(html) < 500


def test_line_ends_and_control_characters_are_shown_harmlessly() -> None:
    assert marked("a\nb\x00", []) == "a⏎b\\x00"


def test_a_table_leaves_out_columns_that_are_empty_everywhere() -> None:
    assert "<th>Label</th>" not in rows_html([EvidenceRow("r1", "word", "", "a word", ("word",))])
    html = rows_html([EvidenceRow("<r>", "", "<l>", "text")])
    assert "<th>Found</th>" not in html and "&lt;r&gt;" in html and "&lt;l&gt;" in html


def test_a_figure_is_shown_in_its_own_unit() -> None:
    share = Estimate(value=0.25, n=40, low=0.1, high=0.4)
    assert measured(finding(estimate=share)) == "25.0% (10.0 to 40.0, n = 40)"
    assert measured(finding(estimate=share, data={"unit": "points"})) == "+25.0 points (+10.0 to +40.0, n = 40)"
    assert measured(finding(estimate=share, data={"unit": "auc"})) == "0.25 (0.10 to 0.40, n = 40)"
    assert measured(finding()) == ""


def test_a_note_does_not_say_its_title_twice() -> None:
    assert "A title" in finding_html(finding()) and "A title" not in body_html(finding())


def test_findings_are_counted_in_words_and_sorted_worst_first() -> None:
    given = [finding(Severity.INFO), finding(Severity.ERROR), finding(), finding()]
    assert tally(given) == "1 problem, 2 warnings, 1 note"
    assert [f.severity for f in in_order(given)] == ["error", "warning", "warning", "info"]
