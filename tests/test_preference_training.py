"""Preference training on a tiny model: it learns which answers are better, and ends the same however it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_training as tiny
import torch
from safetensors.torch import load_file
from tiny_training import Diary, wish_at

from core.data.encoding import Codec
from core.data.preference_encoding import shown, weighed
from core.schemas.examples import Example, Message
from core.schemas.jobs import Desired
from core.schemas.plan import PreparationPlan
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec
from core.training import predictors
from core.training.checkpoints import newest_whole_checkpoint
from core.training.dry_run import measure
from core.training.preferences import neighbours
from core.training.train import train

pytestmark = pytest.mark.usefixtures("one_thread")
Trained = Callable[[str], tuple[TrainingSpec, Diary]]


@pytest.fixture(scope="module")
def trained(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One undisturbed training of each kind, made when it is first asked for."""
    made: dict[str, tuple[TrainingSpec, Diary]] = {}

    def get(kind: str) -> tuple[TrainingSpec, Diary]:
        if kind not in made:
            spec, diary = tiny.preference_spec(kind, tmp_path_factory.mktemp("run"), small_model), Diary()
            train(spec, diary)
            made[kind] = spec, diary
        return made[kind]

    return get


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


@pytest.mark.parametrize("kind", list(tiny.PREFERENCES))
def test_the_better_answers_gain_on_pairs_that_were_not_trained(kind: str, trained: Trained) -> None:
    _, diary = trained(kind)
    margins = list(diary.points["validation", "reward_margin"].values())
    assert margins[0] == pytest.approx(0, abs=1e-3)  # model and reference are the same before the first step
    assert margins[-1] > 0.5
    losses = list(diary.points["validation", "loss"].values())
    assert losses[-1] < losses[0] - 0.05


def test_the_curve_of_pairs_begins_with_the_first_step_and_ends_high(trained: Trained) -> None:
    _, diary = trained("pairs, full")
    accuracy = diary.points["validation", "preference_accuracy"]
    assert 0 not in accuracy
    assert list(accuracy.values())[-1] > 0.9


@pytest.mark.parametrize("kind", ["pairs, full", "thumbs, full"])
def test_the_finished_model_prefers_better_answers_more_than_its_base(
    kind: str, trained: Trained, small_model: Path
) -> None:
    spec, _ = trained(kind)
    held = tiny.pairs(5, 24)
    prompts = [e.prompt for e in held]

    def margin(model: predictors.Predictor) -> list[float]:
        good, bad = model.score(prompts, [e.reference for e in held]), model.score(prompts, [e.rejected for e in held])
        return [b.nll - g.nll for g, b in zip(good, bad, strict=True)]

    base = predictors.base(str(small_model), "causal-lm", spec.plan)
    assert base is not None
    gains = [
        after - before
        for before, after in zip(margin(base), margin(predictors.tuned(spec.folder, spec.plan)), strict=True)
    ]
    assert sum(gain > 0 for gain in gains) > 0.9 * len(gains)


@pytest.mark.parametrize("kind", ["pairs, full", "pairs, LoRA", "thumbs, full"])
def test_a_run_that_was_paused_ends_bit_equal(kind: str, trained: Trained, small_model: Path, tmp_path: Path) -> None:
    whole, undisturbed = trained(kind)
    spec, first = whole.model_copy(update={"folder": str(tmp_path)}), Diary(wish_at(6, Desired.PAUSE))
    with pytest.raises(Interrupted):
        train(spec, first)
    found = newest_whole_checkpoint(tmp_path)
    assert found is not None
    assert found[1] == 6
    again = Diary()
    train(spec.model_copy(update={"resume_from": str(found[0])}), again)
    expected, got = weights(Path(whole.folder) / "model"), weights(tmp_path / "model")
    assert expected.keys() == got.keys()
    assert all(torch.equal(expected[name], got[name]) for name in expected)
    assert tiny.exact(first, again) == tiny.exact(undisturbed)


@pytest.mark.parametrize("kind", ["pairs, full", "thumbs, LoRA"])
def test_three_steps_tell_beforehand_what_it_costs(kind: str, small_model: Path, tmp_path: Path) -> None:
    spec = tiny.preference_spec(kind, tmp_path, small_model)
    found = measure(spec, Diary())
    assert found.seconds_per_step > 0
    assert found.evaluated_tokens_per_second > 0
    assert not list(tmp_path.iterdir())


def test_an_adapter_leaves_one_adapter_and_no_copy_of_it(trained: Trained) -> None:
    spec, _ = trained("pairs, LoRA")
    names = {path.name for path in (Path(spec.folder) / "model").iterdir()}
    assert "adapter_model.safetensors" in names
    assert "ref" not in names
    assert json.loads((Path(spec.folder) / "model" / "tunewell.json").read_text())["family"] == "causal-lm"


def test_both_answers_follow_the_same_words_when_a_conversation_is_too_long(small_model: Path) -> None:
    codec = Codec.from_folder(small_model, "causal-lm", PreparationPlan(max_length=80))
    turns = (
        Message(role="user", content="where is my parcel " * 20),
        Message(role="assistant", content="It is on its way."),
    )
    found = weighed(
        codec, Example(row_id="1", messages=turns, rejected="I do not know and I do not care about it at all.")
    )
    assert found is not None
    whole = codec.prompt_ids(turns[:1])
    assert max(len(found.prompt) + len(answer) for answer in found.answers) == 80
    assert found.prompt == whole[-len(found.prompt) :]
    ends = codec.stop_ids(None)
    assert all(answer[-1] in ends for answer in found.answers)


def test_a_pair_of_equal_answers_teaches_nothing(small_model: Path) -> None:
    codec = Codec.from_folder(small_model, "causal-lm", PreparationPlan())
    (pair,) = tiny.pairs(1, 1)
    assert weighed(codec, pair) is not None
    assert weighed(codec, pair.model_copy(update={"rejected": pair.reference})) is None


@pytest.mark.parametrize("length", [200, 60])
def test_the_preview_shows_the_very_tokens_that_are_weighed(length: int, small_model: Path) -> None:
    codec = Codec.from_folder(small_model, "causal-lm", PreparationPlan(max_length=length))
    turns = (
        Message(role="user", content="where is my parcel " * 6),
        Message(role="assistant", content="It is on its way."),
    )
    example = Example(row_id="1", messages=turns, rejected="I do not know and I do not care about it at all.")
    found, seen = weighed(codec, example), shown(codec, example)
    assert found is not None
    assert [list(part.ids) for part in seen] == [found.prompt + answer for answer in found.answers]
    assert [sum(part.trained) for part in seen] == [len(answer) for answer in found.answers]
    texts = ["".join(p for p, t in zip(part.pieces, part.trained, strict=True) if t) for part in seen]
    assert texts == ["It is on its way.<|end|>", "I do not know and I do not care about it at all.<|end|>"]
    assert all(bool(part.cut) == (length < 200) for part in seen)


def test_a_row_is_compared_with_another_one_whatever_the_batch_and_however_many_devices() -> None:
    for count in range(2, 12):
        found = neighbours(count)
        assert sorted(found) == list(range(count)) and all(other != row for row, other in enumerate(found))
    assert neighbours(8) == [*neighbours(4), *(4 + i for i in neighbours(4))], (
        "two devices, or one with twice the batch"
    )
