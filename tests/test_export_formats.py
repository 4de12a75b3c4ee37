"""What leaves answers as what was tested: every format, for models that read and that write, LoRA and full; and a disturbed
file is found out. Everything is read again in one fresh process, since loading torch there takes longest."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_training as tiny

from core import exporters as formats
from core.data.encoding import Codec
from core.data.gguf_support import unfit
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
PROMPTS, TOKENS = 3, 6  # the product asks more and longer
PLAN = PreparationPlan(max_length=96)
TRAININGS = {
    "classification, LoRA": ("classifier, LoRA", ("merged", "adapter", "onnx")),
    "classification, full": ("classifier, full", ("merged", "onnx")),
    "chat, LoRA": ("chat, LoRA", ("merged", "adapter", "gguf-f16", "gguf-q8_0")),
    "chat, full": ("chat, full, packed", ("merged", "merged-16", "gguf-f16", "gguf-q8_0")),
    "completion, LoRA": ("completion, full, packed", ("merged", "adapter", "gguf-f16", "gguf-q8_0")),
    "completion, full": ("completion, full, packed", ("merged", "gguf-f16", "gguf-q8_0")),
    "several labels": ("multi-label", ("merged",)),
    "a number": ("regression", ("merged",)),
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
        return tiny.spec_of(kind, folder, base, rows=8, **recipe)
    spec = tiny.spec_of("classifier, full", folder, base, rows=8, **recipe)
    if kind == "seq2seq":
        made = {"base_folder": str(pairs), "train": tiny.chats(1, 8), "validation": tiny.chats(2, 6), "labels": ()}
    else:
        several = kind == "multi-label"
        train_rows, held = ((labelled(n, (0.5, 0.4, 0.4), seed=n) if several else rated(n, seed=n)) for n in (16, 6))
        made = {"train": tuple(train_rows), "validation": tuple(held), "labels": LABELS if several else ()}
    recipe_now = spec.recipe.model_copy(update={"best_metric": "eval_loss"})
    return spec.model_copy(update={"family": kind, "plan": PLAN, "recipe": recipe_now, **made})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    place = tmp_path_factory.mktemp("formats")
    all_of_it = Everything(place)
    base, pairs = small_architectures.build(place / "llama"), small_pairs.build(place / "t5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "LENGTH", TOKENS)
        for training, (_, kinds) in TRAININGS.items():
            spec = _spec(training, place / training, base, pairs)
            train(spec, tiny.Diary())
            questions = list(spec.validation)[:PROMPTS]
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
    return all_of_it


def _converted(place: Path, name: str, kind: str) -> Left:
    """An untrained model of this architecture as GGUF."""
    source = place / name if (place / name).exists() else small_architectures.build(place / name, name)
    model = loading.base_model(source, "causal-lm", __import__("torch").float32).eval()
    codec = Codec.from_folder(source, "causal-lm", PLAN)
    ends = tuple(codec.stop_ids(model.generation_config.eos_token_id))
    questions = [*tiny.texts(3, PROMPTS), Example(row_id="odd", text=f"{ODD} {ODD}")]
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
    assert proof["n"] >= PROMPTS and proof["worst"] <= proof["tolerance"]
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
    assert proof["n"] == PROMPTS + 1 and proof["places"] > PROMPTS
    if not reread.available("llama.cpp"):
        pytest.skip("llama-cpp-python is not installed: read by transformers alone")
    assert proof["readers"]["llama.cpp"]["other_tokens"] == 0
    if kind == "gguf-f16":
        assert proof["readers"]["llama.cpp"]["texts"] == PROMPTS + 1


@pytest.mark.parametrize("kind", ["gguf-f16", "onnx"])
def test_a_disturbed_tensor_fails_the_proof(everything: Everything, kind: str) -> None:
    with pytest.raises(UserError, match="does not answer as the checkpoint did"):
        everything.proof("disturbed", kind)


# -- what is in the folder, asked without our code -----------------------------------------------------------------------

DRIVER = """
import importlib.util, json, sys
assert importlib.util.find_spec("core") is None, "our code must not be needed"
out = []
for folder, helper, asked in json.load(open(sys.argv[1])):
    spec = importlib.util.spec_from_file_location(helper, f"{folder}/{helper}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[helper] = module
    spec.loader.exec_module(module)
    model = module.Model(folder)
    out.append([model([a])[0] if helper == "inference" else model.answer(a, max_new_tokens=6).text for a in asked])
json.dump(out, open(sys.argv[2], "w"))
"""
ASKED = ("classification, full", "several labels", "a number", "one text to another", "chat, full", "completion, full")


def test_the_programs_in_the_folders_answer_without_our_code(everything: Everything, tmp_path: Path) -> None:
    """Each is moved away first, so that nothing of it can depend on where it was made."""
    folders, expected = [], []
    for training in ASKED:
        left = everything.left[training, "merged"]
        there = Path(shutil.copytree(left.folder, tmp_path / training))
        helper = "inference" if (there / "inference.py").exists() else "answer"
        folders.append((str(there), helper, [e.given for e in left.expected if e.given is not None]))
        expected.append([e for e in left.expected if e.given is not None])
    (tmp_path / "asked.json").write_text(json.dumps(folders))
    (tmp_path / "driver.py").write_text(DRIVER)
    subprocess.run(
        [sys.executable, "-I", "driver.py", "asked.json", "said.json"], cwd=tmp_path, check=True, capture_output=True
    )
    said = dict(zip(ASKED, json.loads((tmp_path / "said.json").read_text()), strict=True))
    for training, wanted in zip(ASKED, expected, strict=True):
        for answer, want in zip(said[training], wanted, strict=True):
            if isinstance(answer, str):
                codec = Codec.from_folder(everything.left[training, "merged"].folder, "causal-lm", PLAN)
                ends = everything.left[training, "merged"].about["ends"]
                told = [i for i in want.written if i not in ends]
                assert answer == codec.tokenizer.decode(told, skip_special_tokens=True)
            elif "value" in answer:
                unit = json.loads((tmp_path / training / "target.json").read_text())
                assert answer["value"] == pytest.approx(want.values[0][0] * unit["std"] + unit["mean"], rel=1e-4)
            else:
                assert list(answer["scores"].values()) == pytest.approx(want.values[0], abs=1e-4)


def test_onnx_needs_neither_torch_nor_transformers(everything: Everything, tmp_path: Path) -> None:
    """The shipped program, from its command line, where these packages cannot be imported; texts of two lengths."""
    left = everything.left["classification, LoRA", "onnx"]
    there = Path(shutil.copytree(left.folder, tmp_path / "it"))
    (tmp_path / "run.py").write_text(
        "import runpy, sys\nsys.modules['torch'] = sys.modules['transformers'] = None\n"
        "sys.argv = ['inference.py', *sys.argv[1:]]\nrunpy.run_path('it/inference.py', run_name='__main__')\n"
    )
    texts = [left.expected[0].given, left.expected[1].given * 3]
    ran = subprocess.run(
        [sys.executable, "-I", "run.py", *texts], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    first, second = (json.loads(line) for line in ran.stdout.splitlines())
    assert list(first["scores"].values()) == pytest.approx(left.expected[0].values[0], abs=1e-4)
    assert set(second["scores"]) == set(tiny.LABELS)
    import onnxruntime

    session = onnxruntime.InferenceSession(there / "model.onnx")
    many = np.full((3, 11), 7, dtype=np.int64)
    (figures,) = session.run(None, {"input_ids": many, "attention_mask": np.ones_like(many)})
    assert figures.shape == (3, 3), "several texts at once"


# -- the chat template elsewhere -----------------------------------------------------------------------------------------


def test_the_modelfile_says_in_ollamas_words_what_the_template_says(everything: Everything) -> None:
    folder = everything.left["chat, full", "gguf-q8_0"].folder
    said = (folder / "Modelfile").read_text("utf-8")
    assert 'PARAMETER stop "<|end|>"' in said and "PARAMETER repeat_penalty 1.0" in said
    body = said.split('TEMPLATE """')[1].split('"""')[0]
    assert '{{ if eq .Role "user" }}<|user|>{{ .Content }}<|end|>' in body and body.endswith("<|assistant|>")
    assert 'eq .Role "assistant" }}<|assistant|>{{ .Content }}<|end|>' in body
    kept = _field(folder, "tokenizer.chat_template")
    assert "{% generation" not in kept and "endgeneration" not in kept, "marks that other engines do not know"


def _field(folder: Path, name: str) -> str:
    import gguf

    return str(gguf.GGUFReader(folder / "model.gguf").fields[name].contents())


def test_a_template_that_does_more_is_not_pretended(everything: Everything) -> None:
    from core.data import ollama

    source = everything.left["chat, full", "merged"].folder
    shouting = PLAN.model_copy(
        update={
            "chat_template": "{% for m in messages %}<|{{ m.role }}|>{{ m.content | upper }}<|end|>{% endfor %}<|assistant|>"
        }
    )
    assert ollama.turns(Codec.from_folder(source, "causal-lm", shouting)) is None
    said = ollama.modelfile(Codec.from_folder(source, "causal-lm", shouting), True, (1,), 64, "model.gguf")
    assert "TEMPLATE" not in said and "llama.cpp or LM Studio" in said


# -- what is refused -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "bloom"}, "bloom"),
        ({"model_type": "llama", "rope_parameters": {"rope_type": "llama3"}}, "stretches positions"),
        ({"model_type": "llama", "attention_bias": True}, "biases"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "activation"),
        ({"model_type": "qwen2", "use_sliding_window": True}, "newest tokens"),
    ],
)
def test_an_architecture_that_cannot_be_proven_is_refused(
    small_model: Path, config: dict[str, Any], reason: str
) -> None:
    assert reason in unfit(config, small_model)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda t: t["pre_tokenizer"].update(use_regex=False), "no name"),
        (lambda t: t["pre_tokenizer"].update(add_prefix_space=True), "no name"),
        (lambda t: t.update(normalizer={"type": "Lowercase"}), "changes texts"),
        (lambda t: t["model"].update(byte_fallback=True), "another kind"),
        (lambda t: t["model"].update(ignore_merges=True), "another order"),
        (lambda t: t["added_tokens"][0].update(lstrip=True), "swallow"),
    ],
)
def test_a_tokenizer_that_llama_cpp_would_read_otherwise_is_refused(
    small_model: Path, tmp_path: Path, change: Any, reason: str
) -> None:
    found = json.loads((small_model / "tokenizer.json").read_text("utf-8"))
    assert unfit({"model_type": "llama"}, small_model) == ""
    change(found)
    (tmp_path / "tokenizer.json").write_text(json.dumps(found))
    assert reason in unfit({"model_type": "llama"}, tmp_path)
