"""What leaves answers as what was tested: every format, for models that read and that write, LoRA and full; and a disturbed
file is found out. Everything is read again in one fresh process, since loading torch there takes longest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_training as tiny

from core import exporters as formats
from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.training import export as exporting
from core.training import exporters, loading, parity, reread
from core.training.train import train
from tests import small_architectures, small_pairs
from tests.test_several_labels_and_numbers import LABELS, labelled, rated

pytestmark = pytest.mark.usefixtures("one_thread")
PLAN = PreparationPlan(max_length=96)
TRAININGS = {
    "classification, LoRA": ("classifier, LoRA", ("merged", "adapter", "onnx")),
    "classification, full": ("classifier, full", ("merged", "onnx")),
    "chat, LoRA": ("chat, LoRA", ("merged", "adapter", "gguf-f16", "gguf-q8_0")),
    "chat, full": ("chat, full, packed", ("merged", "gguf-f16", "gguf-q8_0")),
    "completion, LoRA": ("completion, full, packed", ("merged", "adapter", "gguf-f16", "gguf-q8_0")),
    "completion, full": ("completion, full, packed", ("merged", "gguf-f16", "gguf-q8_0")),
    "several labels": ("multi-label", ("merged", "onnx")),
    "a number": ("regression", ("merged", "onnx")),
    "one text to another": ("seq2seq", ("merged",)),
}
EVERY = [(training, kind) for training, (_, kinds) in TRAININGS.items() for kind in kinds]
ODD = "I've been 'told he's there, 'RE 3 33 333 3333.5 —  two  blanks\n\n\tnew lines 🚀 ça va? नमस्ते 你好 ½²  "


@dataclass
class Left:
    """An export before its proof: what is asked of it, and what the checkpoint answered."""

    folder: Path
    about: dict[str, Any]
    expected: list[parity.Expected]
    readers: tuple[str, ...]
    tolerance: float

    def question(self) -> dict[str, Any]:
        return parity.asking(self.folder, self.about, self.expected, self.readers)


class Everything:
    """All exports of this module and what a fresh process read in them."""

    def __init__(self, place: Path) -> None:
        self.place, self.left, self.found = place, {}, {}  # type: ignore[var-annotated]

    def proof(self, *key: str) -> dict[str, Any]:
        left = self.left[key]
        return parity.verdict(left.expected, self.found[key], left.readers, left.tolerance)


def _spec(training: str, folder: Path, base: Path, pairs: Path) -> Any:
    kind, _ = TRAININGS[training]
    recipe = {"epochs": 1.0, "evaluations_per_epoch": 1}
    if kind in tiny.KINDS:
        if training == "completion, LoRA":
            recipe |= {"method": "lora", "learning_rate": 2e-2, "lora_rank": 8, "lora_alpha": 16}
        return tiny.spec_of(kind, folder, base, rows=24, **recipe)
    spec = tiny.spec_of("classifier, full", folder, base, rows=24, **recipe)
    if kind == "seq2seq":
        made = {"base_folder": str(pairs), "train": tiny.chats(1, 24), "validation": tiny.chats(2, 15), "labels": ()}
    else:
        rows: Any = (
            (lambda n, s: labelled(n, (0.5, 0.4, 0.4), seed=s))
            if kind == "multi-label"
            else (lambda n, s: rated(n, seed=s))
        )
        labels = LABELS if kind == "multi-label" else ()
        made = {"train": tuple(rows(24, 1)), "validation": tuple(rows(15, 2)), "labels": labels}
    recipe_now = spec.recipe.model_copy(update={"best_metric": "eval_loss"})
    return spec.model_copy(update={"family": kind, "plan": PLAN, "recipe": recipe_now, **made})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    place = tmp_path_factory.mktemp("formats")
    all_of_it = Everything(place)
    base, pairs = small_architectures.build(place / "llama"), small_pairs.build(place / "t5")
    with pytest.MonkeyPatch.context() as patch:
        for training, (_, kinds) in TRAININGS.items():
            spec = _spec(training, place / training, base, pairs)
            train(spec, tiny.Diary())
            questions = list(spec.validation)
            if training.startswith("completion"):
                questions.append(Example(row_id="odd", text=f"{ODD} {ODD}"))
            for kind in kinds:
                key, target = (training, kind), place / "out" / f"{training} {kind}"

                def later(folder: Path, about: Any, expected: Any, readers: Any, tolerance: float, *_: Any,
                          key: Any = key, target: Path = target) -> dict[str, Any]:  # fmt: skip
                    all_of_it.left[key] = Left(target, about, list(expected), readers, tolerance)
                    return {}

                patch.setattr(exporting.parity, "check", later)
                exporting.export(f"{spec.folder}/model", kind, target, spec.plan, questions, {}, tiny.Diary())
    for name in small_architectures.KINDS:
        for kind in ("gguf-f16", "gguf-q8_0"):
            all_of_it.left[name, kind] = _converted(place, name, kind)
    _disturb(all_of_it)
    keys = list(all_of_it.left)
    answers = parity.in_a_fresh_process([all_of_it.left[key].question() for key in keys], place)
    all_of_it.found = dict(zip(keys, answers, strict=True))
    yield all_of_it


def _converted(place: Path, name: str, kind: str) -> Left:
    """An untrained model of this architecture as GGUF."""
    source = place / name if (place / name).exists() else small_architectures.build(place / name, name)
    model = loading.base_model(source, "causal-lm", __import__("torch").float32).eval()
    codec = Codec.from_folder(source, "causal-lm", PLAN)
    ends = tuple(codec.stop_ids(model.generation_config.eos_token_id))
    questions = [*tiny.texts(3, 6), Example(row_id="odd", text=f"{ODD} {ODD}")]
    expected = parity.ask(model, codec, "causal-lm", questions, ends, lambda: None)
    folder = place / f"{name} {kind}"
    folder.mkdir()
    writer = exporters.get(kind)
    writer.write(exporters.Given(model, codec, source, str(source), False, ends, lambda: None), folder)
    about = {"family": "causal-lm", "base": None, "ends": list(ends), "pad": 2, "opened": False}
    return Left(folder, about, expected, writer.readers, formats.get(kind).tolerance)


def _disturb(all_of_it: Everything) -> None:
    """Copies of two exports in which one tensor is a little different."""
    import gguf
    import onnx

    for key, file in ((("chat, LoRA", "gguf-f16"), "model.gguf"), (("classification, full", "onnx"), "model.onnx")):
        left = all_of_it.left[key]
        folder = all_of_it.place / f"disturbed {key[1]}"
        shutil.copytree(left.folder, folder)
        if file == "model.gguf":
            tensor = next(t for t in gguf.GGUFReader(folder / file, "r+").tensors if t.name == "blk.1.ffn_down.weight")
            tensor.data[:] = tensor.data * 1.5
        else:
            model = onnx.load(folder / file)
            weight = max(model.graph.initializer, key=lambda w: len(w.raw_data))
            values = np.frombuffer(weight.raw_data, dtype=np.float32) * 1.5
            weight.raw_data = values.astype(np.float32).tobytes()
            onnx.save(model, folder / file)
        all_of_it.left["disturbed", key[1]] = Left(folder, left.about, left.expected, left.readers, left.tolerance)


@pytest.mark.parametrize(("training", "kind"), EVERY)
def test_an_export_answers_as_the_checkpoint(everything: Everything, training: str, kind: str) -> None:
    proof = everything.proof(training, kind)
    assert proof["n"] >= 15 and proof["worst"] <= proof["tolerance"]
    if not FAMILIES[everything.left[training, kind].about["family"]].reads:
        assert proof["places"] > proof["n"], "along whole answers, not only their first token"
        exact = kind in ("merged", "adapter")
        assert all(r["texts"] == r["n"] for r in proof["readers"].values()) or not exact
    if kind.startswith("gguf"):
        assert "transformers' reader of GGUF" in proof["readers"]


@pytest.mark.parametrize("name", small_architectures.KINDS)
@pytest.mark.parametrize("kind", ["gguf-f16", "gguf-q8_0"])
def test_gguf_is_equal_for_every_architecture(everything: Everything, name: str, kind: str) -> None:
    proof = everything.proof(name, kind)
    assert proof["n"] == 7 and proof["places"] > 20
    if not reread.available("llama.cpp"):
        pytest.skip("llama-cpp-python is not installed: read by transformers alone")
    assert proof["readers"]["llama.cpp"]["other_tokens"] == 0
    if kind == "gguf-f16":
        assert proof["readers"]["llama.cpp"]["texts"] == 7


@pytest.mark.parametrize("kind", ["gguf-f16", "onnx"])
def test_a_disturbed_tensor_fails_the_proof(everything: Everything, kind: str) -> None:
    with pytest.raises(UserError, match="does not answer as the checkpoint did"):
        everything.proof("disturbed", kind)
