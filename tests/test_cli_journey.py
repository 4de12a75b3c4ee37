"""A job file up to the training, with the import done in this process: data, columns, split, model, recipe."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from databases import migrated

from core.cli import _job_file, _journey
from core.cli._journey import Journey
from core.cli._progress import Progress
from core.cli._report import as_object, as_text
from core.cli._watch import Watch
from core.cli._worker import Worker
from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.services import datasets, models, preparation, projects
from core.store import jobs, records
from core.store.owners import identity
from core.store.tables import BaseModel
from core.worker import child
from core.worker.recorder import JobRecorder

TEAMS = ("billing", "delivery")


class InThisProcess(Worker):
    """Does the import jobs where the worker's child would, with the same code."""

    def __init__(self) -> None:
        pass

    def check(self) -> None:
        found = jobs.claim([JobKind.IMPORT, JobKind.CHECK], identity())
        assert found is not None, "only imports and checks are done here"
        recorder = JobRecorder(found[0].id, found[1], None)
        recorder.start()
        child.run(found[0], found[1], recorder)


def rows(count: int, start: int = 0) -> list[str]:
    return [f"message {i} about the {TEAMS[i % 2]}\t{TEAMS[i % 2]}" for i in range(start, start + count)]


def write(folder: Path, name: str, lines: list[str]) -> str:
    (folder / name).write_text("\n".join(lines) + "\n", "utf-8")
    return name


def carry_out(folder: Path, **job: Any) -> Journey:
    """Import, choose the model and split, as `steps: []` asks for."""
    path = folder / "my job.yaml"
    path.write_text(yaml.safe_dump({"task": "classification", "steps": [], **job}), "utf-8")
    watch = Watch(InThisProcess(), Progress(io.StringIO()), pause=lambda seconds: None)
    return _journey.carry_out(_job_file.load(path), folder, path.stem, watch)


@pytest.fixture(autouse=True)
def _database(storage: Path) -> None:
    migrated()


@pytest.fixture
def data(tmp_path: Path) -> str:
    return write(tmp_path, "data.tsv", ["message\tteam", *rows(60)])


def test_columns_that_are_left_out_are_guessed(tmp_path: Path, data: str, small_model: Path) -> None:
    journey = carry_out(tmp_path, data=data, model=str(small_model))
    assert journey.version is not None and journey.version.roles == {"text": "message", "label": "team"}
    assert journey.project.name == "my job"


def test_one_column_that_is_written_down_leaves_the_other_to_the_guess(tmp_path: Path, small_model: Path) -> None:
    table = [
        "first\tsecond\tteam",
        *(f"{r.split(chr(9))[0]}\tnote {i}\t{TEAMS[i % 2]}" for i, r in enumerate(rows(40))),
    ]
    journey = carry_out(
        tmp_path, data=write(tmp_path, "t.tsv", table), columns={"text": "second"}, model=str(small_model)
    )
    assert journey.version is not None and journey.version.roles == {"text": "second", "label": "team"}


def test_a_file_for_each_part_keeps_its_rows(tmp_path: Path, small_model: Path) -> None:
    files = {
        "train": write(tmp_path, "a.tsv", rows(40)),
        "validation": write(tmp_path, "b.tsv", rows(10, 100)),
        "test": write(tmp_path, "c.tsv", rows(20, 200)),
    }
    journey = carry_out(tmp_path, data=files, read={"has_header": False}, model=str(small_model))
    assert journey.plan is not None and journey.plan.counts == {"train": 40, "validation": 10, "test": 20}
    assert journey.plan.config["split"]["strategy"] == "given"


def test_a_validation_part_without_a_file_is_drawn_from_training(tmp_path: Path, small_model: Path) -> None:
    files = {"train": write(tmp_path, "a.tsv", rows(40)), "test": write(tmp_path, "c.tsv", rows(20, 200))}
    split = {"split": {"validation": 0.25}}
    journey = carry_out(tmp_path, data=files, read={"has_header": False}, preparation=split, model=str(small_model))
    assert journey.plan is not None and journey.plan.counts == {"train": 30, "validation": 10, "test": 20}


def test_the_other_files_are_read_as_the_first(tmp_path: Path, small_model: Path) -> None:
    """A test file whose first row looks like a header has none where the training file has none."""
    odd = write(tmp_path, "c.tsv", ["message\tdelivery", "label\tbilling"])
    journey = carry_out(
        tmp_path, data={"train": write(tmp_path, "a.tsv", rows(60)), "test": odd}, model=str(small_model)
    )
    assert journey.plan is not None and journey.plan.counts["test"] == 2


def test_the_maximum_length_fits_nearly_all_rows_unless_it_is_given(
    tmp_path: Path, data: str, small_model: Path
) -> None:
    found = carry_out(tmp_path, data=data, model=str(small_model)).plan
    given = carry_out(tmp_path, data=data, model=str(small_model), preparation={"max_length": 24}).plan
    assert found is not None and given is not None
    project = projects.get(found.project_id)
    lengths = preparation.codec(project, preparation.PreparationPlan()).lengths(
        datasets.examples(datasets.get_version(found.dataset_version_id), "classification")[0]
    )
    assert max(lengths) <= found.config["max_length"] < max(lengths) + 8
    assert given.config["max_length"] == 24


def test_a_recipe_is_its_preset_with_the_changes(tmp_path: Path, data: str, small_model: Path) -> None:
    recipe = {"preset": "quick", "epochs": 0.5, "learning_rate": "3e-3"}  # YAML reads 3e-3 as text
    plain = _journey.recipe_of(carry_out(tmp_path, data=data, model=str(small_model), recipe={"preset": "quick"}))
    changed = _journey.recipe_of(carry_out(tmp_path, data=data, model=str(small_model), recipe=recipe))
    assert changed == plain.model_copy(update={"epochs": 0.5, "learning_rate": 0.003})


def test_a_model_folder_is_found_beside_the_job_file(tmp_path: Path, data: str, small_model: Path) -> None:
    (tmp_path / "my-model").symlink_to(small_model)
    journey = carry_out(tmp_path, data=data, model="my-model")
    assert journey.project.base_model_key == f"folder:{small_model}"


def test_a_hub_model_that_was_fetched_before_is_used_without_a_connection(
    tmp_path: Path, data: str, small_model: Path
) -> None:
    facts = models.add_folder(str(small_model)).model_copy(
        update={"key": "hub:maker/tiny@abc", "source": "hub", "title": "maker/tiny", "revision": "abcdef"}
    )
    records.upsert(BaseModel(id=facts.key, facts=facts.model_dump(mode="json")))
    assert carry_out(tmp_path, data=data, model="maker/tiny").project.base_model_key == "hub:maker/tiny@abc"
    assert carry_out(tmp_path, data=data, model="maker/tiny@abcd").project.base_model_key == "hub:maker/tiny@abc"


def test_a_column_that_is_not_there_is_refused_with_the_ones_that_are(tmp_path: Path, data: str) -> None:
    with pytest.raises(UserError, match=r"no column 'text' \(for text\)\. Its columns are: message, team\.") as error:
        carry_out(tmp_path, data=data, columns={"text": "text", "label": "team"})
    assert error.value.title == "A column is missing."
    assert projects.all_projects() == []  # nothing was imported, nothing is left behind


def test_data_without_a_column_for_a_role_is_refused_with_its_columns(tmp_path: Path) -> None:
    lines = ["one,two", *(f"{i},{i * i}" for i in range(30))]
    with pytest.raises(UserError, match="are: one, two") as error:
        carry_out(tmp_path, data=write(tmp_path, "numbers.csv", lines), task="chat")
    assert "`columns`" in error.value.fix


def test_data_that_cannot_be_split_is_refused_with_the_reason(tmp_path: Path, small_model: Path) -> None:
    lines = ["message\tteam", *(f"message {i}\tbilling" for i in range(30))]
    with pytest.raises(UserError, match="'billing', so there is nothing to tell apart"):
        carry_out(
            tmp_path,
            data=write(tmp_path, "one.tsv", lines),
            columns={"text": "message", "label": "team"},
            model=str(small_model),
        )


def test_a_model_folder_that_is_not_there_is_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(UserError, match="no such folder"):
        carry_out(tmp_path, data=data, model="./nowhere")


def test_without_a_training_the_report_holds_the_data_alone(tmp_path: Path, data: str, small_model: Path) -> None:
    journey = carry_out(tmp_path, data=data, model=str(small_model))
    report = as_object(journey, {"import": 1.0})
    assert report["dataset"]["rows"] == 60 and report["dataset"]["columns"] == {"text": "message", "label": "team"}
    assert {"error", "warning", "info", "good"} == set(report["dataset"]["findings"])
    assert report["training"] is report["evaluation"] is report["audit"] is report["export"] is None
    text = as_text(journey, {"import": 1.0})
    assert "60 rows; text = message, label = team" in text and "Seconds: import 1" in text
