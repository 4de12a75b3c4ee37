"""A fix becomes a version that can be undone; rows are gone through one by one; the locked test set is never touched."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from databases import migrated
from streamlit.testing.v1 import AppTest

from core.data.self_confidence import guesses
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import JobKind
from core.schemas.plan import PreparationPlan
from core.services import datasets, fixes, preparation, projects, relabel, versions
from core.store import jobs
from core.store.engine import engine
from core.store.tables import DatasetVersion, Project
from core.worker.handlers import fix_job

ROLES = {"text": "message", "label": "team"}
PLACES = "hotel station library market garden school office museum harbour theatre bakery stadium".split()
GOOD = "lovely quick friendly helpful clean superb bright tasty calm great".split()
BAD = "awful slow rude useless dirty broken dull stale noisy poor".split()


def reviews(count: int, flipped: int = 0, seed: int = 1) -> list[tuple[str, str]]:
    """Short reviews with a label that their words give away; the first `flipped` have the wrong one."""
    rng = random.Random(seed)
    rows: dict[str, str] = {}
    while len(rows) < count:
        label = ("good", "bad")[len(rows) % 2]
        one, two = rng.sample(GOOD if label == "good" else BAD, 2)
        rows.setdefault(f"The {rng.choice(PLACES)} was {one} and {two}, and so was the {rng.choice(PLACES)}.", label)
    wrong = {"good": "bad", "bad": "good"}
    return [(text, wrong[label] if i < flipped else label) for i, (text, label) in enumerate(rows.items())]


@pytest.fixture
def _database(storage: Path) -> Iterator[None]:
    migrated()
    yield
    engine().dispose()


@pytest.fixture
def project(_database: None) -> Project:
    return projects.create("reviews", "classification")


def imported(project: Project, rows: list[tuple[str, str]]) -> DatasetVersion:
    frame = pd.DataFrame(
        {"row_id": [f"r-{i}" for i in range(len(rows))], "message": [r[0] for r in rows], "team": [r[1] for r in rows]}
    )
    return datasets.add_version(project.id, frame, roles=ROLES, title="reviews.csv", origin={"kind": "import"})


def current(project: Project) -> DatasetVersion:
    version = datasets.current(projects.get(project.id))
    assert version is not None
    return version


def split(project: Project) -> dict[str, str]:
    return dict(preparation.assignment(preparation.save(projects.get(project.id), PreparationPlan())))


# -- fixes and the test set --------------------------------------------------------------------------------------------


def test_a_fix_is_recorded_with_its_options_and_keeps_the_order_of_the_rows(project: Project) -> None:
    first = imported(project, [(f" {text} ", label) for text, label in reviews(40)])
    made = fixes.apply(project, first, "strip_whitespace", {})
    assert made.parent_id == first.id and made.origin["fix"] == "strip_whitespace" and made.origin["of"] == first.id
    assert made.origin["counts"] == {"dropped": 0, "changed": 40, "cut": 0} and versions.summary(made) == "40 changed"
    assert list(datasets.frame(made)["row_id"]) == list(datasets.frame(first)["row_id"])
    again = fixes.apply(project, made, "shorten_texts", {"most": 50, "how": "chunk"})
    assert again.origin["options"] == {"most": 50, "how": "chunk"} and again.origin["counts"]["cut"] > 0
    whole = [row.split(".")[0] for row in datasets.frame(again)["row_id"]]
    assert whole == sorted(whole, key=lambda row: int(row.removeprefix("r-")))


def test_once_a_test_set_is_fixed_no_fix_touches_it(project: Project) -> None:
    first = imported(project, [(f" {text} ", label) for text, label in reviews(60)])
    where = split(project)
    test = {row for row, part in where.items() if part == "test"}
    seen = fixes.preview_steps(first, [("strip_whitespace", {})])
    assert seen.locked == seen.locked_in_need == len(test) > 5 and seen.preview.rows_changed == 60 - len(test)
    made = fixes.apply(project, first, "strip_whitespace", {})
    before, after = (dict(zip(f["row_id"], f["message"], strict=True)) for f in map(datasets.frame, (first, made)))
    assert {row for row in before if before[row] == after[row]} == test
    plan = preparation.current(projects.get(project.id))
    assert plan is not None and preparation.assignment(plan) == where  # training can go on at once


def test_changing_test_rows_too_starts_a_new_test_set_and_can_be_undone(project: Project) -> None:
    rows = enumerate(reviews(60))
    first = imported(project, [(text, "Good " if label == "good" and i % 3 else label) for i, (text, label) in rows])
    split(project)
    steps: list[fixes.Step] = [("merge_labels", {"mapping": {"Good ": "good"}})]
    some, every = (fixes.preview_steps(first, steps, everywhere=on).preview.rows_changed for on in (False, True))
    assert 0 < some < every == 20
    made = fixes.apply_steps(project, first, steps, everywhere=True)
    assert set(datasets.frame(made)["team"]) == {"good", "bad"} and made.lineage != first.lineage
    assert preparation.current(projects.get(project.id)) is not None and fixes.locked_rows(made)
    versions.undo(projects.get(project.id))
    assert current(project).lineage == first.lineage


def test_the_pieces_of_a_text_share_a_part_of_the_split(project: Project) -> None:
    long = [(" ".join(t for t, _ in reviews(6, seed=i)), ("good", "bad")[i % 2]) for i in range(40)]
    first = imported(project, long)
    made = fixes.apply(project, first, "shorten_texts", {"most": 100, "how": "chunk"})
    assert made.rows > 3 * first.rows
    parts = pd.Series(split(project)).groupby(lambda row: row.split(".")[0]).nunique()
    assert set(parts) == {1} and len(parts) == 40


def test_pieces_stay_where_the_whole_was_and_test_rows_are_not_cut(project: Project) -> None:
    first = imported(project, [(" ".join(t for t, _ in reviews(6, seed=i)), ("good", "bad")[i % 2]) for i in range(40)])
    where = split(project)
    fixes.apply(project, first, "shorten_texts", {"most": 100, "how": "chunk"})
    plan = preparation.current(projects.get(project.id))
    assert plan is not None
    after = preparation.assignment(plan)
    assert {row: where[row.split(".")[0]] for row in after} == after
    assert {row for row in after if after[row] == "test"} == {row for row in where if where[row] == "test"}


def test_a_fix_that_changes_nothing_makes_no_version(project: Project) -> None:
    first = imported(project, reviews(30))
    with pytest.raises(UserError, match="Nothing would change"):
        fixes.apply(project, first, "strip_whitespace", {})
    assert len(datasets.versions(project.id)) == 1


def test_a_large_table_is_mended_by_the_worker_once_even_if_it_is_done_twice(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fixes, "LARGE", 20)
    first = imported(project, [(f" {text} ", label) for text, label in reviews(60)])
    assert fixes.preview_steps(first, [("strip_whitespace", {})]).preview.looked_at == 20
    assert fixes.preview_steps(first, [("drop_duplicates", {})]).preview.looked_at == 60
    assert fixes.preview_steps(first, [("drop_rows", {"rows": ["r-59"]})]).preview.rows_dropped == 1
    job_id = fixes.start(project, first, [("strip_whitespace", {})])
    assert isinstance(job_id, str) and current(project).id == first.id
    job = jobs.get(job_id)
    assert job is not None and job.kind is JobKind.FIX

    class Silent:
        def phase(self, *_: object) -> None: ...
        def obey(self) -> None: ...

    made = fix_job.run(job, Silent())  # type: ignore[arg-type]
    assert fix_job.run(job, Silent()) == made and len(datasets.versions(project.id)) == 2  # type: ignore[arg-type]
    assert current(project).id == made["dataset_version_id"]


def test_a_large_fix_that_is_killed_behind_its_version_still_carries_the_split_over(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = imported(project, [(f" {text} ", label) for text, label in reviews(40)])
    before = split(project)
    payload = {"version_id": first.id, "steps": [["strip_whitespace", {}]], "everywhere": True}
    with monkeypatch.context() as killed:
        killed.setattr(preparation, "carry_over", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            fixes.apply_job(project.id, "the job", payload)
    assert current(project).lineage > first.lineage, "its test rows were changed: scores are not compared"
    made = fixes.apply_job(project.id, "the job", payload)
    assert made.id == current(project).id and len(datasets.versions(project.id)) == 2
    plan = preparation.current(projects.get(project.id))
    assert plan is not None and preparation.assignment(plan).keys() == before.keys()


# -- versions ----------------------------------------------------------------------------------------------------------


def test_undo_and_redo_walk_through_fixes_and_delete_nothing(project: Project) -> None:
    first = imported(project, [(f" {text} ", label) for text, label in reviews(40)])
    assert versions.before(first) is None and versions.after(first) is None
    second = fixes.apply(project, first, "strip_whitespace", {})
    third = fixes.apply(project, second, "drop_rows", {"rows": ["r-1"]})
    assert versions.undo(projects.get(project.id)).id == second.id  # type: ignore[union-attr]
    assert versions.undo(projects.get(project.id)).id == first.id  # type: ignore[union-attr]
    assert versions.undo(projects.get(project.id)) is None
    assert versions.redo(projects.get(project.id)).id == second.id  # type: ignore[union-attr]
    other = fixes.apply(project, second, "drop_rows", {"rows": ["r-2"]})
    versions.undo(projects.get(project.id))
    assert versions.redo(projects.get(project.id)).id == other.id  # type: ignore[union-attr]
    datasets.go_back(project.id, third.id)
    assert "r-2" in set(datasets.frame(current(project))["row_id"]) and len(datasets.versions(project.id)) == 4


def test_a_row_that_comes_back_is_where_it_was_before(project: Project) -> None:
    first = imported(project, reviews(60))
    where = split(project)
    watched = next(row for row, part in where.items() if part == "validation")
    fixes.apply(project, first, "drop_rows", {"rows": [watched]})
    versions.undo(projects.get(project.id))
    fixes.apply(project, first, "drop_rows", {"rows": [next(row for row, part in where.items() if part == "train")]})
    plan = preparation.current(projects.get(project.id))
    assert plan is not None and preparation.assignment(plan)[watched] == "validation"


def test_the_difference_of_two_versions_names_rows_cells_and_labels(project: Project) -> None:
    first = imported(project, [("one", "a"), ("two", "a"), ("three", "b"), ("four", "b")])
    steps: list[fixes.Step] = [("drop_rows", {"rows": ["r-0"]}), ("relabel", {"labels": {"r-1": "b"}})]
    second = fixes.apply_steps(project, first, steps, "Gone through")
    found = versions.difference(first, second)
    assert list(found.dropped["row_id"]) == ["r-0"] and (found.dropped_rows, found.added_rows) == (1, 0)
    assert found.cells.to_dict("records") == [{"row_id": "r-1", "column": "team", "before": "a", "after": "b"}]
    assert found.changed_rows == 1 and found.changed_cells == {"team": 1} and found.values == {"b": (2, 3), "a": (2, 0)}
    back = versions.difference(second, first)
    assert list(back.added["row_id"]) == ["r-0"] and back.values == {"b": (3, 2), "a": (0, 2)}
    same = versions.difference(first, first)
    assert (same.dropped_rows, same.added_rows, same.changed_rows) == (0, 0, 0) and same.cells.empty


def test_a_column_with_any_name_and_missing_cells_are_compared(project: Project) -> None:
    names = ["row_id", "a \"quoted' one", "b"]
    old = pd.DataFrame([["r-0", None, "x"], ["r-1", "it's", None]], columns=names)
    new = pd.DataFrame([["r-0", "now", "x"], ["r-1", "it's", None]], columns=names).assign(more=["", "new"])
    first, second = (
        datasets.add_version(project.id, f, roles={"text": names[1]}, title="t", origin={"kind": "import"})
        for f in (old, new)
    )
    found = versions.difference(first, second)
    assert found.changed_cells == {names[1]: 1, "more": 1} and found.changed_rows == 2 and not found.dropped_rows


def test_a_note_is_kept_and_an_empty_one_is_none(project: Project) -> None:
    version = imported(project, reviews(10))
    versions.set_note(version.id, "  before the autumn \n")
    assert current(project).note == "before the autumn"
    versions.set_note(version.id, " ")
    assert current(project).note is None


# -- the queue ---------------------------------------------------------------------------------------------------------


def test_wrong_labels_come_first_and_their_suggestion_is_right() -> None:
    rows = reviews(200, flipped=12)
    examples = [Example(row_id=f"r-{i}", text=text, label=label) for i, (text, label) in enumerate(rows)]
    for asked in (range(30), range(200)):
        found = guesses(examples, asked)
        order = sorted(asked, key=lambda i: found[i].confidence)
        wrong = [i for i in order[:12] if i < 12]
        assert len(wrong) >= 11 and all(found[i].suggested != rows[i][1] for i in wrong)
    assert guesses(examples[:1], [0]) == {} and guesses([], []) == {}


def test_the_queue_goes_worst_first_keeps_every_decision_and_can_be_left(project: Project) -> None:
    version = imported(project, reviews(120, flipped=3))
    queue = relabel.begin(project, version, "label_noise", "Doubtful labels", [f"r-{i}" for i in range(8)])
    assert {item["row_id"] for item in queue.items[:3]} == {"r-0", "r-1", "r-2"}
    first, second, third = (item["row_id"] for item in queue.items[:3])
    now = relabel.state(project, version, queue)
    assert now.item is not None and now.item.row_id == first and now.item.suggested != now.item.label
    relabel.decide(queue, first, "relabel", now.item.suggested)
    relabel.decide(queue, second, "skip")
    relabel.decide(queue, third, "drop")
    again = relabel.begin(project, version, "label_noise", "Doubtful labels", [f"r-{i}" for i in range(8)])
    assert again.id == queue.id and [q.id for q in relabel.of_version(version)] == [queue.id]
    now = relabel.state(project, version, again)
    assert (
        (now.decided, now.skipped, now.total) == (2, 1, 8)
        and now.item is not None
        and now.item.row_id not in (first, third)
    )
    assert [relabel.is_open(queue, row) for row in (first, second, third, "r-7")] == [False, True, False, True]
    assert relabel.undo(again) == third and relabel.state(project, version, again).decided == 1
    for item in queue.items[2:]:
        relabel.decide(again, item["row_id"], "keep")
    now = relabel.state(project, version, again)
    assert now.item is not None and now.item.row_id == second  # what was skipped comes at the end
    with pytest.raises(ValueError, match="no decision"):
        relabel.decide(again, second, "relabel")
    with pytest.raises(ValueError, match="no row"):
        relabel.decide(again, "r-99", "drop")


def test_rows_that_a_check_has_judged_keep_its_suggestions(project: Project) -> None:
    version = imported(project, reviews(30))
    suspects = [
        {"row_id": f"r-{i}", "label": "x", "suggested": "bad", "confidence": c, "suggested_confidence": 1 - c}
        for i, c in ((4, 0.3), (7, 0.1))
    ]
    queue = relabel.begin(project, version, "label_noise", "Doubtful labels", ["r-4"], suspects)
    item = relabel.state(project, version, queue).item
    assert item is not None and (item.row_id, item.suggested, item.confidence, item.probability) == (
        "r-7",
        "bad",
        0.1,
        0.9,
    )


def test_all_decisions_become_one_version_that_can_be_undone(project: Project) -> None:
    version = imported(project, reviews(60, flipped=2))
    queue = relabel.begin(project, version, "label_noise", "Doubtful labels", ["r-0", "r-1", "r-2"])
    with pytest.raises(UserError, match="Nothing would change"):
        relabel.finish(project, version, queue)
    relabel.decide(queue, "r-0", "drop")
    relabel.decide(queue, "r-1", "relabel", "bad")
    relabel.decide(queue, "r-2", "keep")
    made = relabel.finish(project, version, queue)
    assert isinstance(made, DatasetVersion) and made.rows == 59 and made.origin["queue"] == queue.id
    assert made.origin["decided"] == {"keep": 1, "drop": 1, "relabel": 1, "skip": 0}
    assert dict(zip(*(datasets.frame(made)[c] for c in ("row_id", "team")), strict=True))["r-1"] == "bad"
    assert relabel.of_version(version) == []
    versions.undo(projects.get(project.id))
    assert current(project).id == version.id


def test_rows_of_the_locked_test_set_are_noted_and_never_changed(project: Project) -> None:
    version = imported(project, reviews(60, flipped=2))
    where = split(project)
    locked, free = (next(r for r, p in where.items() if (p == "test") is wanted) for wanted in (True, False))
    queue = relabel.begin(project, version, "label_noise", "Doubtful labels", [locked, free])
    relabel.decide(queue, locked, "drop")
    now = relabel.state(project, version, queue)
    assert relabel.steps(now) == [] and now.count("drop", locked=True) == 1 and now.count("drop") == 0
    relabel.decide(queue, free, "drop")
    made = relabel.finish(project, version, queue)
    assert isinstance(made, DatasetVersion) and made.rows == 59
    assert locked in set(datasets.frame(made)["row_id"]) and made.origin["noted"] == [[locked, "drop", None]]


def test_a_row_that_another_fix_removed_is_counted_and_not_shown(project: Project) -> None:
    version = imported(project, reviews(30))
    queue = relabel.begin(project, version, "toxicity", "Look at these", ["r-0", "r-1"])
    later = fixes.apply(project, version, "drop_rows", {"rows": ["r-0"]})
    now = relabel.state(project, later, queue)
    assert (now.total, now.gone) == (1, 1) and now.item is not None and now.item.row_id == "r-1"
    with pytest.raises(UserError, match="not there"):
        relabel.begin(project, later, "toxicity", "Look at these", ["r-0"])


# -- the screen --------------------------------------------------------------------------------------------------------


def test_the_queue_shows_a_hostile_text_as_text_and_every_button_decides(project: Project) -> None:
    rows = reviews(40)
    rows[0] = ("<img src=x onerror=alert(1)> **bold** " + rows[0][0], "<b>good</b>")
    version = imported(project, rows)
    queue = relabel.begin(project, version, "x", "A *title*", ["r-0"])

    def script(project_id: str, version_id: str, queue_id: str) -> None:
        from core.services import datasets, projects
        from core.ui.dataset_queue import queue_panel

        queue_panel(projects.get(project_id), datasets.get_version(version_id), queue_id)

    kwargs = {"project_id": project.id, "version_id": version.id, "queue_id": queue.id}
    app = AppTest.from_function(script, kwargs=kwargs, default_timeout=30).run()
    shown = " ".join(block.value for block in app.get("html"))
    assert not app.exception and "<img" not in shown and "&lt;img src=x" in shown and "&lt;b&gt;good" in shown
    labels = [b.label for b in app.button if b.key and b.key.startswith("queue-label-")]
    assert len(labels) == 3 and any(r"\<b\>good" in label for label in labels)
    app.button(key="queue-drop-r-0").click().run()
    assert [d.action for d in relabel.state(project, version, queue).decisions.values()] == ["drop"]
    assert any("Every row is decided" in s.value for s in app.success)


def test_one_row_that_is_shown_takes_one_decision(project: Project) -> None:
    """One press of a key can reach the buttons of two rows while the browser replaces them."""
    version = imported(project, reviews(40))
    queue = relabel.begin(project, version, "x", "Doubtful labels", ["r-0", "r-1"])

    def script(project_id: str, version_id: str, queue_id: str) -> None:
        from core.services import datasets, projects
        from core.ui.dataset_queue import queue_panel

        queue_panel(projects.get(project_id), datasets.get_version(version_id), queue_id)

    kwargs = {"project_id": project.id, "version_id": version.id, "queue_id": queue.id}
    app = AppTest.from_function(script, kwargs=kwargs, default_timeout=30).run()
    shown = app.session_state[f"shown-queue-{queue.id}"]
    app.session_state[f"shown-queue-{queue.id}"] = None  # the same press has already decided a row
    app.button(key=f"queue-drop-{shown}").click().run()
    assert relabel.state(project, version, queue).decisions == {}
    app.button(key=f"queue-drop-{shown}").click().run()
    assert list(relabel.state(project, version, queue).decisions) == [shown]


@pytest.mark.usefixtures("_database")
def test_rows_without_a_label_are_kept_or_dropped() -> None:
    project = projects.create("questions", "chat")
    frame = pd.DataFrame(
        {
            "row_id": [f"r-{i}" for i in range(6)],
            "question": [f"question {i}" for i in range(6)],
            "answer": [f"answer {i}" for i in range(6)],
        }
    )
    roles = {"prompt": "question", "response": "answer"}
    version = datasets.add_version(project.id, frame, roles=roles, title="questions.csv", origin={"kind": "import"})
    queue = relabel.begin(project, version, "toxicity", "Rude rows", ["r-2", "r-0"])
    now = relabel.state(project, version, queue)
    assert now.item is not None and now.total == 2 and now.item.label == "" and "question 0" in now.item.text
    relabel.decide(queue, now.item.row_id, "drop")
    made = relabel.finish(project, version, queue)
    assert isinstance(made, DatasetVersion) and "r-0" not in set(datasets.frame(made)[datasets.ROW_ID])
