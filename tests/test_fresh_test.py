"""A fresh test set: held against what was learned and seen, and the beginning of a lineage whose scores stand apart."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd
import pytest
import stored_rounds as made

from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.services import datasets, evaluations, fresh_test, honest, openings, preparation, projects, rounds, runs
from core.store import jobs
from core.store.tables import Plan, Project


def looked(project: Project, rows: pd.DataFrame, columns: dict[str, str] | None = None) -> fresh_test.Candidate:
    """What the worker finds in these rows."""
    upload = datasets.keep_upload(project.id, "new.csv", io.BytesIO(rows.to_csv(index=False).encode()))
    columns = columns or {"text": "text", "label": "label"}
    job = jobs.get(fresh_test.submit(projects.get(project.id), {"upload_id": upload.id}, columns))
    assert job is not None and job.kind is JobKind.TEST_SET
    found = fresh_test.look(projects.get(project.id), job.payload)
    return fresh_test.Candidate.model_validate(found.model_dump(mode="json"))  # as it comes back from the job


def plan_of(project: Project) -> Plan:
    plan = preparation.current(projects.get(project.id))
    assert plan is not None
    return plan


def texts_of(project: Project, part: Any) -> list[tuple[str, str]]:
    return [(e.text, e.label or "") for e in preparation.parts(plan_of(project), "classification")[part]]


def ids_of(project: Project, part: str) -> set[str]:
    return {row for row, where in preparation.assignment(plan_of(project)).items() if where == part}


def test_rows_that_were_learned_or_seen_are_found_and_left_out(small_project: Project) -> None:
    learned, seen = texts_of(small_project, "train"), texts_of(small_project, "test")
    rows = made.unseen(10)
    first = rows.iloc[0]
    more = [
        (learned[0][0].upper(), learned[0][1]),
        (f"{learned[1][0]}!", learned[1][1]),
        seen[0],
        (first["text"], first["label"]),
        ("a text with a label that nobody knows", "complaint"),
        ("", "refund"),
    ]
    found = looked(small_project, pd.concat([rows, pd.DataFrame(more, columns=["text", "label"])], ignore_index=True))
    counts = [len(one) for one in (found.exact, found.near, found.seen, found.twice, found.unknown)]
    assert (counts, found.empty, found.usable) == ([1, 1, 1, 1, 1], 1, 10)
    assert found.unknown_labels == {"complaint": 1} and not found.enough


def test_it_begins_a_lineage_and_leaves_training_and_validation_as_they_are(small_project: Project) -> None:
    before = {part: texts_of(small_project, part) for part in ("train", "validation", "test")}
    candidate = looked(
        small_project,
        made.unseen(40).rename(columns={"text": "what", "label": "who"}),
        {"text": "what", "label": "who"},
    )
    version = fresh_test.adopt(small_project, candidate)
    assert version.lineage == 2 and version.origin["kind"] == fresh_test.KIND
    assert texts_of(small_project, "train") == before["train"]
    assert texts_of(small_project, "validation") == before["validation"]
    assert len(texts_of(small_project, "test")) == 40 and not set(texts_of(small_project, "test")) & set(before["test"])
    # A fix of the new version keeps the new membership.
    test = ids_of(small_project, "test")
    made.mended(small_project, 2)
    assert ids_of(small_project, "test") == test


def test_rows_of_the_earlier_test_set_can_be_learned_from(small_project: Project) -> None:
    tested, learned = ids_of(small_project, "test"), ids_of(small_project, "train")
    fresh_test.adopt(small_project, looked(small_project, made.unseen(30)), "train")
    assert ids_of(small_project, "train") == learned | tested


def test_an_earlier_round_is_measured_on_the_new_rows_and_its_old_score_stays_apart(small_project: Project) -> None:
    run = made.trained(small_project)
    made.measured(run, 0.9, "test")
    fresh_test.adopt(small_project, looked(small_project, made.unseen(30)))
    project = projects.get(small_project.id)
    new, old = openings.test_sets(project, run)
    assert (new.lineage, new.rows, new.fresh) == (2, 30, True) and (old.lineage, old.fresh) == (1, False)
    made.measured(run, 0.5, "test", plan_id=new.plan_id)
    one = rounds.of_project(project)[0]
    assert [(m.lineage, m.score.n) for m in one.tests] == [(1, old.rows), (2, 30)]
    assert one.test is not None and one.test.score.value == 0.5
    assert [len(openings.of_lineage(project.id, n)) for n in (1, 2)] == [1, 1]


def test_a_round_that_learned_from_the_old_test_rows_is_not_measured_on_them(small_project: Project) -> None:
    earlier = made.trained(small_project)
    fresh_test.adopt(small_project, looked(small_project, made.unseen(30)), "train")
    later = made.trained(small_project)
    assert [s.lineage for s in openings.test_sets(projects.get(small_project.id), later)] == [2]
    assert [s.lineage for s in openings.test_sets(projects.get(small_project.id), earlier)] == [2, 1]


def test_what_was_compared_with_other_data_is_not_taken(small_project: Project) -> None:
    candidate = looked(small_project, made.unseen(30))
    made.mended(small_project)
    with pytest.raises(UserError, match="data has changed"):
        fresh_test.adopt(projects.get(small_project.id), candidate)


def test_a_file_without_a_usable_row_is_refused(small_project: Project) -> None:
    learned = pd.DataFrame(texts_of(small_project, "train"), columns=["text", "label"])
    candidate = looked(small_project, learned)
    assert candidate.usable == 0
    with pytest.raises(UserError, match="No row is left"):
        fresh_test.adopt(small_project, candidate)
    with pytest.raises(UserError, match="column is missing"):
        looked(small_project, made.unseen(3), {"text": "text"})
    assert len(datasets.versions(small_project.id)) == 1


def test_columns_are_matched_by_name_and_else_by_what_they_look_like(small_project: Project) -> None:
    version = datasets.current(small_project)
    assert version is not None
    rows = made.unseen(30).rename(columns={"text": "Text", "label": "kind of message"})
    upload = datasets.keep_upload(small_project.id, "new.csv", io.BytesIO(rows.to_csv(index=False).encode()))
    found = fresh_test.matched(version, datasets.inspect({"upload_id": upload.id}), "classification")
    assert found == {"text": "Text", "label": "kind of message"}


def test_rows_that_an_earlier_round_learned_count_as_training_of_one_that_goes_on_from_it(
    small_project: Project,
) -> None:
    first = made.trained(small_project)
    made.mended(small_project)
    second = made.trained(small_project, parent=first, begin="round")
    given = runs.inputs(second)
    learned = runs.inputs(first).parts["train"][0]
    copy = given.parts["test"][0].model_copy(update={"text": learned.text.upper()})
    parts = {**given.parts, "train": given.parts["validation"][:1], "test": [copy]}
    assert honest.repeated(parts, "test").exact == ()
    assert honest.repeated(parts, "test", honest.learned_before(second)).exact == (copy.row_id,)
    assert honest.learned_before(first) == []


def test_the_inputs_of_an_evaluation_take_only_the_test_rows_of_the_other_plan(small_project: Project) -> None:
    run = made.trained(small_project)
    fresh_test.adopt(small_project, looked(small_project, made.unseen(30)), "train")
    own = runs.inputs(run)
    given = evaluations.inputs(run, {"plan_id": plan_of(small_project).id})
    assert given.parts["train"] == own.parts["train"] and given.parts["validation"] == own.parts["validation"]
    assert len(given.parts["test"]) == 30 and given.labels == own.labels
