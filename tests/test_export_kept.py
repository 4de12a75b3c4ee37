"""What a killed, cancelled or failed export leaves: nothing; and what the screen and the command line say of exports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import stored
import tiny_training as tiny
from databases import migrated
from waiting import until

from core import exporters
from core.atomic import new_folder
from core.schemas.errors import UserError
from core.schemas.exports import ExportFormat
from core.schemas.jobs import JobKind
from core.services import export_snippets, exports
from core.store import jobs, records
from core.store.files import folder
from core.store.leftovers import sweep_leftovers
from core.store.tables import Export, Run
from core.training.train import train
from core.worker.handlers import export_job

KILLED = textwrap.dedent(
    """
    import json, sys, time
    sys.path[:0] = json.loads(sys.argv[1])
    import tiny_training as tiny
    from pathlib import Path
    from core.schemas.plan import PreparationPlan
    from core.training import reread
    from core.training.export import export

    class Told(tiny.Diary):
        def phase(self, name, done=0, total=0):
            print(name, flush=True)

    target = Path(sys.argv[3])
    export(sys.argv[2], "merged", target, PreparationPlan(max_length=96), tiny.classification(2, 3), {}, Told())
    """
)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Path:
    spec = tiny.spec_of("classifier, full", tmp_path_factory.mktemp("kept"), small_model, rows=24, epochs=1.0)
    train(spec, tiny.Diary())
    return Path(spec.folder) / "model"


def test_a_killed_export_leaves_no_process_and_no_half_export(model: Path, tmp_path: Path) -> None:
    """`kill -9` while the fresh process reads the export again: it ends too, and what lies there is swept as a leftover."""
    paths = f'["{Path(__file__).parents[1]}", "{Path(__file__).parent}"]'
    target = tmp_path / "exports" / "1" / "it"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, paths, str(model), str(target)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Loading the export again"):
            break
    until(lambda: bool(psutil.Process(process.pid).children()), "somebody reads the export again", 120)
    (reader,) = psutil.Process(process.pid).children()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    until(lambda: not reader.is_running() or reader.status() == psutil.STATUS_ZOMBIE, "the reader ends too", 120)
    assert not target.exists()
    assert [p.name[:6] for p in target.parent.iterdir()] == [".part-"]


@pytest.fixture
def run(storage: Path) -> Run:
    migrated()
    return stored.run()


class Quiet:
    def phase(self, *_: Any) -> None:
        pass

    def obey(self) -> None:
        pass

    def deliver(self, store: Any) -> Any:
        raise UserError("The disk is full.", "", "")


def test_an_export_that_cannot_be_delivered_leaves_no_files(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(_model: str, _kind: str, target: Path, *_: Any) -> dict[str, Any]:
        target.mkdir(parents=True)
        (target / "model.safetensors").write_bytes(b"weights")
        return {"n": 1}

    monkeypatch.setattr("core.training.export.export", made)
    monkeypatch.setattr(
        export_job.runs, "inputs", lambda _: SimpleNamespace(folder="", plan=None, parts={"validation": []})
    )
    monkeypatch.setattr(exports, "files", lambda *_: {})
    monkeypatch.setattr(exports, "check_room", lambda _: None)
    monkeypatch.setattr(exports, "exportable", lambda _: SimpleNamespace(base=SimpleNamespace(parameters=1, folder="")))
    job = SimpleNamespace(id="1", payload={"run_id": run.id, "kind": "merged"})
    with pytest.raises(UserError):
        export_job.run(job, Quiet())  # type: ignore[arg-type]
    assert not (folder("exports") / "1").exists()


def test_files_that_belong_to_no_export_are_swept_once_no_job_makes_them(run: Run) -> None:
    kept = exports.store(run, "kept", "merged", folder("exports", "kept") / "it", {})
    waiting = jobs.submit(JobKind.EXPORT, run.project_id, {"run_id": run.id, "kind": "merged"})
    for name in (kept.id, waiting, "nobodys"):
        (folder("exports", name) / "it").mkdir()
    later = 1e12
    sweep_leftovers(lambda: later, lambda: set())
    assert {p.name for p in folder("exports").iterdir()} == {kept.id, waiting}
    exports.delete(kept)
    assert records.get(Export, kept.id) is None and not (folder("exports") / kept.id).exists()


def test_a_whole_export_stays_though_the_database_is_another_one(run: Run) -> None:
    with new_folder(folder("exports", "elsewhere") / "it") as filling:
        (filling / "model.safetensors").write_bytes(b"weights")
    sweep_leftovers(lambda: 1e12, lambda: set())
    assert (folder("exports") / "elsewhere" / "it" / "model.safetensors").exists()


def test_a_disk_without_room_refuses_before_anything_is_done() -> None:
    exports.check_room(10, lambda _: 10**9)
    with pytest.raises(UserError, match="not enough space") as error:
        exports.check_room(10**9, lambda _: 10**9)
    assert "Delete old exports" in error.value.fix


def test_formats_are_declared_and_refuse_in_a_sentence(run: Run) -> None:
    run.recipe = {"method": "lora"}
    by_key = {offer.format.key: offer for offer in exports.offers(run)}
    assert list(by_key) == ["merged", "merged-16", "gguf-f16", "gguf-q8_0", "onnx", "adapter"]
    assert by_key["gguf-q8_0"].size < by_key["gguf-f16"].size < by_key["merged"].size
    assert "models that write" in by_key["gguf-f16"].refusal and not by_key["onnx"].refusal
    run.recipe, run.summary = {"method": "full"}, {"steps": 1}
    with pytest.raises(UserError, match="not offered as Adapter only"):
        exports.submit(run, "adapter")


def test_a_format_is_one_file_and_its_torch_half(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, form in exporters.registry().items():
        assert isinstance(form, ExportFormat) and form.key == key and form.audience and form.help
        from core.training import exporters as halves

        assert halves.get(key).key == key


def test_the_proof_is_told_in_words() -> None:
    reader = {"n": 20, "texts": 19, "same_place": 399}
    parity = {"n": 20, "worst": 0.01, "tolerance": 0.02, "places": 400, "readers": {"transformers": reader, "llama.cpp": reader},
              "not_read": [], "same_answer": 20}  # fmt: skip
    said = exports.proof(Export(kind="gguf-f16", folder="", parity=parity))
    assert "by transformers and by llama.cpp: 19 of 20 kept prompts get the same words, and 399 of 400 tokens" in said
    old = exports.proof(
        Export(kind="merged", folder="", parity={"n": 3, "worst": 0, "tolerance": 0.1, "same_answer": 3})
    )
    assert old.startswith("Loaded again in a fresh process: 3 of 3")


@pytest.mark.parametrize("kind", ["merged", "onnx", "adapter"])
def test_snippets_are_programs(run: Run, kind: str) -> None:
    for snippet in export_snippets.of(run, kind):
        if snippet.language == "python":
            compile(snippet.text, "snippet", "exec")
        assert f"{run.name}-{kind}" in snippet.text
