"""Loaded models answer the same one by one as together, repeat themselves under a seed, and use what they know."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny_training as tiny
import torch

from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding, Predictor
from core.training import loading, predict, predictors, sampling
from core.training.collators import LanguageCollator
from core.training.datasets import language_rows, packed
from core.training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")
PLAN = PreparationPlan(max_length=96, packing=True)
QUESTIONS = [e.prompt for e in tiny.chats(3, 9)]
ANSWERS = [e.reference for e in tiny.chats(4, 9)]


def prompt(text: str, labels: Sequence[str]) -> str:
    return f"{text}: "


@pytest.fixture(scope="module")
def writer(small_model: Path) -> Predictor:
    model = predictors.base(str(small_model), "causal-lm", PLAN)
    assert model is not None
    return model


def judge(folder: Path, plan: PreparationPlan = PLAN, labels: Sequence[str] = tiny.LABELS) -> Predictor:
    model = predictors.base(str(folder), "classifier", plan, labels, prompt)
    assert model is not None
    return model


@pytest.fixture(scope="module")
def classifier(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    folder = tmp_path_factory.mktemp("classifier")
    train(tiny.spec_of("classifier, LoRA", folder, small_model, rows=24, epochs=1), tiny.Diary())
    return predictors.tuned(folder, PLAN)


def test_texts_are_scored_the_same_one_by_one_as_together(writer: Predictor) -> None:
    together = writer.score(QUESTIONS, ANSWERS)
    for question, answer, score in zip(QUESTIONS, ANSWERS, together, strict=True):
        (alone,) = writer.score([question], [answer])
        assert (alone.tokens, alone.correct, alone.n_bytes) == (score.tokens, score.correct, score.n_bytes)
        assert alone.nll == pytest.approx(score.nll, abs=1e-4)
    assert {s.n_bytes for s in together} == {len(a.encode()) for a in ANSWERS}


def test_texts_are_written_the_same_one_by_one_as_together(writer: Predictor) -> None:
    decoding = Decoding(max_new_tokens=12)
    together = writer.generate(QUESTIONS, decoding)
    assert [writer.generate([question], decoding)[0] for question in QUESTIONS] == together


def test_texts_are_classified_the_same_one_by_one_as_together(classifier: Predictor) -> None:
    texts = [e.text for e in tiny.classification(5, 12)] + [""]
    together = classifier.classify(texts)
    for text, row in zip(texts, together, strict=True):
        assert sum(row) == pytest.approx(1)
        assert classifier.classify([text])[0] == pytest.approx(row, abs=1e-4)


def test_the_same_seed_writes_the_same_text_and_another_seed_another(writer: Predictor) -> None:
    def write(seed: int) -> list[str]:
        decoding = Decoding(max_new_tokens=16, temperature=1.0, seed=seed)
        return [g.text for g in writer.generate(QUESTIONS, decoding)]

    assert write(1) == write(1)
    assert write(1) != write(2)


def test_drawn_texts_are_the_same_one_by_one_as_together_and_for_the_same_prompt_again_others(
    writer: Predictor,
) -> None:
    decoding = Decoding(max_new_tokens=12, temperature=0.8, top_p=0.9, seed=3)
    together = writer.generate(QUESTIONS, decoding)
    assert [writer.generate([question], decoding)[0] for question in QUESTIONS] == together
    twice = writer.generate([QUESTIONS[0]] * 2, decoding)
    assert twice[0] == together[0] != twice[1]


def test_tokens_are_drawn_as_often_as_they_are_likely_and_never_beyond_top_p() -> None:
    logits = torch.tensor([0.5, 0.25, 0.15, 0.1]).log()[None].repeat(4000, 1)
    ids = torch.zeros(4000, 1, dtype=torch.long)

    def shares(**settings: float) -> list[float]:
        decoding = Decoding(temperature=settings.get("temperature", 1.0), top_p=settings.get("top_p", 1.0))
        draws = sampling.RowDraws(decoding, sampling.sources([str(i) for i in range(4000)], decoding))
        chosen = draws(ids, logits).argmax(-1)
        return (torch.bincount(chosen, minlength=4) / 4000).tolist()

    assert shares() == pytest.approx([0.5, 0.25, 0.15, 0.1], abs=0.03)
    assert shares(top_p=0.6) == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=0.03)
    assert shares(top_p=0.01) == [1, 0, 0, 0]
    assert shares(temperature=0.5) == pytest.approx(
        [0.25 / 0.345, 0.0625 / 0.345, 0.0225 / 0.345, 0.01 / 0.345], abs=0.03
    )


def test_work_on_one_long_batch_is_told_token_by_token_and_can_be_left(small_model: Path) -> None:
    told: list[int] = []
    model = predictors.base(str(small_model), "causal-lm", PLAN, tick=told.append)
    assert model is not None
    model.generate(QUESTIONS, Decoding(max_new_tokens=12))
    assert told == sorted(told) and told[-1] == len(QUESTIONS) and len(told) > 6

    def leave(done: int) -> None:
        raise InterruptedError

    left = predictors.base(str(small_model), "causal-lm", PLAN, tick=leave)
    assert left is not None
    with pytest.raises(InterruptedError):
        left.generate(QUESTIONS, Decoding(max_new_tokens=12))


def test_a_base_model_that_judges_tells_how_far_it_is_before_it_has_read_all(
    small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "ENCODED_AT_ONCE", 9)
    texts = [e.text for e in tiny.classification(5, 20)]
    told: list[int] = []
    asked = predictors.base(str(small_model), "classifier", PLAN, tiny.LABELS, prompt, told.append)
    assert asked is not None
    in_pieces = asked.classify(texts)
    assert len(told) >= 6 and told[-1] == 20 and told == sorted(told)
    monkeypatch.undo()
    for piece, whole in zip(in_pieces, judge(small_model).classify(texts), strict=True):
        assert piece == pytest.approx(whole, abs=1e-5)


def test_writing_says_how_long_it_is_and_whether_it_came_to_an_end(writer: Predictor) -> None:
    for generation in writer.generate(QUESTIONS, Decoding(max_new_tokens=8)):
        assert generation.tokens == 8 or generation.finished
    assert writer.generate([], Decoding()) == [] and writer.score([], []) == []


def test_a_prompt_longer_than_the_context_keeps_its_end_and_leaves_room_for_an_answer(writer: Predictor) -> None:
    long = (Message(role="user", content="the lamp was broken " * 100),)
    (generation,) = writer.generate([long], Decoding(max_new_tokens=500))
    assert generation.tokens > 0
    (score,) = writer.score([long], ["Enjoy your lamp!"])
    assert score.tokens == writer.score([QUESTIONS[0]], ["Enjoy your lamp!"])[0].tokens, "the answer was cut"


# -- packing -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tiny.chats, tiny.texts])
def test_packing_changes_neither_the_loss_nor_what_is_counted(small_model: Path, make: Any) -> None:
    encoded = language_rows(Codec.from_folder(small_model, "causal-lm", PLAN), make(6, 24))
    together = packed(encoded, PLAN)
    assert len(together.rows) < len(encoded.rows)
    assert sorted(map(sum, together.rows["seq_lengths"])) == sorted(map(len, together.rows["input_ids"]))
    model = loading.base_model(small_model, "causal-lm", torch.float32).eval()
    collate = LanguageCollator(2)

    @torch.no_grad()
    def summed(rows: Any, at_once: int) -> tuple[float, int]:
        loss, counted = 0.0, 0
        for start in range(0, len(rows), at_once):
            batch = collate([rows[i] for i in range(start, min(start + at_once, len(rows)))])
            tokens = int((batch["labels"][:, 1:] != -100).sum())
            loss += model(**batch).loss.item() * tokens
            counted += tokens
        return loss, counted

    alone = summed(encoded.rows, 1)
    assert summed(encoded.rows, 7) == (pytest.approx(alone[0], rel=1e-5), alone[1])
    assert summed(together.rows, 3) == (pytest.approx(alone[0], rel=1e-5), alone[1])


def test_an_example_is_not_influenced_by_its_neighbours_in_a_packed_row(small_model: Path) -> None:
    model = loading.base_model(small_model, "causal-lm", torch.float32).eval()
    first, second = [5, 20, 21, 22, 23], [7, 40, 41]
    row = {"input_ids": first + second, "labels": first + second, "seq_lengths": [5, 3]}
    other = {"input_ids": [9] * 20, "labels": [9] * 20, "seq_lengths": [20]}
    batch = LanguageCollator(2)([row, other])
    assert batch["labels"][0].tolist() == [-100, 20, 21, 22, 23, -100, 40, 41] + [-100] * 12
    batch.pop("labels")
    with torch.no_grad():
        logits = model(**batch).logits[0]
        assert torch.allclose(logits[5:8], model(input_ids=torch.tensor([second])).logits[0], atol=1e-5)
        assert torch.allclose(logits[:5], model(input_ids=torch.tensor([first])).logits[0], atol=1e-5)


# -- a base model as classifier ----------------------------------------------------------------------------------------


def test_the_likelihoods_of_the_labels_are_those_of_the_label_names_under_the_prompt(
    small_model: Path, writer: Predictor
) -> None:
    texts = [e.text for e in tiny.classification(7, 9)] + ["", "lamp " * 200]
    rows = judge(small_model).classify(texts)
    for text, row in zip(texts, rows, strict=True):
        scores = writer.score([prompt(text, tiny.LABELS)] * 3, tiny.LABELS)
        weights = [math.exp(-s.nll / s.tokens) for s in scores]
        assert sum(row) == pytest.approx(1)
        assert row == pytest.approx([w / sum(weights) for w in weights], abs=1e-4), text[:30]


def test_labels_that_begin_alike_are_told_apart(small_model: Path, writer: Predictor) -> None:
    labels = ("refund", "refund refused", "refunds", "re")
    (row,) = judge(small_model, labels=labels).classify(["the lamp was broken"])
    scores = writer.score([prompt("the lamp was broken", labels)] * 4, labels)
    weights = [math.exp(-s.nll / s.tokens) for s in scores]
    assert row == pytest.approx([w / sum(weights) for w in weights], abs=1e-4)


def test_a_base_model_that_has_read_of_the_task_is_better_at_it_than_chance(small_model: Path, tmp_path: Path) -> None:
    read = tuple(
        Example(row_id=e.row_id, text=f"{prompt(e.text, tiny.LABELS)}{e.label}") for e in tiny.classification(8, 90)
    )
    spec = tiny.spec_of(
        "completion, full, packed", tmp_path, small_model, batch_size=4, epochs=8, evaluations_per_epoch=1
    )
    train(spec.model_copy(update={"train": read, "validation": read[:9]}), tiny.Diary())
    test = tiny.classification(9, 60)
    rows = judge(tmp_path / "model").classify([e.text for e in test])
    right = sum(tiny.LABELS[row.index(max(row))] == e.label for e, row in zip(test, rows, strict=True))
    assert right > 30  # of 60: guessing gives 20, and more than 30 in one of 250 draws


def test_an_encoder_has_no_opinion_about_labels_before_training(small_model: Path, tmp_path: Path) -> None:
    shutil.copytree(small_model, tmp_path / "encoder")
    config = tmp_path / "encoder" / "config.json"
    config.write_text(config.read_text().replace("LlamaForCausalLM", "BertForMaskedLM"))
    assert predictors.base(str(tmp_path / "encoder"), "classifier", PLAN, tiny.LABELS, prompt) is None


@pytest.mark.parametrize("call", ["score", "generate", "classify"])
def test_running_out_of_memory_is_named_as_such(small_model: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    model: Any = judge(small_model)

    def fail(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(model.model, "forward", fail)
    ask = {
        "score": lambda: model.score(["a"], ["b"]),
        "generate": lambda: model.generate(["a"], Decoding()),
        "classify": lambda: model.classify(["a"]),
    }
    with pytest.raises(UserError, match="ran out of memory"):
        ask[call]()
