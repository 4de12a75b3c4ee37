"""BART learns to write what it was taught, with and without its cache; an adapter learns a number and is exported with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from core.metrics import registry as metrics
from core.schemas.number_predictions import NumberPredictions
from core.schemas.predictor import Decoding
from core.training import predictors
from core.training.export import export
from core.training.train import train
from tests import small_pairs
from tests.test_new_families import PLAN, spec_of
from tests.test_several_labels_and_numbers import rated
from tests.tiny_training import Diary, chats

pytestmark = pytest.mark.usefixtures("one_thread")


def test_bart_writes_what_it_was_taught_with_and_without_its_cache(tmp_path: Path) -> None:
    base = small_pairs.build(tmp_path / "bart", kind="bart")
    held = chats(2, 15)
    recipe = {"learning_rate": 5e-3, "warmup": 0.1, "epochs": 3}
    train(spec_of("seq2seq", tmp_path / "run", base, chats(1, 240), held, **recipe), Diary())
    tuned = predictors.tuned(tmp_path / "run", PLAN)
    prompts, answers = [e.prompt for e in held], [e.reference for e in held]
    written = tuned.generate(prompts, Decoding(max_new_tokens=24))
    assert sum(g.text == a for g, a in zip(written, answers, strict=True)) >= 5
    assert sum(g.finished for g in written) >= 12, "it knows where an answer ends"
    model = tuned.model  # type: ignore[attr-defined]
    for prompt, said in list(zip(prompts, written, strict=True))[:5]:
        ids = torch.tensor([tuned.codec.prompt_ids(prompt)])  # type: ignore[attr-defined]
        alone = [
            model.generate(input_ids=ids, max_new_tokens=24, num_beams=1, do_sample=False, use_cache=cache)[0].tolist()
            for cache in (True, False)
        ]
        assert alone[0] == alone[1], "what is remembered changes nothing"
        text = tuned.tokenizer.decode(alone[0], skip_special_tokens=True)  # type: ignore[attr-defined]
        assert text == said.text, "nor do the texts of the same batch"
    proof = export(str(tmp_path / "run" / "model"), "merged", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["worst"] <= proof["tolerance"]


def test_an_adapter_learns_a_number_and_its_export_says_the_same_elsewhere(small_model: Path, tmp_path: Path) -> None:
    held = rated(40, seed=2)
    recipe = {
        "method": "lora",
        "lora_rank": 8,
        "lora_alpha": 16,
        "learning_rate": 2e-2,
        "epochs": 4,
        "best_metric": "mae",
    }
    train(spec_of("regression", tmp_path / "run", small_model, rated(120), held, **recipe), Diary())
    texts = [e.text for e in held]
    said = predictors.tuned(tmp_path / "run", PLAN).values(texts)
    assert metrics()["mae"].compute(NumberPredictions.of(held, said)).value < 30, "without learning it is 60"
    for kind in ("adapter", "merged"):
        out = tmp_path / kind
        proof = export(str(tmp_path / "run" / "model"), kind, out, PLAN, held[:3], {}, Diary())  # type: ignore[arg-type]
        assert proof["worst"] <= proof["tolerance"]
        # As somebody else loads it: transformers and peft alone, and the numbers of target.json.
        target = json.loads((out / "target.json").read_text())
        model = AutoModelForSequenceClassification.from_pretrained(
            out if kind == "merged" else small_model, num_labels=1, use_safetensors=True
        )
        if kind == "adapter":
            config = json.loads((out / "adapter_config.json").read_text())
            assert config["modules_to_save"], "the head is new, so that it comes with the adapter"
            model = PeftModel.from_pretrained(model, str(shutil.copytree(out, tmp_path / "moved")))
        tokenizer = AutoTokenizer.from_pretrained(out)
        model.eval().get_base_model() if kind == "adapter" else model.eval()
        model.config.pad_token_id = tokenizer.pad_token_id
        codec = predictors.tuned(tmp_path / "run", PLAN).codec  # type: ignore[attr-defined]
        for example, expected in list(zip(held, said, strict=True))[:3]:
            with torch.no_grad():
                figure = model(input_ids=torch.tensor([list(codec.encode(example).ids)])).logits.item()
            assert figure * target["std"] + target["mean"] == pytest.approx(expected, abs=0.05)
