"""The coach on curves that real trainings draw: each fault is provoked, named, and not named on a healthy run."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import small_model as small
import torch
from test_several_labels_and_numbers import LABELS as MANY_LABELS
from test_several_labels_and_numbers import labelled, rated
from tiny_training import LABELS, Diary, classification, spec_of, texts, wish_at

from core.data import coach
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.jobs import Desired
from core.schemas.training import TrainingSpec
from core.services import coaching
from core.training.train import train
from core.training.trainers import ClassifierTrainer

pytestmark = [pytest.mark.usefixtures("one_thread")]
Advised = dict[str, coach.Advice]


@pytest.fixture(scope="module")
def advised(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Advised]:
    """What the coach says at the end of a real training of one kind, on these rows, with these settings; or while it is at
    work, after this share of its steps."""

    def run(
        kind: str, parts: tuple[Sequence[Example], Sequence[Example]], at_work: float = 0.0, **recipe: Any
    ) -> Advised:
        spec = spec_of(kind, tmp_path_factory.mktemp("run"), small_model, **recipe)
        spec = spec.model_copy(update={"train": tuple(parts[0]), "validation": tuple(parts[1])})
        planned = int(len(parts[0]) / spec.recipe.batch_size * spec.recipe.epochs)
        diary = Diary(wish_at(int(at_work * planned), Desired.STOP)) if at_work else Diary()
        try:
            steps = train(spec, diary).steps
        except UserError:  # a loss that is no number ends the training; its curves stay
            steps = diary.step
        return {a.kind: a for a in coach.read(curves(spec, diary, planned if at_work else steps))}

    return run


def curves(spec: TrainingSpec, diary: Diary, steps: int) -> coach.Curves:
    """The curves of a finished run, as the coach is given them."""
    facts = coaching.facts_of(spec.family, spec.train, spec.validation)
    return coaching.curves_of(
        lambda name, split: [*sorted(diary.points[split, name].items())], facts, spec.recipe, steps
    )


def relabelled(rows: Sequence[Example], share: float) -> list[Example]:
    """The rows with this share of their labels drawn at random: nothing can be learned of those."""
    source = random.Random(3)
    return [r.model_copy(update={"label": source.choice(LABELS)}) if source.random() < share else r for r in rows]


def rambling(seed: int, count: int) -> list[Example]:
    """Texts of random letters: they can be memorised and nothing else."""
    source = random.Random(seed)
    words = ["".join(source.choices("abcdefghij", k=5)) for _ in range(400)]
    return [Example(row_id=f"{seed}-{n}", text=" ".join(source.choices(words, k=8))) for n in range(count)]


def puzzle(seed: int, count: int, mistakes: float = 0.1) -> list[Example]:
    """The order of two words decides the label, and some labels are wrong: learnable slowly, never quite."""
    source, out = random.Random(seed), []
    for n in range(count):
        one, two = source.sample(("lamp", "kettle", "parcel", "order"), 2)
        label = LABELS[sorted((one, two)).index(one)] if source.random() > mistakes else source.choice(LABELS)
        out.append(Example(row_id=f"{seed}-{n}", text=f"the {one} came before the {two}", label=label))
    return out


def test_a_healthy_run_is_left_alone(advised: Callable[..., Advised]) -> None:
    assert advised("classifier, full", (puzzle(1, 240), puzzle(2, 100)), epochs=4, batch_size=16) == {}


def test_a_learning_rate_a_thousand_times_too_high_is_named(advised: Callable[..., Advised]) -> None:
    data = (puzzle(1, 240), puzzle(2, 60))
    found = advised("classifier, full", data, learning_rate=1.0, epochs=3, scheduler="constant", batch_size=16)
    assert list(found) == ["rate_too_high"]


def test_twenty_rounds_on_fifty_rows_with_wrong_labels_are_memorising(advised: Callable[..., Advised]) -> None:
    data = (relabelled(classification(1, 50), 0.5), relabelled(classification(2, 40), 0.5))
    found = advised("classifier, full", data, epochs=20, evaluations_per_epoch=1)
    assert list(found) == ["overfitting"]


def test_labels_drawn_at_random_cannot_be_learned(advised: Callable[..., Advised]) -> None:
    data = (relabelled(classification(1, 160), 1), relabelled(classification(2, 60), 1))
    assert list(advised("classifier, full", data, epochs=2, learning_rate=1e-3)) == ["not_learning"]


def test_a_language_model_at_a_rate_far_too_low_is_told_so(advised: Callable[..., Advised]) -> None:
    found = advised("completion, full, packed", (texts(1, 120), texts(2, 30)), epochs=4, learning_rate=2e-5)
    assert list(found) == ["rate_too_low"]


def test_a_run_that_ends_in_the_middle_of_learning_is_told_so(advised: Callable[..., Advised]) -> None:
    settings = {"epochs": 1, "evaluations_per_epoch": 10, "learning_rate": 1e-3, "scheduler": "constant"}
    assert list(advised("completion, full, packed", (texts(1, 60), texts(2, 20)), **settings)) == ["underfitting"]


def test_a_few_rows_learned_by_heart_leave_a_gap(advised: Callable[..., Advised]) -> None:
    data = (puzzle(1, 24, 0), puzzle(2, 60, 0))
    found = advised("classifier, full", data, epochs=20, batch_size=8, evaluations_per_epoch=1, learning_rate=2e-3)
    assert list(found) == ["large_gap"]


def test_a_task_that_one_word_gives_away_looks_too_good(advised: Callable[..., Advised]) -> None:
    found = advised("classifier, full", (classification(1, 160), classification(2, 60)), epochs=2)
    assert "leak" in found["too_good"].text


# -- faults that come in the middle of a run ---------------------------------------------------------------------------


def at_step(number: int, harm: Callable[[Any, Any, dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do harm to the trainer, the model or the batch just before this step (counted from 0)."""
    plain = ClassifierTrainer.training_step

    def step(self: Any, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> torch.Tensor:
        if self.state.global_step == number:
            harm(self, model, inputs)
        return plain(self, model, inputs, *args, **kwargs)

    monkeypatch.setattr(ClassifierTrainer, "training_step", step)


def test_weights_beyond_what_a_float_can_hold_are_a_loss_that_is_no_number(
    advised: Callable[..., Advised], monkeypatch: pytest.MonkeyPatch
) -> None:
    def overflow(trainer: Any, model: Any, batch: dict[str, Any]) -> None:
        with torch.no_grad():
            model.score.weight.mul_(1e30).mul_(1e30)

    at_step(6, overflow, monkeypatch)
    found = advised("classifier, full", (classification(1, 60), classification(2, 15)), epochs=1)
    assert list(found) == ["nan"] and found["nan"].step == 7


def test_a_loss_that_jumps_in_the_middle_and_does_not_come_back_is_a_spike(
    advised: Callable[..., Advised], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dampen(trainer: Any, model: Any, batch: dict[str, Any]) -> None:
        with torch.no_grad():
            model.score.weight.mul_(0.3)

    at_step(80, dampen, monkeypatch)
    settings = {"epochs": 7, "batch_size": 16, "learning_rate": 1e-3, "scheduler": "cosine", "evaluations_per_epoch": 1}
    found = advised("classifier, full", (classification(1, 240), classification(2, 60)), **settings)
    assert found["spike"].step == 81 and "rate_too_high" not in found
    assert [m.step for m in found["spike"].marks] == [81, 101]


def test_labels_that_are_half_luck_are_learned_as_far_as_they_go_and_then_it_is_a_plateau(
    advised: Callable[..., Advised],
) -> None:
    data = (relabelled(classification(1, 640), 0.5), relabelled(classification(2, 300), 0.5))
    settings = {"epochs": 6, "batch_size": 32, "learning_rate": 1e-3, "scheduler": "cosine"}
    found = advised("classifier, full", data, at_work=0.74, **settings)
    assert list(found) == ["plateau"] and found["plateau"].now == "stop"


def test_a_classifier_that_is_right_but_ever_more_certain_of_its_few_mistakes_is_too_sure(
    advised: Callable[..., Advised],
) -> None:
    data = (classification(1, 60), relabelled(classification(2, 60), 0.15))
    found = advised(
        "classifier, full", data, epochs=8, evaluations_per_epoch=1, learning_rate=3e-3, scheduler="constant"
    )
    assert list(found) == ["too_sure"]
    assert {m.curve for m in found["too_sure"].marks} == {"loss", "macro_f1"}


# -- several labels, and numbers ---------------------------------------------------------------------------------------

SHARES = (0.5, 0.4, 0.4)


@pytest.fixture(scope="module")
def advised_of(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Advised]:
    """The same for the families that read a text and answer with labels or a number."""

    def run(family: str, rows: Sequence[Example], held: Sequence[Example], **recipe: Any) -> Advised:
        spec = spec_of("classifier, full", tmp_path_factory.mktemp("run"), small_model, **recipe)
        labels = MANY_LABELS if family == "multi-label" else ()
        given = {"family": family, "labels": labels, "train": tuple(rows), "validation": tuple(held)}
        spec, diary = spec.model_copy(update=given), Diary()
        steps = train(spec, diary).steps
        return {a.kind: a for a in coach.read(curves(spec, diary, steps))}

    return run


def shuffled(rows: Sequence[Example], field: str) -> list[Example]:
    """The rows with their answers dealt out anew: as many of each, and none of them can be told from the text."""
    values = [getattr(r, field) for r in rows]
    random.Random(4).shuffle(values)
    return [r.model_copy(update={field: v}) for r, v in zip(rows, values, strict=True)]


@pytest.mark.parametrize("family", ["multi-label", "regression"])
def test_answers_that_cannot_be_told_from_the_text_are_not_learned_though_the_loss_falls_to_their_average(
    advised_of: Callable[..., Advised], family: str
) -> None:
    if family == "multi-label":
        parts = [shuffled(labelled(n, SHARES, seed), "labels") for n, seed in ((120, 0), (40, 2))]
    else:
        parts = [shuffled(rated(n, seed), "value") for n, seed in ((120, 0), (60, 2))]
    found = advised_of(family, *parts, epochs=2, learning_rate=1e-3)
    assert list(found) == ["not_learning"] and found["not_learning"].look == "tokens"


def test_numbers_that_are_learned_well_are_left_alone(advised_of: Callable[..., Advised]) -> None:
    assert advised_of("regression", rated(120), rated(60, seed=2), epochs=4, evaluations_per_epoch=1) == {}


def test_labels_whose_training_ends_in_the_middle_of_learning_are_told_so_and_nothing_else(
    advised_of: Callable[..., Advised],
) -> None:
    rows, held = labelled(120, SHARES), labelled(60, SHARES, seed=2)
    assert list(advised_of("multi-label", rows, held, epochs=4, evaluations_per_epoch=1)) == ["underfitting"]


def test_a_model_that_knows_its_rows_after_one_pass_draws_stairs(tmp_path: Path) -> None:
    """A model wide enough to keep what it saw once, and rows of words drawn at random, of which nothing but the rows themselves
    can be learned. The validation rows are copies of some: else it would be called overfitting, which says more."""
    from transformers import AutoConfig, LlamaForCausalLM

    from core.training import loading

    wide = small.build(tmp_path / "wide")
    config = AutoConfig.from_pretrained(wide)
    config.hidden_size, config.intermediate_size, config.num_hidden_layers, config.head_dim = 512, 1024, 1, 128
    torch.manual_seed(7)
    LlamaForCausalLM(config).save_pretrained(wide)
    words = sorted(w for w in loading.tokenizer(wide).get_vocab() if w.startswith("\u0120") and w[1:].isalpha())
    source = random.Random(1)
    rows = [Example(row_id=str(n), text=" ".join(source.choices([w[1:] for w in words], k=28))) for n in range(50)]
    settings: dict[str, Any] = {"learning_rate": 3e-4, "batch_size": 1, "epochs": 4, "scheduler": "constant"}
    spec = spec_of("completion, full, packed", tmp_path / "run", wide, **settings)
    plan = spec.plan.model_copy(update={"packing": False})
    spec = spec.model_copy(update={"plan": plan, "train": tuple(rows), "validation": tuple(rows[:10])})
    diary = Diary()
    said = {a.kind: a for a in coach.read(curves(spec, diary, train(spec, diary).steps))}
    assert {100, 150} <= {mark.step for mark in said["stairs"].marks}, (
        "in the first pass it learns the words themselves"
    )
    assert said["stairs"].action == "fewer_epochs"
