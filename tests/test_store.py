"""The database: migrations that leave it old or new, writers that wait for one another, curves that only grow."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import stored
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from core.store import curves, records
from core.store.curves import Point
from core.store.engine import engine, proving, read, wal_is_safe, write
from core.store.migrate import FOLDER, alembic_config, is_newest, migrate
from core.store.tables import (
    Audit,
    BaseModel,
    Batch,
    Checkpoint,
    Conversation,
    DatasetVersion,
    Evaluation,
    Export,
    FilterVersion,
    Job,
    JudgeAnswer,
    Judging,
    Metric,
    ModelKnowing,
    Plan,
    Project,
    Rater,
    Review,
    RowDecision,
    RowQueue,
    Run,
    RunEvent,
    SampleSet,
    Study,
    Table,
    Trial,
    Upload,
)


@pytest.fixture
def database(storage: Path) -> Iterator[Path]:
    """A migrated database."""
    migrate()
    yield storage / "tunewell.db"
    engine().dispose()


# -- migrations --------------------------------------------------------------------------------------------------------


def test_migrations_from_an_empty_database_give_the_tables_that_the_code_declares(database: Path) -> None:
    with engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Table.metadata) == []


def test_migrating_twice_changes_nothing_and_keeps_the_rows(database: Path) -> None:
    kept = stored.project()
    migrate()
    assert records.get(Project, kept.id).name == kept.name


def test_two_processes_may_migrate_at_the_same_time(storage: Path) -> None:
    command = [sys.executable, "-c", "from core.store.migrate import migrate; migrate()"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate(timeout=120)[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], errors
    assert "run_event" in inspect(engine()).get_table_names()


KILLED = """
import os, sys
from sqlalchemy import event
from core.store.engine import engine
from core.store.migrate import migrate

left = int(sys.argv[1])

@event.listens_for(engine(), "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)

migrate()
"""


@pytest.mark.parametrize("statement", [2, 8, 20, 33])
def test_a_migration_that_is_killed_leaves_the_old_database_and_the_next_start_completes_it(
    storage: Path, statement: int
) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(statement)], stderr=subprocess.PIPE, timeout=120)
    assert died.returncode == -9, died.stderr.decode()
    assert inspect(engine()).get_table_names() == []
    engine().dispose()
    migrate()
    assert set(inspect(engine()).get_table_names()) == {*Table.metadata.tables, "alembic_version"}


def test_a_start_on_a_current_database_neither_imports_alembic_nor_waits_for_a_writer(database: Path) -> None:
    command = "import sys; from core.store.migrate import migrate; migrate(); print('alembic' in sys.modules)"
    with sqlite3.connect(database, timeout=0) as other:
        other.execute("BEGIN IMMEDIATE")
        done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, timeout=120)
        other.rollback()
    assert (done.stdout.strip(), done.stderr) == ("False", "")


def test_each_migration_is_named_after_its_revision_and_follows_the_one_before(database: Path) -> None:
    with engine().connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
    in_order = [(Path(script.path).stem.partition("_")[0], script.revision) for script in scripts.walk_revisions()]
    assert in_order == sorted(in_order, reverse=True) and {name for name, _ in in_order} == {r for _, r in in_order}
    assert is_newest()


LATER = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "later", "{head}", None, None


def upgrade() -> None:
    with op.batch_alter_table("project", recreate="always") as batch:
        batch.add_column(sa.Column("colour", sa.String(), nullable=True))
"""


def test_a_migration_that_rebuilds_a_table_deletes_nothing_that_belongs_to_its_rows(
    database: Path, tmp_path: Path
) -> None:
    run = stored.run()
    folder = tmp_path / "migrations"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    with read() as session:
        head = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
    (folder / "versions" / "later.py").write_text(LATER.format(head=head))

    migrate(folder)

    assert "colour" in {column["name"] for column in inspect(engine()).get_columns("project")}
    assert records.get(Run, run.id) is not None
    with read() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar_one() == 1


# -- connections -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_write_ahead_logging_is_used_only_where_sqlite_cannot_corrupt_it(
    version: tuple[int, int, int], safe: bool
) -> None:
    assert wal_is_safe(version) is safe


def test_every_connection_is_set_up_so_that_it_loses_no_work(database: Path) -> None:
    with engine().connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    journal = "wal" if wal_is_safe() else "delete"
    assert settings == {"journal_mode": journal, "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_writers_that_read_first_wait_for_one_another_instead_of_failing(database: Path) -> None:
    project = stored.project()
    records.merge_json(Project, project.id, "settings", {"count": 0})
    ready, errors = threading.Barrier(4), []

    def add_ten() -> None:
        try:
            ready.wait()
            for _ in range(10):
                with write() as session:
                    row = session.get(Project, project.id)
                    row.settings = {"count": row.settings["count"] + 1}
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert records.get(Project, project.id).settings == {"count": 40}


def test_what_is_present_is_told_for_each_table(database: Path) -> None:
    run = stored.run()
    assert records.present(Run, Audit, project_id=run.project_id) == [True, False]
    assert records.present(Run, Audit, project_id="another") == [False, False]


def test_a_reader_takes_no_write_lock(database: Path) -> None:
    stored.project()
    with read() as session:
        assert len(session.execute(text("SELECT id FROM project")).all()) == 1
        with sqlite3.connect(database, timeout=0) as other:
            other.execute("BEGIN IMMEDIATE")
            other.rollback()


def test_an_error_inside_a_write_takes_everything_back(database: Path) -> None:
    def fail() -> None:
        with write() as session:
            session.add(Project(name="half", task=None))
            session.flush()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert records.count(Project) == 0


def test_writes_inside_a_write_are_kept_together_or_not_at_all_and_seen_before_they_are(database: Path) -> None:
    with write():
        records.add(Project(name="kept", task=None))
        records.add(Project(name="kept too", task=None))

    def fail() -> None:
        with write():
            made = records.add(Project(name="lost", task=None))
            assert records.get(Project, made.id) is not None
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    assert {p.name for p in records.find(Project)} == {"kept", "kept too"}


def test_a_write_that_cannot_prove_its_right_changes_nothing(database: Path) -> None:
    def refuse(session: object) -> None:
        raise PermissionError

    with pytest.raises(PermissionError), proving(refuse):
        records.add(Project(name="stale", task=None))
    assert records.count(Project) == 0


# -- curves ------------------------------------------------------------------------------------------------------------


def loss(run_id: str, step: int, value: float | None = 1.0, split: str = "batch") -> Point:
    return Point(run_id, "loss", split, step, step / 10, value, 0.0)


def append(points: list[Point]) -> None:
    with write() as session:
        curves.append(session, points)


def test_a_point_that_is_written_twice_stays_as_it_was_first(database: Path) -> None:
    run = stored.run()
    append([loss(run.id, 1, 3.0), loss(run.id, 2, 2.0)])
    append([loss(run.id, 2, 99.0), loss(run.id, 3, 1.0)])
    assert [(p.step, p.value) for p in curves.points(run.id, [("loss", "batch")])] == [(1, 3.0), (2, 2.0), (3, 1.0)]


def test_a_short_curve_is_drawn_point_by_point(database: Path) -> None:
    run = stored.run()
    append([loss(run.id, step, float(step)) for step in range(5)])
    assert [(b.step, b.low, b.mean, b.high) for b in curves.series(run.id, "loss", "batch", most=5)] == [
        (s, s, s, s) for s in range(5)
    ]


@pytest.mark.parametrize("count", [10, 11, 16, 17, 79, 80, 81, 160, 1000])
def test_a_long_curve_has_at_most_the_wanted_number_of_buckets(database: Path, count: int) -> None:
    run = stored.run()
    append([loss(run.id, step) for step in range(count)])
    buckets = curves.series(run.id, "loss", "batch", most=10)
    assert len(buckets) <= 10
    widths = {b.step - a.step for a, b in pairwise(buckets)}
    assert len(widths) <= 1 and all(width & (width - 1) == 0 for width in widths)


def test_a_bucket_keeps_the_lowest_mean_and_highest_value_of_its_points(database: Path) -> None:
    run = stored.run()
    append([loss(run.id, step, value) for step, value in enumerate([1.0, 5.0, 3.0, 3.0, 2.0, 8.0, 2.0, 0.0])])
    buckets = curves.series(run.id, "loss", "batch", most=2)
    assert [(b.step, b.low, b.mean, b.high) for b in buckets] == [(0, 1.0, 3.0, 5.0), (4, 0.0, 3.0, 8.0)]
    assert buckets[1].epoch == pytest.approx(0.55)


def test_only_the_newest_bucket_changes_between_two_refreshes(database: Path) -> None:
    run = stored.run()
    append([loss(run.id, step, step % 7) for step in range(130)])
    before = curves.series(run.id, "loss", "batch", most=32)
    append([loss(run.id, step, step % 7) for step in range(130, 158)])
    after = curves.series(run.id, "loss", "batch", most=32)
    assert len(before) < len(after) <= 32
    assert after[: len(before) - 1] == before[:-1]


def test_points_that_are_no_numbers_leave_a_gap_and_are_still_the_latest(database: Path) -> None:
    run = stored.run()
    append([loss(run.id, 1, 3.0), loss(run.id, 2, None), loss(run.id, 1, 4.0, split="validation")])
    assert [b.step for b in curves.series(run.id, "loss", "batch")] == [1]
    assert curves.latest(run.id) == {("loss", "batch"): (2, None), ("loss", "validation"): (1, 4.0)}
    assert curves.names(run.id) == {("loss", "batch"), ("loss", "validation")}


def test_a_run_that_goes_back_to_a_checkpoint_forgets_what_came_after_it(database: Path) -> None:
    run, other = stored.run(), stored.run()
    append([loss(r.id, step) for r in (run, other) for step in range(6)])
    with write() as session:
        session.add_all(
            [Checkpoint(run_id=run.id, step=s, folder=f"checkpoints/checkpoint-{s}", at=0.0) for s in (2, 4)]
        )
        session.add_all([RunEvent(run_id=run.id, kind="x", step=s, title="", text="", data={}, at=0.0) for s in (2, 5)])
    with write() as session:
        curves.truncate(session, run.id, beyond=2)
    assert [p.step for p in curves.points(run.id, [("loss", "batch")])] == [0, 1, 2]
    assert [c.step for c in curves.checkpoints(run.id)] == [2]
    assert [e.step for e in curves.events(run.id)] == [2]
    assert len(curves.points(other.id, [("loss", "batch")])) == 6


# -- records -----------------------------------------------------------------------------------------------------------


def test_deleting_a_project_deletes_everything_that_was_recorded_for_it_and_nothing_else(database: Path) -> None:
    gone, kept = stored.run(), stored.run()
    for run in (gone, kept):
        of_run = {"project_id": run.project_id, "run_id": run.id}
        append([loss(run.id, 1)])
        samples = SampleSet(**of_run, decoding={}, items=[])
        records.add(samples)
        of_version = {"project_id": run.project_id, "dataset_version_id": run.dataset_version_id}
        queue = records.add(RowQueue(**of_version, source="x", title="x", items=[]))
        study = records.add(Study(project_id=run.project_id, kind="seeds", recipe={}, config={}))
        evaluation = records.add(Evaluation(**of_run, split="test", lineage=1, result={}))
        for row in (
            Trial(study_id=study.id, number=1, run_id=run.id, values={}),
            RowDecision(queue_id=queue.id, row_id="a", action="keep"),
            Upload(project_id=run.project_id, filename="a.csv", sha256="00", size=1),
            Job(project_id=run.project_id, kind="train", payload={}),
            RunEvent(run_id=run.id, kind="x", step=0, title="", text="", data={}, at=0.0),
            Checkpoint(run_id=run.id, step=1, folder="f", at=0.0),
            JudgeAnswer(project_id=run.project_id, question="q"),
            Judging(project_id=run.project_id, evaluation_id=evaluation.id, result={}),
            Rater(sample_set_id=samples.id, name="Ann"),
            Review(sample_set_id=samples.id, item=0, left="base"),
            Audit(**of_run, config={}, result={}),
            Export(**of_run, kind="merged", folder="f", parity={}),
            FilterVersion(**of_run, number=1, rules={}, red_list=[]),
            Conversation(**of_run, models=["tuned"], settings={}, turns=[]),
            Batch(**of_run, config={}),
        ):
            records.add(row)

    assert records.remove(Project, id=gone.project_id) == 1

    for table in Table.__subclasses__():
        # Base models, and how well they know some texts, belong to all projects.
        if table not in (BaseModel, ModelKnowing) and table.__tablename__ != "correction":
            assert records.count(table) == 1, f"{table.__tablename__}: not exactly the other project's row is left"


def test_rows_are_found_by_their_columns_in_order_of_creation(database: Path) -> None:
    made = [
        records.add(Project(name=name, task=task, created_at=at))
        for name, task, at in (("a", "chat", 1.0), ("b", "chat", 3.0), ("c", None, 2.0))
    ]
    assert [p.name for p in records.find(Project)] == ["b", "c", "a"]
    assert [p.name for p in records.find(Project, newest_first=False, limit=2)] == ["a", "c"]
    assert [p.name for p in records.find(Project, task="chat")] == ["b", "a"]
    assert records.count(Project, task="chat") == 2
    assert records.get(Project, made[0].id).name == "a"
    assert records.get(Project, "nobody") is None


def test_versions_of_a_project_are_numbered_without_gaps_even_when_added_at_once(database: Path) -> None:
    project, other = stored.project(), stored.project()

    def add(owner: Project) -> None:
        for _ in range(5):
            records.add_numbered(DatasetVersion(project_id=owner.id, title="", content="", rows=0, roles={}, origin={}))

    threads = [threading.Thread(target=add, args=(owner,)) for owner in (project, project, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(v.number for v in records.find(DatasetVersion, project_id=project.id)) == list(range(1, 11))
    assert sorted(v.number for v in records.find(DatasetVersion, project_id=other.id)) == list(range(1, 6))


def test_setting_one_key_of_a_document_leaves_its_other_keys(database: Path) -> None:
    project = stored.project()
    records.merge_json(Project, project.id, "settings", {"plan": 1, "recipe": 2})
    records.merge_json(Project, project.id, "settings", {"recipe": 3})
    assert records.get(Project, project.id).settings == {"plan": 1, "recipe": 3}


def test_a_row_with_a_known_key_is_overwritten_and_another_one_is_added(database: Path) -> None:
    for facts in ({"size": 1}, {"size": 2}):
        records.upsert(BaseModel(id="folder:/models/a", facts=facts))
    assert [(m.id, m.facts) for m in records.find(BaseModel)] == [("folder:/models/a", {"size": 2})]


def test_a_plan_cannot_point_to_a_dataset_that_does_not_exist(database: Path) -> None:
    project = stored.project()
    with pytest.raises(Exception, match="FOREIGN KEY"):
        records.add(Plan(project_id=project.id, dataset_version_id="none", config={}, counts={}, content=""))
    assert records.count(Metric) == 0
