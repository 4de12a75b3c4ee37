"""A project leaves one storage folder as a file and becomes a project in another: the same rows and results, and a training there
gives the same weights, bit for bit. What is wrong with an archive is said, and then nothing of it stays."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stored
from databases import migrated
from streamlit.testing.v1 import AppTest
from test_batch import carried_out

from core.__main__ import main as command
from core.data.project_archive import MANIFEST, Packer
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.predictor import Predictor
from core.schemas.recipe import Recipe
from core.services import archive, datasets, models, preparation, projects, reproduce, runs
from core.store import deleting, jobs, records
from core.store.engine import engine
from core.store.files import folder, run_folder, table_path
from core.store.tables import Evaluation, Metric, Project, Run
from core.worker.handlers import unpack_job

pytestmark = pytest.mark.usefixtures("one_thread")
RECIPE = Recipe(
    method="lora", lora_rank=4, lora_alpha=8, lora_dropout=0.1, learning_rate=2e-2, epochs=2, batch_size=16,
    evaluations_per_epoch=1, early_stopping=0, warmup=0.0, seed=5,
)  # fmt: skip


class Machine:
    """A storage folder of its own, which is the current one from `enter` on."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root, self._patch = root, patch

    def enter(self) -> None:
        self.root.mkdir(exist_ok=True)
        self._patch.setenv("TUNEWELL_STORAGE", str(self.root))
        self._patch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{self.root / 'tunewell.db'}")
        migrated()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[dict[str, Any]]:
    """A project with a finished round, and archives of it: without models, and with them and the base model."""
    root = tmp_path_factory.mktemp("machines")
    with pytest.MonkeyPatch.context() as patch:
        home = Machine(root / "home", patch)
        home.enter()
        project = stored.small_project(small_model)
        projects.update(project.id, goal="Sort “messages”")
        run = runs.start(project.id, RECIPE)
        assert carried_out(JobKind.TRAIN)[1] is None
        evaluation = Evaluation(project_id=project.id, run_id=run.id, split="test", lineage=1, result={"n": 3})
        records.add(evaluation)
        files = {}
        for name, options in {"small": {}, "whole": {"with_models": True, "with_base": True}}.items():
            job_id = archive.submit_pack(project.id, **options)
            assert carried_out(JobKind.PACK) == (JobState.DONE, None)
            files[name] = root / f"{name}.zip"
            shutil.copyfile(archive.archive_path(job_id), files[name])
        yield {"home": home, "project": project.id, "run": run.id, "root": root, "patch": patch, **files}
        engine().dispose()


@pytest.fixture
def elsewhere(packed: dict[str, Any], tmp_path: Path) -> Iterator[Machine]:
    """Another machine, with nothing on it."""
    machine = Machine(tmp_path / "elsewhere", packed["patch"])
    machine.enter()
    yield machine
    engine().dispose()


def brought(path: Path) -> dict[str, Any]:
    """Import an archive; what the job says."""
    with open(path, "rb") as stream:
        job_id = archive.submit_unpack(path.name, stream)
    state, error = carried_out(JobKind.UNPACK)
    job = jobs.get(job_id)
    assert (state, error) == (JobState.DONE, None) and job is not None and job.result is not None
    return job.result


def weights(run: Run) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted((run_folder(run.id) / "model").glob("*.safetensors"))}


def test_a_training_on_another_machine_gives_the_same_weights_bit_for_bit(
    packed: dict[str, Any], elsewhere: Machine, small_model: Path
) -> None:
    packed["home"].enter()
    original = runs.get(packed["run"])
    expected, points = weights(original), records.count(Metric, run_id=original.id)
    texts = preparation.parts(preparation.get_plan(original.plan_id), "classification")
    elsewhere.enter()
    models.add_folder(str(shutil.copytree(small_model, elsewhere.root / "a model")))
    said = brought(packed["small"])
    assert said["project_id"] == packed["project"] and said["notes"] == []

    run = runs.get(packed["run"])
    assert run.recipe == original.recipe and runs.state(run) is JobState.DONE
    assert preparation.parts(preparation.get_plan(run.plan_id), "classification") == texts
    assert records.count(Metric, run_id=run.id) == points > 0
    assert records.count(Evaluation, run_id=run.id) == 1
    assert not weights(run) and set(reproduce.recorded(run)) == set(expected)
    assert not list(folder("archives").iterdir()) and not list(folder("uploads").iterdir())

    again = reproduce.train_again(run)
    assert carried_out(JobKind.TRAIN)[1] is None
    assert weights(runs.get(again.id)) == expected
    [repeat] = reproduce.of_project(run.project_id)
    assert repeat.same is True and "the same weights, bit for bit" in reproduce.sentence(repeat)

    # Other weights are told apart, with what differs.
    other = dict(run.summary or {})
    other["versions"] = {**other["versions"], "torch": "1.0"}
    other["details"] = {**other["details"], "weights": {"adapter_model.safetensors": "0" * 64}, "threads": 7}
    records.change(Run, run.id, {"summary": other})
    [repeat] = reproduce.of_project(run.project_id)
    assert repeat.same is False
    assert "torch was 1.0 then" in " ".join(repeat.reasons) and "7 threads then" in " ".join(repeat.reasons)


def test_models_that_are_packed_answer_elsewhere_and_a_second_import_is_a_project_of_its_own(
    packed: dict[str, Any], elsewhere: Machine
) -> None:
    from core.training import predictors

    def asked(run: Run) -> list[list[float]]:
        given = runs.inputs(run)
        model: Predictor = predictors.tuned(given.folder, given.plan)
        return model.classify(["the parcel with the lamp", "I want my money back"])

    packed["home"].enter()
    expected = asked(runs.get(packed["run"]))
    elsewhere.enter()
    assert brought(packed["whole"])["project_id"] == packed["project"]
    run = runs.get(packed["run"])
    assert str(elsewhere.root) in models.get(run.base_model_key).folder
    assert asked(run) == expected
    assert str(packed["home"].root) not in (run_folder(run.id) / "model" / "tunewell.json").read_text()

    second = brought(packed["whole"])["project_id"]
    assert second != packed["project"]
    [copy] = runs.of_project(second)
    assert copy.id != run.id and copy.dataset_version_id != run.dataset_version_id and copy.number == run.number
    assert asked(copy) == expected
    assert projects.get(second).dataset_version_id == copy.dataset_version_id
    assert copy.base_model_key == run.base_model_key  # it is here already
    projects.delete(packed["project"])
    assert asked(copy) == expected and datasets.examples(
        datasets.get_version(copy.dataset_version_id), "classification"
    )


def test_without_the_base_model_it_can_be_looked_at_and_says_what_is_missing(
    packed: dict[str, Any], elsewhere: Machine
) -> None:
    said = brought(packed["small"])
    assert "is not on this machine and not in the archive" in said["notes"][0]
    run = runs.get(packed["run"])
    assert preparation.parts(preparation.get_plan(run.plan_id), "classification")["train"]
    with pytest.raises(Exception, match="base model is gone"):
        models.get(run.base_model_key)


def test_an_archive_names_no_place_of_the_machine_it_came_from(packed: dict[str, Any], small_model: Path) -> None:
    with zipfile.ZipFile(packed["whole"]) as opened:
        for name in opened.namelist():
            if name.endswith((".json", ".jsonl", ".txt")):
                text = opened.read(name).decode()
                assert str(packed["root"]) not in text and str(small_model) not in text, name


def changed(source: Path, target: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with other content, its list of files made anew."""
    with zipfile.ZipFile(source) as opened:
        entries = {name: opened.read(name) for name in opened.namelist()}
    manifest = json.loads(entries.pop(MANIFEST))
    change(entries)
    with open(target, "wb") as stream:
        packer = Packer(stream)
        for name, data in entries.items():
            packer.add(name, io.BytesIO(data))
        packer.finish({key: value for key, value in manifest.items() if key not in ("files", "format", "version")})
    return target


def rewritten(source: Path, target: Path, name: str, data: Callable[[bytes], bytes], new_name: str = "") -> Path:
    """The archive with one entry changed and nothing else."""
    with zipfile.ZipFile(source) as opened, zipfile.ZipFile(target, "w") as out:
        for entry in opened.namelist():
            here = entry == name
            out.writestr(
                new_name if here and new_name else entry, data(opened.read(entry)) if here else opened.read(entry)
            )
    return target


def edited(table: str, change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, bytes]], None]:
    def act(entries: dict[str, bytes]) -> None:
        rows = [json.loads(line) for line in entries[f"rows/{table}.jsonl"].splitlines()]
        change(rows[0])
        entries[f"rows/{table}.jsonl"] = b"\n".join(json.dumps(row).encode() for row in rows)

    return act


def manifest_with(**values: Any) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), **values}).encode()


def listed_as(name: str) -> Callable[[bytes], bytes]:
    """README.txt is listed under another name."""

    def act(data: bytes) -> bytes:
        manifest = json.loads(data)
        manifest["files"][name] = manifest["files"].pop("README.txt")
        return json.dumps(manifest).encode()

    return act


def hostile(source: Path, place: Path) -> Iterator[tuple[str, Path, str]]:
    """(what is wrong, the archive, a word of the error's title or cause)."""
    for n, name in enumerate(("../../evil.txt", "/tmp/evil.txt", "rows\\evil.jsonl", "runs/0123456789ab/model/x.py")):
        first = rewritten(source, place / f"name-{n}.zip", "README.txt", lambda d: d, name)
        yield name, rewritten(first, place / f"listed-{n}.zip", MANIFEST, listed_as(name)), "refused"
    yield "more than listed", rewritten(source, place / "more.zip", "README.txt", lambda d: d, "x.txt"), "damaged"
    yield "a changed byte", rewritten(source, place / "byte.zip", "README.txt", lambda d: b"x" + d[1:]), "hash"
    yield "newer", rewritten(source, place / "newer.zip", MANIFEST, manifest_with(version=99)), "newer"
    yield "odd lists", rewritten(source, place / "lists.zip", MANIFEST, manifest_with(runs=[1])), "damaged"
    yield "another kind", rewritten(source, place / "kind.zip", MANIFEST, manifest_with(format="x")), "no project"
    (place / "text.zip").write_text("hello")
    yield "no zip", place / "text.zip", "no project"
    data = source.read_bytes()
    (place / "cut.zip").write_bytes(data[: len(data) // 2])
    yield "cut off", place / "cut.zip", "no project"
    flipped = bytearray(data)
    flipped[data.index(b"PAR1") + 40] ^= 1
    (place / "flipped.zip").write_bytes(bytes(flipped))
    yield "a flipped bit", place / "flipped.zip", "damaged"
    zeros = lambda e: e.update({"rows/note.jsonl": b"0" * 60_000_000})  # noqa: E731
    yield "a bomb", changed(source, place / "bomb.zip", zeros), "bomb"
    yield "an unknown table", changed(source, place / "t.zip", lambda e: e.update({"rows/x.jsonl": b"{}"})), "newer"
    yield "an unknown column", changed(source, place / "c.zip", edited("run", lambda r: r.update(x=1))), "newer"
    yield (
        "an unknown setting",
        changed(source, place / "s.zip", edited("run", lambda r: r["recipe"].update(x=1))),
        "newer",
    )
    yield "an unknown task", changed(source, place / "k.zip", edited("project", lambda r: r.update(task="x"))), "newer"
    yield "a wrong type", changed(source, place / "w.zip", edited("run", lambda r: r.update(name=[1]))), "damaged"
    yield "no JSON", changed(source, place / "j.zip", lambda e: e.update({"rows/run.jsonl": b"{"})), "damaged"
    gone = lambda e: [e.pop(n) for n in list(e) if n.startswith("tables/")]  # noqa: E731
    yield "no tables", changed(source, place / "g.zip", gone), "missing"
    two = lambda e: e.update({"rows/project.jsonl": e["rows/project.jsonl"] * 2})  # noqa: E731
    yield "two projects", changed(source, place / "2.zip", two), "exactly one"
    job = lambda r: r.update(state="queued")  # noqa: E731
    yield "work to do", changed(source, place / "q.zip", edited("job", job)), "damaged"
    own = lambda r: r.update(project_id="0123456789ab")  # noqa: E731
    yield "rows of another project", changed(source, place / "p.zip", edited("run", own)), "damaged"


def test_what_is_wrong_with_an_archive_is_said_and_nothing_of_it_stays(
    packed: dict[str, Any], elsewhere: Machine, tmp_path: Path
) -> None:
    for what, path, word in hostile(packed["small"], tmp_path):
        with open(path, "rb") as stream:
            archive.submit_unpack(path.name, stream)
        state, error = carried_out(JobKind.UNPACK)
        assert state is JobState.FAILED and error is not None, what
        assert word in f"{error['title']} {error['cause']}".lower(), (what, error)
        assert "foresee" not in error["title"] and error["fix"], what
        assert records.count(Project) == records.count(Run) == 0, what
        deleting.carry_out(lambda: deleting.time.time() + 7200)
        left = [p for name in ("archives", "uploads", "tables", "runs", "models") for p in folder(name).iterdir()]
        assert left == [], (what, left)
    assert not Path("/tmp/evil.txt").exists()


def test_an_archive_touches_nothing_of_a_project_that_is_here(
    packed: dict[str, Any], elsewhere: Machine, tmp_path: Path
) -> None:
    def unpacked(path: Path) -> tuple[JobState, dict[str, Any] | None]:
        with open(path, "rb") as stream:
            archive.submit_unpack(path.name, stream)
        return carried_out(JobKind.UNPACK)

    assert unpacked(packed["small"])[0] is JobState.DONE
    here = records.find(Run)[0]
    model = folder("runs", here.id) / "model" / "config.json"
    model.parent.mkdir(parents=True)
    model.write_text("of this machine")
    another = edited("project", lambda row: row.update(id="fedcba987654"))

    def stranger(entries: dict[str, bytes]) -> None:
        for name in [n for n in entries if n.startswith("rows/") and n != "rows/project.jsonl"]:
            del entries[name]
        another(entries)
        entries[f"runs/{here.id}/model/config.json"] = b"{}"

    for n, change in enumerate(
        (another, stranger)
    ):  # rows that belong to the project that is here; a model of its round
        state, error = unpacked(changed(packed["small"], tmp_path / f"guest-{n}.zip", change))
        assert state is JobState.FAILED and error is not None and "not in it" in error["cause"], error
        deleting.carry_out(lambda: deleting.time.time() + 7200)
    assert records.count(Project) == records.count(Run) == 1
    assert model.read_text() == "of this machine"


def test_a_kill_while_unpacking_leaves_nothing_half_and_the_next_try_is_whole(
    packed: dict[str, Any], elsewhere: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: Any) -> Any:
        raise KeyboardInterrupt  # nothing catches it: as if the process were gone

    with open(packed["whole"], "rb") as stream:
        archive.submit_unpack("whole.zip", stream)
    with monkeypatch.context() as patch:
        patch.setattr(unpack_job.unpacking.Unpacked, "store", killed)
        with pytest.raises(KeyboardInterrupt):
            carried_out(JobKind.UNPACK)
    assert list(folder("runs").iterdir()) and records.count(Project) == 0
    [(job_id, _, fence, _)] = jobs.running()
    deleting.carry_out()  # the job may still be at it
    assert list(folder("runs").iterdir())
    jobs.reclaim(job_id, fence, error=None)
    assert carried_out(JobKind.UNPACK) == (JobState.DONE, None)
    assert weights(runs.get(packed["run"])) and records.count(Project) == 1
    deleting.carry_out()
    assert weights(runs.get(packed["run"])) and not list(folder("state", "deleting").iterdir())

    # The same once more, but given up: what was put in place goes.
    with open(packed["whole"], "rb") as stream:
        archive.submit_unpack("whole.zip", stream)
    with monkeypatch.context() as patch:
        patch.setattr(unpack_job.unpacking.Unpacked, "store", killed)
        with pytest.raises(KeyboardInterrupt):
            carried_out(JobKind.UNPACK)
    [(job_id, _, fence, _)] = jobs.running()
    assert len(list(folder("runs").iterdir())) == 2
    jobs.wish(job_id, Desired.CANCEL)
    jobs.reclaim(job_id, fence, error=None)
    deleting.carry_out()
    assert [p.name for p in folder("runs").iterdir()] == [packed["run"]]


def test_the_command_line_packs_and_unpacks(
    packed: dict[str, Any], elsewhere: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from core.cli import pack, unpack

    def here(step: str, submit: Any) -> Any:
        job_id = submit()
        job = jobs.get(job_id)
        assert job is not None and carried_out(job.kind)[1] is None
        return jobs.get(job_id)

    monkeypatch.setattr(pack, "wait_for", here)
    monkeypatch.setattr(unpack, "wait_for", here)
    packed["home"].enter()
    out = tmp_path / "mine.zip"
    assert command(["pack", packed["project"], "--out", str(out), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["file"] == str(out) and "contains the texts" in said.err
    elsewhere.enter()
    assert command(["unpack", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["project_id"] == packed["project"]
    assert table_path(datasets.versions(packed["project"])[0].content).is_file()


def test_the_screens_export_a_project_and_train_a_round_again(packed: dict[str, Any]) -> None:
    packed["home"].enter()

    def screen(project_id: str) -> None:
        from core.services import projects
        from core.ui import archive_panel

        project = projects.get(project_id)
        archive_panel.import_panel()
        archive_panel.export_form(project)  # which the menu shows in a dialog
        archive_panel.archives(project)
        archive_panel.reproduce_panel(project)

    def press(app: AppTest, label: str) -> AppTest:
        [button] = [b for b in app.button if b.label == label]
        return button.click().run()

    app = AppTest.from_function(screen, kwargs={"project_id": packed["project"]}, default_timeout=30).run()
    assert not app.exception and "contains your data" in app.warning[0].value
    press(app, "Make the file")
    assert carried_out(JobKind.PACK) == (JobState.DONE, None)
    assert len(archive.packed(packed["project"])) == 1, "the newest replaces the earlier ones"
    assert any("without models. A new export replaces it" in c.value for c in app.run().caption)
    press(app, "Delete the file")
    assert not archive.packed(packed["project"])
    press(app, "Train again and compare")
    assert carried_out(JobKind.TRAIN)[1] is None
    assert any("the same weights, bit for bit" in box.value.replace("\\", "") for box in app.run().success)
    assert not app.exception
