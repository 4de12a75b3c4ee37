"""Real trainings of a few seconds for models that give several labels, a number, or another text: train, ask, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ready_processes
import torch

from core.data.encoding import Codec
from core.data.model_facts import read_facts
from core.metrics import registry as metrics
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.families import unfit
from core.schemas.label_sets import LabelSetPredictions
from core.schemas.number_predictions import NumberPredictions
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.training import predictors
from core.training.export import export
from core.training.train import train
from tests import small_pairs
from tests.test_several_labels_and_numbers import LABELS, labelled, rated
from tests.tiny_training import FULL, Diary, chats

pytestmark = pytest.mark.usefixtures("one_thread", "ready_readers")
ready_readers = ready_processes.ready_readers
PLAN = PreparationPlan(max_length=64)


@pytest.fixture(scope="module")
def pair_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_pairs.build(tmp_path_factory.mktemp("t5"))


def spec_of(family: str, folder: Path, base: Path, rows: Any, held: Any, **recipe: Any) -> TrainingSpec:
    return TrainingSpec(
        run_id="run",
        family=family,
        folder=str(folder),
        base_folder=str(base),
        plan=PLAN,
        recipe=Recipe(**{**FULL.model_dump(), "evaluations_per_epoch": 1, **recipe}),
        labels=LABELS if family == "multi-label" else (),
        train=tuple(rows),
        validation=tuple(held),
    )


def test_several_labels_are_learned_and_exported(small_model: Path, tmp_path: Path) -> None:
    shares = (0.5, 0.4, 0.4)
    held = labelled(40, shares, seed=2)
    spec = spec_of("multi-label", tmp_path, small_model, labelled(120, shares), held, label_thresholds="validation",
                   best_metric="micro_f1", epochs=4)  # fmt: skip
    diary = Diary()
    result = train(spec, diary)
    assert result.best_metric == "micro_f1" and ("validation", "macro_f1") in diary.points
    tuned = predictors.tuned(tmp_path, PLAN)
    said = LabelSetPredictions.of(LABELS, held, tuned.classify([e.text for e in held]), tuned.thresholds)
    learned = metrics()["micro_f1"].compute(said)
    base = predictors.base(str(small_model), "multi-label", PLAN, LABELS, lambda text, asked: f"{text} {asked[0]}? ")
    assert base is not None
    untrained = LabelSetPredictions.of(LABELS, held, base.classify([e.text for e in held]))
    assert all(0 < p < 1 for row in untrained.matrix for p in row), "the base is asked, each label by itself"
    assert learned.value > 0.8 > metrics()["micro_f1"].compute(untrained).value
    proof = export(str(tmp_path / "model"), "merged", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["worst"] <= proof["tolerance"] and (tmp_path / "out" / "thresholds.json").exists()
    assert '"problem_type": "multi_label_classification"' in (tmp_path / "out" / "config.json").read_text()


def test_a_number_is_learned_in_its_own_unit(small_model: Path, tmp_path: Path) -> None:
    held = rated(40, seed=2)
    spec = spec_of("regression", tmp_path, small_model, rated(120), held, best_metric="mae", epochs=4)
    diary = Diary()
    result = train(spec, diary)
    points = diary.points["validation", "mae"]
    assert result.best_value == min(v for step, v in points.items() if step), "less is better"
    assert points[0] > 30, "in the unit of the rows, whose mean error without learning is 60"
    tuned = predictors.tuned(tmp_path, PLAN)
    found = NumberPredictions.of(held, tuned.values([e.text for e in held]))
    assert metrics()["mae"].compute(found).value == pytest.approx(result.best_value, rel=0.02)
    assert metrics()["mae"].compute(found).value < 30
    assert predictors.base(str(small_model), "regression", PLAN) is None
    proof = export(str(tmp_path / "model"), "merged", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["n"] == 3 and '"mean"' in (tmp_path / "out" / "target.json").read_text()


def test_an_adapter_learns_a_number_and_its_export_gives_the_same(small_model: Path, tmp_path: Path) -> None:
    held = rated(40, seed=2)
    recipe = {"method": "lora", "learning_rate": 5e-3, "lora_dropout": 0.0, "best_metric": "mae", "epochs": 4}
    train(spec_of("regression", tmp_path, small_model, rated(120), held, **recipe), Diary())
    found = NumberPredictions.of(held, predictors.tuned(tmp_path, PLAN).values([e.text for e in held]))
    assert metrics()["mae"].compute(found).value < 15, (
        "60 without learning: its head and its unit came with the adapter"
    )
    proof = export(str(tmp_path / "model"), "adapter", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["n"] == 3 and proof["worst"] <= proof["tolerance"]
    assert '"mean"' in (tmp_path / "out" / "target.json").read_text()


def test_one_text_becomes_another(pair_model: Path, tmp_path: Path) -> None:
    held = chats(2, 15)
    diary = Diary()
    train(spec_of("seq2seq", tmp_path, pair_model, chats(1, 60), held, epochs=8), diary)
    tuned, base = predictors.tuned(tmp_path, PLAN), predictors.base(str(pair_model), "seq2seq", PLAN)
    assert base is not None
    prompts, answers = [e.prompt for e in held], [e.reference for e in held]
    written = tuned.generate(prompts, Decoding(max_new_tokens=24))
    assert sum(g.text == a for g, a in zip(written, answers, strict=True)) >= 5
    assert sum(g.finished for g in written) >= 12, "it knows where an answer ends"
    before, after = (sum(s.nll for s in model.score(prompts, answers)) for model in (base, tuned))
    assert after < before / 3
    tokens = sum(s.tokens for s in tuned.score(prompts, answers))
    last = list(diary.points["validation", "loss"].values())
    assert after / tokens == pytest.approx(min(last), rel=0.01), "the curve and the score count the same tokens"
    assert "sample" in {kind for kind, _, _ in diary.events}
    proof = export(str(tmp_path / "model"), "merged", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["worst"] <= proof["tolerance"]


def test_bart_writes_what_it_learned(tmp_path: Path) -> None:
    """Other names of layers, learned positions, and an end that is forced."""
    base, held = small_pairs.build(tmp_path / "bart", kind="bart"), chats(2, 15)
    train(spec_of("seq2seq", tmp_path / "run", base, chats(1, 60), held, epochs=8), Diary())
    tuned, before = predictors.tuned(tmp_path / "run", PLAN), predictors.base(str(base), "seq2seq", PLAN)
    assert before is not None
    prompts, answers = [e.prompt for e in held], [e.reference for e in held]
    written = tuned.generate(prompts, Decoding(max_new_tokens=24))
    assert sum(g.text == a for g, a in zip(written, answers, strict=True)) >= 4
    assert all(g.finished for g in written), "it knows where an answer ends"
    first, last = (sum(s.nll for s in model.score(prompts, answers)) for model in (before, tuned))
    assert last < first / 5
    proof = export(str(tmp_path / "run" / "model"), "merged", tmp_path / "out", PLAN, held[:3], {}, Diary())
    assert proof["worst"] <= proof["tolerance"]


def test_an_adapter_of_an_encoder_decoder_is_kept_and_loaded(pair_model: Path, tmp_path: Path) -> None:
    recipe = {"method": "lora", "lora_targets": "attention", "learning_rate": 2e-2, "epochs": 2}
    held = chats(2, 9)
    train(spec_of("seq2seq", tmp_path, pair_model, chats(1, 30), held, **recipe), Diary())
    proof = export(str(tmp_path / "model"), "adapter", tmp_path / "out", PLAN, held[:2], {}, Diary())
    assert proof["worst"] <= proof["tolerance"]


def test_a_model_of_the_wrong_kind_is_refused_with_the_reason(
    small_model: Path, pair_model: Path, tmp_path: Path
) -> None:
    for family, base in (("seq2seq", small_model), ("causal-lm", pair_model)):
        spec = spec_of(family, tmp_path, base, chats(1, 9), chats(2, 3))
        with pytest.raises(UserError, match="does not fit the task"):
            train(spec, Diary())
    facts = read_facts(pair_model, "k", "folder")
    assert facts.encoder_decoder and facts.layers == 4 and facts.hidden_size == 48 and facts.heads == 4
    assert unfit("classifier", writes=facts.causal, pairs=facts.encoder_decoder)
    assert unfit("seq2seq", writes=facts.causal, pairs=facts.encoder_decoder) == ""


def test_both_sides_of_a_pair_are_cut_by_themselves(pair_model: Path) -> None:
    plan = PreparationPlan(max_length=8, truncation_side="left", system_prompt="shorten:")
    codec = Codec.from_folder(str(pair_model), "seq2seq", plan)
    words = "one two three four five six seven eight nine ten"
    example = Example(
        row_id="1", messages=(Message(role="user", content=words), Message(role="assistant", content=words))
    )
    row = codec.encode(example)
    read = [i for i, told in zip(row.ids, row.trained, strict=True) if not told]
    told = [i for i, told in zip(row.ids, row.trained, strict=True) if told]
    assert len(read) == len(told) == 8 and read[-1] == told[-1] == codec.eos, "both keep the token that closes them"
    decode = codec.tokenizer.decode
    assert words.endswith(decode(read[:-1]).strip()) and words.startswith(decode(told[:-1]).strip())
    assert row.answer_cut and len(row.ids) == len(row.pieces)
    assert codec.prompt_ids(example.prompt) == read
    assert codec.prompt_text(example.prompt) == f"shorten: {words}"
    assert codec.scored(example.prompt, words) == (list(row.ids), list(row.trained))
    assert torch.tensor(codec.lengths([example])).item() > 8
