"""The command line: a whole journey in a process of its own, its errors, and the small commands."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from databases import migrated

from core.__main__ import main
from core.store import jobs
from core.store.files import folder
from core.store.owners import alive_worker, identity
from tools.command_line_page import PAGE

ROOT = Path(__file__).resolve().parents[1]
SUBJECTS = {"delivery": ("parcel", "courier", "van", "box"), "billing": ("invoice", "refund", "fee", "receipt")}
SENTENCES = ("The {} is not right, please look at it {}", "I ask about my {} since {}", "Where is the {} of {}?")
DAYS = ("Monday", "Tuesday", "Friday", "last week", "May", "yesterday")


def messages(count: int, seed: int) -> list[str]:
    """Lines of a table of messages and their team, all different."""
    draw, lines = random.Random(seed), set()
    while len(lines) < count:
        team = draw.choice(list(SUBJECTS))
        text = draw.choice(SENTENCES).format(draw.choice(SUBJECTS[team]), draw.choice(DAYS))
        lines.add(f'"{text} ({draw.randint(1, 999)})",{team}')
    return sorted(lines)


def write_job(folder: Path, **job: Any) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job), "utf-8")
    return path


def start(storage: Path, *arguments: str) -> subprocess.Popen[str]:
    """`python -m core ...` as a person calls it, who can press Ctrl-C: what a shell starts in the background is born deaf to it.
    One thread: the models here are tiny and the machine may be busy."""
    variables = {**os.environ, "TUNEWELL_STORAGE": str(storage), "OMP_NUM_THREADS": "1"}
    variables.pop("TUNEWELL_DATABASE_URL", None)
    command = [sys.executable, "-m", "core", *arguments]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits only what is ignored
    try:
        return subprocess.Popen(
            command, cwd=ROOT, env=variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    finally:
        signal.signal(signal.SIGINT, before)


# -- the whole journey -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> tuple[dict[str, Any], str, Path]:
    """(the JSON object, standard error, the storage) of one run of all steps."""
    place = tmp_path_factory.mktemp("journey")
    (place / "train.csv").write_text("\n".join(["message,team", *messages(90, 1)]), "utf-8")
    (place / "test.csv").write_text("\n".join(["message,team", *messages(40, 2)]), "utf-8")
    job = write_job(
        place,
        task="classification",
        project="Teams",
        data={"train": "train.csv", "test": "test.csv"},
        model=str(small_model),
        recipe={"preset": "quick", "epochs": 1, "learning_rate": 0.01, "evaluations_per_epoch": 1},
        steps=["train", "evaluate", "audit", "export"],
    )
    process = start(place / "storage", "run", str(job), "--json")
    out, error = process.communicate()
    assert process.returncode == 0, out + error
    return json.loads(out), error, place / "storage"


@pytest.mark.slow
@pytest.mark.timeout(900)
class TestAWholeJourney:
    def test_it_says_what_was_done_with_ids_and_times(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        found, _, _ = finished
        assert found["task"] == "classification"
        assert found["splits"]["test"] == 40 and found["splits"]["train"] + found["splits"]["validation"] == 90
        assert found["recipe"]["epochs"] == 1 and found["training"]["ended"] == "done"
        assert all(
            found["ids"][name] for name in ("project", "version", "plan", "run", "evaluation", "audit", "export")
        )
        assert list(found["ids"]["jobs"]) == ["import", "check", "train", "evaluate", "audit", "export"]
        assert list(found["seconds"]) == ["import", "model", "prepare", "train", "evaluate", "audit", "export"]

    def test_every_test_figure_of_every_contender_has_n_and_an_interval(
        self, finished: tuple[dict[str, Any], str, Path]
    ) -> None:
        evaluation = finished[0]["evaluation"]
        assert evaluation["split"] == "test" and evaluation["n"] == 40 and evaluation["sentences"]
        accuracy = evaluation["metrics"]["accuracy"]
        for name in ("tuned", "base", "majority", "tfidf"):
            assert accuracy[name]["n"] == (evaluation["groups"] or evaluation["n"]), "near copies count as one"
            assert accuracy[name]["low"] <= accuracy[name]["value"] <= accuracy[name]["high"]
        assert accuracy["verdict"] in ("better", "worse", "no evidence", "not enough data")

    def test_the_audit_says_what_was_found_or_why_not(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        audit = finished[0]["audit"]
        assert set(audit["audits"]) | set(audit["refused"]) == {
            "data_coverage",
            "group_results",
            "counterfactual_swap",
            "neutral_probes",
        }
        assert all(one["headline"] for one in audit["audits"].values())
        assert all(one["cause"] and one["fix"] for one in audit["refused"].values())

    def test_the_exported_folder_is_there_and_was_proven(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        export = finished[0]["export"]
        names = {path.name for path in Path(export["folder"]).iterdir()}
        assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
        assert Path(export["archive"]).is_file() and export["parity"]["n"] > 0

    def test_progress_goes_to_standard_error(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        for step in ("Import", "Training", "Evaluation", "Bias audit", "Export"):
            assert f"] {step}" in finished[1]

    def test_the_worker_it_started_is_gone_afterwards(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        assert alive_worker(finished[2] / "state") is None

    def test_the_page_names_every_key_that_is_printed(self, finished: tuple[dict[str, Any], str, Path]) -> None:
        section = PAGE.read_text("utf-8").split("## What `--json` prints")[1].split("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(finished[0])


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_the_command_its_job_and_its_worker(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("\n".join(["message,team", *messages(90, 1)]), "utf-8")
    process = start(
        tmp_path / "storage", "run", str(write_job(tmp_path, task="classification", data="data.csv")), "--json"
    )
    assert process.stderr is not None
    while "Training" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    out, error = process.communicate()
    assert process.returncode == 2
    assert json.loads(out)["error"]["title"] == "You cancelled the job."
    assert "Traceback" not in error
    assert alive_worker(tmp_path / "storage" / "state") is None


# -- errors ------------------------------------------------------------------------------------------------------------


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    assert main([*arguments, "--json"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"error"} and set(found["error"]) == {"title", "cause", "fix"}
    assert all(found["error"].values())
    return dict(found["error"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data: x.csv", "`task` is missing"),
        ("task: chat", "`data` is missing"),
        ("task: poetry\ndata: x.csv", "no task 'poetry'"),
        ("task: chat\ndata: x.csv\nstep: [train]", "`step` is not known: did you mean `steps`?"),
        ("task: chat\ndata: x.csv\nrecipe: {lerning_rate: 1}", "`recipe.lerning_rate` is not known: did you mean"),
        ("task: chat\ndata: x.csv\npreparation: {split: {tset: 0.1}}", "`preparation.split.tset` is not known"),
        ("task: chat\ndata: {train: x.csv, tests: y.csv}", "`data.tests` is not known: did you mean `test`?"),
        ("task: chat\ndata: {test: y.csv}", "`data.train` is missing"),
        ("task: chat\ndata: x.csv\nrecipe: {learning_rate: 5}", "`recipe.learning_rate` should be less than or equal"),
        ("task: chat\ndata: x.csv\nrecipe: {preset: slow}", "it is 'slow'"),
        ("task: chat\ndata: x.csv\nrecipe: {lora_rank: 1, lora_alpha: 64}", "LoRA alpha is more than 32 times"),
        ("task: chat\ndata: x.csv\nsteps: [evaluate]", "evaluate needs a trained model"),
        ("task: chat\ndata: x.csv\nsteps: train", "`steps` should be a list"),
        ("task: chat\ndata: x.csv\nrecipe: quick", "`recipe` should be a group of keys"),
        ("task: chat\ndata: x.csv\ncolumns: {label: y}", "`columns.label` is not a role of the task chat"),
        ("task: chat\ndata: {train: x, test: y}\npreparation: {split: {strategy: random}}", "the split is given twice"),
        ("task: chat\ndata: [", "line 2"),
        ("- task", "holds no keys"),
        ("", "holds no keys"),
    ],
)
def test_what_is_wrong_in_a_job_file_is_named(
    text: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "job.yaml").write_text(text, "utf-8")
    assert words in error_of(capsys, "run", str(tmp_path / "job.yaml"))["cause"]


def test_a_job_file_that_is_not_there_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.yaml was not found" in error_of(capsys, "run", str(tmp_path / "none.yaml"))["cause"]


def test_a_job_file_that_is_no_text_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "job.yaml").write_bytes(b"\xff\xfe\x00task")
    assert "cannot be read" in error_of(capsys, "run", str(tmp_path / "job.yaml"))["title"]


def test_a_data_file_that_is_not_there_is_named_before_anything_starts(
    tmp_path: Path, storage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("message,team\n", "utf-8")
    job = write_job(tmp_path, task="classification", data={"train": "a.csv", "test": "b.csv"})
    assert f"no file {tmp_path / 'b.csv'}" in error_of(capsys, "run", str(job))["cause"]
    assert list(storage.iterdir()) == []


def test_a_wrong_command_line_is_an_error_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert "JOB.yaml" in error_of(capsys, "run")["cause"]


def test_a_fault_that_nobody_foresaw_is_told_without_a_traceback(
    storage: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TUNEWELL_DATABASE_URL", f"sqlite:///{storage / 'no' / 'such' / 'folder.db'}")
    assert main(["status"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said and "OperationalError" in said
    log = folder("logs") / "command-line.log"
    assert str(log) in said and "Traceback" in log.read_text()


# -- the small commands ------------------------------------------------------------------------------------------------


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(list(arguments)) == 0
    return capsys.readouterr().out


@pytest.mark.usefixtures("storage")
def test_doctor_says_what_the_machine_has(capsys: pytest.CaptureFixture[str]) -> None:
    facts = json.loads(printed(capsys, "doctor", "--json"))
    assert facts["hardware"]["cores"] >= 1 and facts["hardware"]["memory"] > 0
    assert facts["packages"]["torch"] != "missing" and facts["worker"] is None
    assert "not running" in printed(capsys, "doctor")


@pytest.mark.usefixtures("storage")
def test_models_lists_the_starter_and_what_is_added(small_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [m["key"] for m in json.loads(printed(capsys, "models", "--json"))] == ["starter"]
    added = json.loads(printed(capsys, "models", "--add", str(small_model), "--json"))
    assert [m["key"] for m in added] == ["starter", f"folder:{small_model}"]
    assert "Tunewell starter" in printed(capsys, "models")


def test_status_lists_the_worker_and_the_jobs(storage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    migrated()
    (folder("state") / "worker.json").write_text(json.dumps({"owner": identity()}))
    job_id = jobs.submit(jobs.JobKind.TRAIN, None, {})
    found = json.loads(printed(capsys, "status", "--json"))
    assert found["worker"] == identity() and [job["id"] for job in found["jobs"]] == [job_id]
    assert job_id in printed(capsys, "status")
