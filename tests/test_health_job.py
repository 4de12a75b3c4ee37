"""The health report as a job: made by the worker, kept with the version, reused where nothing changed."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from databases import migrated
from health_examples import of, one, reviews

from core.schemas.errors import UserError
from core.schemas.findings import Severity
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.recorder import Interrupted
from core.services import datasets, fixes, health, health_inputs, preparation, projects
from core.store import jobs
from core.store.owners import identity
from core.store.tables import DatasetVersion, Project
from core.worker import child
from core.worker.recorder import JobRecorder

ROLES = {"text": "message", "label": "mood"}


@pytest.fixture(autouse=True)
def _database(storage: Path) -> None:
    migrated()


def imported(
    rows: list[tuple[str, str]], task: str = "classification", **columns: list[str]
) -> tuple[Project, DatasetVersion]:
    project = projects.create("reviews", task)
    table = {
        "row_id": [f"a-{i}" for i in range(len(rows))],
        "message": [t for t, _ in rows],
        "mood": [y for _, y in rows],
    }
    version = datasets.add_version(project.id, pd.DataFrame(table | columns), roles=ROLES, title="reviews", origin={})
    return projects.get(project.id), version


def work() -> JobState:
    """Do the next check as the worker's child would."""
    found = jobs.claim([JobKind.CHECK], identity())
    assert found is not None
    job, fence = found
    recorder = JobRecorder(job.id, fence, None)
    recorder.start()
    child.run(job, fence, recorder)
    done = jobs.get(job.id)
    assert done is not None
    assert done.error is None, done.error
    return done.state


def test_the_worker_makes_the_report_and_keeps_it_with_the_version() -> None:
    project, version = imported(reviews(120))
    job_id = health.submit(project.id, version.id)
    assert health.of(version) is None and not health.is_current(version)
    assert [j.id for j in health.running(project.id, version.id)] == [job_id]
    assert work() is JobState.DONE
    version = datasets.get_version(version.id)
    report = health.of(version)
    assert report is not None and report.rows == 120 and health.is_current(version)
    assert health.running(project.id, version.id) == []


def test_a_second_request_joins_the_first_and_a_third_reuses_the_report() -> None:
    project, version = imported(reviews(80))
    assert health.submit(project.id, version.id) == health.submit(project.id, version.id)
    work()
    assert health.submit(project.id, version.id) is None
    assert jobs.claim([JobKind.CHECK], identity()) is None


def test_another_version_with_the_same_content_reuses_the_report_at_once() -> None:
    project, version = imported(reviews(80))
    health.submit(project.id, version.id)
    work()
    other, copy = imported(reviews(80))
    assert copy.content == version.content and health.submit(other.id, copy.id) is None
    assert health.of(datasets.get_version(copy.id)) == health.of(datasets.get_version(version.id))


def test_the_report_is_out_of_date_once_the_data_is_split_or_real_texts_come() -> None:
    project, version = imported(reviews(120))
    health.check(version)
    assert health.is_current(datasets.get_version(version.id))
    preparation.save(project, PreparationPlan())
    assert not health.is_current(datasets.get_version(version.id))
    health.check(datasets.get_version(version.id))
    assert health.is_current(datasets.get_version(version.id))
    health_inputs.keep_real_texts(project.id, ["Where is my parcel?"])
    assert not health.is_current(datasets.get_version(version.id))


def test_a_check_can_be_cancelled_between_two_steps() -> None:
    project, version = imported(reviews(80))
    job_id = health.submit(project.id, version.id)
    seen: list[str] = []

    def progress(title: str, done: int, total: int) -> None:
        seen.append(title)
        if len(seen) == 4:
            raise Interrupted(Desired.CANCEL)

    with pytest.raises(Interrupted):
        health.check(version, progress)
    assert seen[0] == "Reading the rows" and seen[1].startswith("Checking: ") and job_id
    assert datasets.get_version(version.id).health is None


def test_a_fix_asks_for_the_report_of_the_new_version() -> None:
    rows = reviews(80)
    project, version = imported([*rows, *rows[:5]])
    health.check(version)
    made = fixes.apply(project, datasets.get_version(version.id), "drop_duplicates", {})
    assert [j.payload["version_id"] for j in health.running(project.id, made.id)] == [made.id]
    work()
    report = health.of(datasets.get_version(made.id))
    assert report is not None and report.counts["exact_copies"] == 0


def test_rows_that_cannot_be_used_are_told_with_the_reason() -> None:
    _, version = imported([*reviews(60), ("", "positive"), ("what a day", "")])
    report = health.check(version)
    assert (
        "1 no text, 1 no label" in one(report, "empty").title or "1 no label, 1 no text" in one(report, "empty").title
    )


def test_an_empty_label_column_is_named() -> None:
    _, version = imported([(t, "") for t, _ in reviews(60)])
    finding = one(health.check(version), "learnable", Severity.ERROR)
    assert finding.title == "The column “mood” is empty" and finding.count == 60


def test_rows_shared_by_the_parts_of_a_saved_split_are_found() -> None:
    rows = reviews(200)
    project, version = imported([*rows, (rows[0][0][:-1] + "!", rows[0][1]), (rows[1][0][:-1] + "!", rows[1][1])])
    report = health.check(version)
    assert of(report, "leakage") == []  # nothing is split yet
    preparation.save(project, PreparationPlan())
    where = preparation.assignment(preparation.current(projects.get(project.id)))  # type: ignore[arg-type]
    report = health.check(datasets.get_version(version.id))
    apart = sum(where[f"a-{i}"] != where[f"a-{200 + i}"] for i in range(2))
    near = [f for f in of(report, "leakage") if "nearly" in f.title]
    assert sum(f.count for f in near) >= apart


def test_a_column_that_names_the_parts_says_so_before_there_is_a_split() -> None:
    rows = reviews(200)
    doubled = [*rows, *rows[:10]]
    _, version = imported(doubled, set=["train"] * 200 + ["test"] * 10)
    finding = one(health.check(version), "leakage", Severity.ERROR)
    assert "10 of the 10 test rows are also in training: 10 exactly" in finding.title
    assert "the column “set”" in finding.meaning and finding.data["evidence"]["a-200"] == "as a-0"


def test_a_column_about_people_is_held_against_the_labels() -> None:
    rows = reviews(200)
    people = [("woman" if y == "negative" else "man") if i % 10 else "man" for i, (_, y) in enumerate(rows)]
    _, version = imported(rows, gender=people)
    finding = one(health.check(version), "identity_labels", Severity.WARNING)
    assert "“woman”" in finding.title or "“man”" in finding.title


def test_texts_from_real_use_are_kept_and_can_be_removed() -> None:
    project, _ = imported(reviews(60))
    assert health_inputs.keep_real_texts(project.id, ["One.", " ", "Two."]) == 2
    assert health_inputs.real_texts(projects.get(project.id)) == ["One.", "Two."]
    health_inputs.keep_real_texts(project.id, [])
    assert health_inputs.real_texts(projects.get(project.id)) == []


def test_texts_from_real_use_are_read_from_a_file_by_their_column() -> None:
    table = pd.DataFrame(
        {"id": range(30), "message": [f"Where is parcel number {i} that I ordered?" for i in range(30)]}
    )
    data = io.BytesIO()
    table.to_csv(data, index=False)
    assert len(health_inputs.read_texts("real.csv", data.getvalue(), "message")) == 30
    assert health_inputs.read_texts("real.csv", data.getvalue())[0] == "Where is parcel number 0 that I ordered?"
    with pytest.raises(UserError):
        health_inputs.read_texts("x.csv", b"a,b\n1,2\n3,4\n")
