"""The report of a whole project: every figure has a source, nothing from outside breaks out, what was not done is said."""

from __future__ import annotations

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import audited_rounds as made_audits
import pytest
import stored
import stored_rounds as made
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.schemas.responsible import ResponsibleUse
from core.services import evaluations, project_report, projects, responsible
from core.store import records
from core.store.tables import Evaluation, Export, Project, Run

HOSTILE = "Shop <img src=x onerror=alert(1)></style><script>alert(2)</script>"


@pytest.fixture(scope="module")
def project(kept: Path, small_model: Path) -> Project:
    made_one = stored.small_project(small_model)
    projects.update(made_one.id, name=HOSTILE, goal="فرز الرسائل & <b>sort</b>")
    return projects.get(made_one.id)


@pytest.fixture(scope="module")
def bare(project: Project) -> Run:
    """A round with which nothing was done."""
    return made.trained(project)


@pytest.fixture(scope="module")
def full(project: Project, bare: Run) -> Run:
    """A round after it that was evaluated, audited and exported."""
    run = made.trained(project, parent=bare)
    made.measured(run, 0.85, "test", baselines=True)
    made_audits.audited(run, 0.25)
    records.add(
        Export(project_id=project.id, run_id=run.id, kind="merged", folder="/gone", parity={"same_answer": 12, "n": 12})
    )
    return run


class Page(HTMLParser):
    """What a browser would make of it: tags with attributes, ids, and the links within the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.ids = [given["id"] for _, given in self.tags if "id" in given]
        self.inside = [
            str(given["href"])[1:] for tag, given in self.tags if tag == "a" and str(given.get("href")).startswith("#")
        ]

    handle_starttag = lambda self, tag, attrs: self.tags.append((tag, dict(attrs)))  # type: ignore[assignment]  # noqa: E731


def plain(html: str) -> str:
    body = re.sub(r"<style>.*?</style>", " ", html[html.index("<body>") :], flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_every_figure_has_a_source_and_every_link_arrives(full: Run, bare: Run) -> None:
    for run in (full, bare):
        html = project_report.report_html(run)
        page = Page(html)
        assert page.inside and set(page.inside) <= set(page.ids) and len(page.ids) == len(set(page.ids))
        figures = re.findall(r'<span class="figure">.*?</span>(?:</span>)?(.{0,60})', html)
        assert len(figures) > 20 and "&lt;span" not in html and "&lt;a class" not in html
        assert all(after.startswith('<a class="source" href="#source-') for after in figures), figures
        cited = {int(n) for n in re.findall(r'href="#source-(\d+)"', html)}
        listed = {int(n) for n in re.findall(r'<tr id="source-(\d+)"', html)}
        assert cited == listed == set(range(1, len(listed) + 1)), "each source is used, and each used one is listed"


def test_each_test_figure_of_each_contender_stands_in_it_with_its_n_and_the_id_of_its_evaluation(full: Run) -> None:
    said = plain(project_report.report_html(full))
    [stored_one] = evaluations.of_run(full.id, "test")
    found = evaluations.result(stored_one)
    for row in found.metrics:
        for estimate in row.values.values():
            value = f"{100 * estimate.value:.1f}%" if row.format == "percent" else f"{estimate.value:.3f}"
            assert value in said and f"n = {estimate.n:,}" in said
    assert f"row {stored_one.id}" in said and f"python -m core evaluation {full.id} --json" in said


def test_the_first_page_says_in_plain_words_what_is_known_and_what_speaks_against_it(full: Run, bare: Run) -> None:
    first = plain(project_report.report_html(full)).split("Contents")[0]
    assert "Not as it stands" in first and "treats people differently" in first
    assert "What is open" in first and "Nobody has said who is affected" in first
    without = plain(project_report.report_html(bare)).split("Contents")[0]
    assert "Is it good? Not known" in without and "It was not audited for bias" in without
    assert "safe" not in without.lower()


def test_only_a_finished_picture_without_warnings_speaks_of_no_reason_against_it(full: Run, project: Project) -> None:
    assert project_report.context(full)["summary"].tone == "stop"
    before = responsible.answers(project)
    responsible.keep(projects.get(project.id), ResponsibleUse(consent="no"))
    reasons = project_report.context(full)["summary"].reasons
    responsible.keep(projects.get(project.id), before)
    assert "The people in the data did not agree to this use." in reasons


def test_what_was_not_done_is_said_plainly_and_leads_to_its_step(bare: Run, full: Run) -> None:
    said = plain(project_report.report_html(bare))
    for part in (
        "not evaluated on a test set",
        "Nobody judged its answers",
        "It was not audited",
        "The model was not exported",
    ):
        assert f"Not done. {part}" in said or part in said
    assert "Energy was not measured" in said
    steps = dict(project_report.missing(bare))
    assert steps["An evaluation on test rows"] == "evaluation" and steps["A bias audit"] == "bias"
    assert "An evaluation on test rows" not in dict(project_report.missing(full))


def test_texts_from_outside_stay_texts_and_nothing_is_fetched(full: Run) -> None:
    html = project_report.report_html(full)
    page = Page(html)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "img", "link", "iframe", "object", "base", "form", "image", "use"}
    assert "onerror" not in {name for _, given in page.tags for name in given}
    assert all(str(given["href"]).startswith("#") for tag, given in page.tags if "href" in given)
    assert "url(" not in html and "@import" not in html
    assert "default-src 'none'" in html
    assert HOSTILE in unescape(html) and "فرز الرسائل" in html


def test_the_files_folders_of_this_machine_are_not_in_it(full: Run, kept: Path) -> None:
    html = project_report.report_html(full)
    assert str(kept) not in html and "/gone" not in html and str(Path.home()) not in html


def test_all_rounds_stand_in_it_and_this_one_is_marked(full: Run, bare: Run) -> None:
    rows = project_report.context(full)["rounds"]
    assert [row["number"] for row in rows] == [bare.number, full.number]
    assert [row["this"] for row in rows] == [False, True]


def test_an_evaluation_that_came_later_changes_the_report(full: Run) -> None:
    before = len(records.find(Evaluation, run_id=full.id))
    old = project_report.context(full)["test"]["n"]
    made.measured(full, 0.4, "test")
    newer = project_report.context(full)["summary"]
    assert len(records.find(Evaluation, run_id=full.id)) == before + 1 and old
    assert any("twice" in str(line) or "2" in str(line) for _, line in newer.glance)


def test_the_command_writes_the_file_and_says_what_was_not_done(
    bare: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.html"
    assert main(["project-report", bare.id, "--out", str(target), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["file"] == str(target) and "A bias audit" in said["not_done"]
    assert target.read_text("utf-8").startswith("<!doctype html>")


def test_the_panel_offers_the_file_and_names_what_is_missing(bare: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(st, "page_link", lambda page, **also: shown.append(str(also["label"])))

    def script(run_id: str) -> None:
        from core.services import runs
        from core.ui.project_report_panel import project_report_panel

        project_report_panel(runs.get(run_id))

    at = AppTest.from_function(script, kwargs={"run_id": bare.id}, default_timeout=60).run()
    assert not at.exception
    assert "A bias audit" in " ".join(m.value for m in at.markdown) and "Bias audit" in shown
