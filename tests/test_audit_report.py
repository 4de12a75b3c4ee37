"""What is made of audits: all rounds by gap and quality, the report to print, and the order of the screen."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import audited_rounds as made_audits
import pytest
import stored
import stored_rounds as made
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate
from core.services import audit_frontier, audit_report, audits, corrections, projects, report_templates, responsible
from core.store.tables import Project, Run
from core.ui import screens

PAGE = Path(__file__).resolve().parents[1] / "pages" / "p80_bias.py"
# What would let a reader believe that somebody vouches for the model.
CLAIMS = re.compile(
    r"certif|guarante|bias[- ]free|free of bias|unbiased|proven fair|is fair\b|fair model|complian|complies|seal of",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def rounds(kept: Path, small_model: Path) -> tuple[Run, Run, Run]:
    """Three audited rounds. Tests that add rounds come after those that only read."""
    project = stored.small_project(small_model)
    projects.update(project.id, name="Shop <img src=x onerror=alert(1)>", goal="Sort & answer")
    return made_audits.three(project)


def project_of(rounds: tuple[Run, ...]) -> Project:
    return projects.get(rounds[0].project_id)


# -- all rounds --------------------------------------------------------------------------------------------------------


def test_rounds_are_placed_by_gap_and_quality_and_those_that_none_beats_are_marked(
    rounds: tuple[Run, Run, Run],
) -> None:
    found = audit_frontier.of_project(project_of(rounds))
    assert [p.number for p in found.points] == [1, 2, 3] and [p.frontier for p in found.points] == [True, True, False]
    first, second, third = found.points
    assert second.gap.value < first.gap.value < third.gap.value
    assert (first.action, second.action) == ("", "Train with swapped copies")
    for point in found.points:
        for figure in (point.gap, point.quality):
            assert figure.n > 0 and figure.low is not None and figure.low <= figure.value <= figure.high
    assert found.shared == 40 == first.gap.n and found.left_out == ()


def test_without_an_audit_there_is_a_reason_and_no_point(small_project: Project) -> None:
    made.trained(small_project)
    found = audit_frontier.of_project(small_project)
    assert found.points == () and found.audits == () and found.left_out == ((1, "not audited yet"),)


# -- the report --------------------------------------------------------------------------------------------------------


def plain(html: str) -> str:
    body = html[html.index("<body>") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def estimates(value: Any) -> list[Estimate]:
    """Every figure that is anywhere inside."""
    if isinstance(value, Estimate):
        return [value]
    if hasattr(value, "model_fields"):
        return [e for name in type(value).model_fields for e in estimates(getattr(value, name))]
    if isinstance(value, dict):
        return [e for v in value.values() for e in estimates(v)]
    if isinstance(value, tuple | list):
        return [e for v in value for e in estimates(v)]
    return []


def test_every_figure_of_the_audit_stands_in_the_report_with_its_n_and_interval(rounds: tuple[Run, Run, Run]) -> None:
    html = audit_report.report_html(rounds[0])
    figures = re.findall(r'<span class="figure">(.*?)</span></span>', html)
    assert figures and all(re.search(r"n = [\d,]+\)", figure) for figure in figures)
    [result] = audits.results(audits.of_run(rounds[0].id)[0]).values()
    found = estimates(result.findings) + estimates(result.comparisons)
    assert len(found) >= 4
    for estimate in found:
        told = audit_report.told(estimate, "probability")
        assert any(f"{abs(100 * estimate.value):.1f} points" in f and f"n = {told.n:,}" in f for f in figures)
        assert any(f"{100 * (estimate.high or 0):.1f}, n" in f for f in figures)


def test_the_report_says_what_was_not_tested_what_is_open_and_what_came_of_actions(
    rounds: tuple[Run, Run, Run],
) -> None:
    said = plain(audit_report.report_html(rounds[0]))
    [result] = audits.results(audits.of_run(rounds[0].id)[0]).values()
    assert (
        result.headline in said
        and result.not_tested
        and all(" ".join(line.split()) in said for line in result.not_tested)
    )
    assert all(line in said for line in audit_report.STANDING_LIMITS)
    assert all(point.text in said for point in responsible.open_points(project_of(rounds)))
    assert "Train with swapped copies: round 1 to round 2" in said and "41 rows were added" in said
    [outcome] = corrections.outcome(corrections.of_project(rounds[0].project_id)[0]).values()
    assert f"{outcome.state.value} , by: {result.title}" in said and all(reason in said for reason in outcome.reasons)
    assert "It needs another kind of model." in said and "seed" in said.lower() and "torch 2.9.0" in said


def test_the_report_needs_nothing_from_outside_and_runs_nothing(rounds: tuple[Run, Run, Run]) -> None:
    html = audit_report.report_html(rounds[0])
    assert "&lt;img src=x" in html and "<img" not in html and "<script" not in html
    tags = " ".join(re.findall(r"<[^>]+>", html)) + html[html.index("<style>") : html.index("</style>")]
    assert not re.search(r"https?://|//[a-z]|src=|href=|@import|url\(", tags)
    assert "default-src 'none'" in html and "@media print" in html and "color-scheme: light" in html


def test_nothing_in_the_report_or_on_the_screen_vouches_for_the_model(rounds: tuple[Run, Run, Run]) -> None:
    assert CLAIMS.search("This model is fair.") and CLAIMS.search("a fairness certificate")
    template = (report_templates.FOLDER / "audit.html").read_text("utf-8")
    for text in (template, plain(audit_report.report_html(rounds[0])), plain(audit_report.report_html(rounds[1]))):
        assert [found.group() for found in CLAIMS.finditer(text)] == []


# -- the screen --------------------------------------------------------------------------------------------------------


def opened(project: Project, tab: str = "") -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=120)
    if tab:
        app.session_state["bias-tabs"] = tab
    app.query_params["project"] = project.id
    return app.run()


def texts(app: AppTest) -> str:
    kinds: tuple[Any, ...] = (app.markdown, app.caption, app.info, app.warning, app.get("html"))
    said = " ".join(str(block.value) for found in kinds for block in found)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", said)).replace("\\", "").split())


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "page_link", lambda *given, **also: None)


@pytest.mark.usefixtures("alone")
def test_the_screen_begins_with_what_was_found_and_what_to_do(rounds: tuple[Run, Run, Run]) -> None:
    app = opened(project_of(rounds))
    assert not app.exception
    [result] = audits.results(audits.of_run(rounds[2].id)[0]).values()
    said = texts(app)
    assert result.headline in said and "What to do" in said
    assert said.index("What to do") < said.index(result.headline)  # the details come after it
    labels = [tab.label for tab in app.tabs]
    assert labels[0] == "Details" and labels[-5:] == [
        "Corrective actions",
        "Output filter",
        "All rounds",
        "Words",
        "Report",
    ]
    assert screens.screen("bias").number == 8


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("tab", "shown"),
    [
        ("All rounds", "no round is better in both"),
        ("Output filter", "An output filter is for models that write text"),
        ("Report", "One HTML file"),
        ("Corrective actions", "round 1 → round 2"),
    ],
)
def test_each_part_of_the_screen_is_drawn_when_it_is_opened(rounds: tuple[Run, Run, Run], tab: str, shown: str) -> None:
    app = opened(project_of(rounds), tab)
    assert not app.exception and shown in texts(app)


# -- with further rounds -----------------------------------------------------------------------------------------------


def test_the_report_is_written_by_the_command_line_and_refused_without_an_audit(
    rounds: tuple[Run, Run, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.html"
    assert main(["report", rounds[1].id, "--to", str(target)]) == 0
    assert "Bias audit report" in target.read_text("utf-8") and str(target) in capsys.readouterr().out
    bare = made.trained(project_of(rounds))
    assert main(["report", bare.id, "--to", str(tmp_path / "none.html")]) == 2
    assert not (tmp_path / "none.html").exists()
    with pytest.raises(UserError, match="not audited"):
        audit_report.report_html(bare)


def test_a_round_that_cannot_be_drawn_is_named_with_the_reason(rounds: tuple[Run, Run, Run]) -> None:
    project = project_of(rounds)
    bare, unmeasured = made.trained(project), made.trained(project)
    made_audits.audited(unmeasured, 0.1)
    found = audit_frontier.of_project(project)
    assert [p.number for p in found.points] == [1, 2, 3]
    left_out = dict(found.left_out)
    assert left_out[bare.number] == "not audited yet"
    assert left_out[unmeasured.number] == "its quality on validation rows is not measured yet"
    assert [one.number for one in found.to_measure] == [unmeasured.number]


def test_gaps_are_compared_on_shared_texts_only(rounds: tuple[Run, Run, Run]) -> None:
    project = project_of(rounds)
    newest = made.trained(project)
    made_audits.audited(newest, 0.1, templates=160)
    made.measured(newest, 0.6)
    found = audit_frontier.of_project(project)
    assert {p.gap.n for p in found.points} == {found.shared} and found.shared <= 40
