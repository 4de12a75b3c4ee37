"""Real trainings of a tiny model: they learn, leave a whole model, and end the same however often they were interrupted."""

from __future__ import annotations

import errno
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import tiny_training as tiny
import torch
from safetensors.torch import load_file, save_file
from tiny_training import Diary, wish_at

from core.atomic import is_whole, publish_folder
from core.schemas.errors import DiskFull, UserError
from core.schemas.examples import Example, Message
from core.schemas.jobs import Desired
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingResult, TrainingSpec
from core.training import arguments, predictors, trainers
from core.training.checkpoints import newest_whole_checkpoint, state_of
from core.training.export import export
from core.training.train import train
from core.training.trainers import ClassifierTrainer

pytestmark = pytest.mark.usefixtures("one_thread")


@dataclass(frozen=True)
class Done:
    spec: TrainingSpec
    diary: Diary
    result: TrainingResult

    @property
    def folder(self) -> Path:
        return Path(self.spec.folder)


@pytest.fixture(scope="module")
def trained(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Done]:
    """One undisturbed training of each kind, made when it is first asked for. Its folder is not to be changed."""
    made: dict[str, Done] = {}

    def get(kind: str) -> Done:
        if kind not in made:
            spec, diary = tiny.spec_of(kind, tmp_path_factory.mktemp("run"), small_model), Diary()
            made[kind] = Done(spec, diary, train(spec, diary))
        return made[kind]

    return get


def resumed(spec: TrainingSpec) -> TrainingSpec:
    """The same training, to go on from its newest whole checkpoint."""
    found = newest_whole_checkpoint(spec.folder)
    assert found is not None
    return spec.model_copy(update={"resume_from": str(found[0])})


def interrupted(spec: TrainingSpec, diary: Diary) -> Interrupted:
    with pytest.raises(Interrupted) as stopped:
        train(spec, diary)
    return stopped.value


def checkpoints(folder: Path) -> set[int]:
    return {int(path.name.split("-")[1]) for path in (folder / "checkpoints").iterdir()}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (file,) = folder.glob("*.safetensors")
    return load_file(file)


def assert_bit_equal(one: Path, other: Path) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    different = [name for name, tensor in first.items() if not torch.equal(tensor, second[name])]
    assert different == []


# -- a training that nobody disturbs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", tiny.KINDS)
def test_the_loss_goes_down_and_the_finished_model_is_whole_and_knows_what_was_measured(
    trained: Callable[[str], Done], kind: str
) -> None:
    done = trained(kind)
    for split in ("validation", "train"):
        losses = done.diary.points[split, "loss"]
        # An adapter cannot change the output layer, whose random weights bound what this tiny model can reach.
        assert losses[max(losses)] < (0.95 if kind == "chat, LoRA" else 0.8) * losses[0], f"{split}: {losses}"
    assert done.result.ended == "done"
    assert is_whole(done.folder / "model")

    model = predictors.tuned(done.folder, done.spec.plan)
    measured = {
        name: points[done.result.best_step]
        for (split, name), points in done.diary.points.items()
        if split == "validation"
    }
    if done.spec.family == "classifier":
        rows = model.classify([e.text for e in done.spec.validation])
        gold = [tiny.LABELS.index(e.label or "") for e in done.spec.validation]
        loss = -sum(math.log(row[label]) for row, label in zip(rows, gold, strict=True)) / len(rows)
        right = sum(row.index(max(row)) == label for row, label in zip(rows, gold, strict=True))
        assert right / len(rows) == pytest.approx(measured["accuracy"])
    else:
        prompts = [e.prompt if e.messages else "" for e in done.spec.validation]
        scores = model.score(prompts, [e.reference or e.text for e in done.spec.validation])
        loss = sum(s.nll for s in scores) / sum(s.tokens for s in scores)
        hits = sum(s.correct for s in scores) / sum(s.tokens for s in scores)
        assert hits == pytest.approx(measured["token_accuracy"])
    assert loss == pytest.approx(measured["loss"], rel=1e-4)
    assert done.result.best_value == pytest.approx(measured["loss"])


@pytest.mark.parametrize("kind", ["classifier, LoRA", "chat, full, packed"])
def test_every_step_has_its_figures_and_every_evaluation_its_checkpoint(
    trained: Callable[[str], Done], kind: str
) -> None:
    done = trained(kind)
    steps = done.result.steps
    for name in ("loss", "grad_norm", "learning_rate", "seconds_per_step", "tokens_per_second"):
        assert sorted(done.diary.points["batch", name]) == list(range(1, steps + 1)), name
        assert all(math.isfinite(value) and value >= 0 for value in done.diary.points["batch", name].values())
    evaluated = sorted(done.diary.points["validation", "loss"])
    assert evaluated[0] == 0 and evaluated[-1] == steps and len(evaluated) >= 6
    assert sorted(done.diary.points["train", "loss"]) == evaluated
    assert "Training" in done.diary.phases
    if done.spec.family == "causal-lm":
        assert [step for kind, step, _ in done.diary.events if kind == "sample"] == evaluated


def test_a_checkpoint_is_on_record_with_its_figure_of_the_metric_that_chooses_the_best(
    trained: Callable[[str], Done], small_model: Path, tmp_path: Path
) -> None:
    done = trained("classifier, LoRA")
    losses = done.diary.points["validation", "loss"]
    assert done.diary.values == {step: pytest.approx(loss) for step, loss in losses.items() if step}
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, best_metric="accuracy")
    diary = Diary(wish_at(5, Desired.PAUSE))
    interrupted(spec, diary)
    assert diary.values == {4: pytest.approx(diary.points["validation", "accuracy"][4]), 5: None}, "5 was not evaluated"


def test_only_the_newest_two_checkpoints_and_the_best_are_kept(small_model: Path, tmp_path: Path) -> None:
    # With a step that is too small to change anything the first evaluation stays the best.
    spec = tiny.spec_of(
        "classifier, full", tmp_path, small_model, rows=24, learning_rate=1e-12, evaluations_per_epoch=3
    )
    diary = Diary()
    result = train(spec, diary)
    assert result.steps == 9
    assert result.best_step == 1
    assert checkpoints(tmp_path) == diary.checkpoints == {1, 8, 9}


def test_early_stopping_waits_for_as_many_evaluations_as_the_recipe_says(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, learning_rate=1e-12, early_stopping=2)
    diary = Diary()
    result = train(spec, diary)
    assert result.ended == "early"
    assert sorted(diary.points["validation", "loss"]) == [0, 4, 8, 12]
    assert (result.steps, result.best_step) == (12, 4)
    assert 12 in checkpoints(tmp_path)


def test_a_fraction_of_an_epoch_ends_with_an_evaluation_at_its_very_last_step(
    small_model: Path, tmp_path: Path
) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, epochs=1.3, evaluations_per_epoch=2)
    diary = Diary()
    assert train(spec, diary).steps == 11
    assert sorted(diary.points["validation", "loss"]) == [0, 4, 8, 11]


# -- interruptions -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "pauses"),
    [
        ("classifier, full", (4,)),  # where an evaluation is due
        ("classifier, full", (11,)),  # in the middle of an epoch, between two evaluations
        ("classifier, LoRA", (3, 8, 13)),  # 8 is the end of an epoch
        ("chat, full, packed", (11,)),
        ("chat, LoRA", (3, 8, 13)),
    ],
)
def test_a_paused_training_ends_with_the_same_bits_and_curves_as_one_left_alone(
    trained: Callable[[str], Done], tmp_path: Path, kind: str, pauses: tuple[int, ...]
) -> None:
    alone = trained(kind)
    spec = alone.spec.model_copy(update={"folder": str(tmp_path)})
    diaries = []
    for step in pauses:
        diaries.append(Diary(wish_at(step, Desired.PAUSE)))
        assert interrupted(spec, diaries[-1]).wish is Desired.PAUSE
        spec = resumed(spec)
        assert Path(spec.resume_from or "").name == f"checkpoint-{step}"
    diaries.append(Diary())
    result = train(spec, diaries[-1])

    last = f"checkpoints/checkpoint-{alone.result.steps}"
    assert_bit_equal(tmp_path / last, alone.folder / last)
    assert_bit_equal(tmp_path / "model", alone.folder / "model")
    assert tiny.exact(*diaries) == tiny.exact(alone.diary)
    same = ("ended", "best_step", "best_value", "steps", "epochs", "train_tokens", "dropped")
    assert {name: getattr(result, name) for name in same} == {name: getattr(alone.result, name) for name in same}


@pytest.mark.parametrize("logged", [400, 8], ids=["every step is a point", "every third step is a point"])
def test_a_training_killed_between_two_checkpoints_draws_the_same_curves_as_one_left_alone(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logged: int
) -> None:
    monkeypatch.setattr(arguments, "MOST_LOGGED_POINTS", logged)
    alone, killed, rest = Diary(), Diary(), Diary()
    train(tiny.spec_of("classifier, full", tmp_path / "alone", small_model), alone)

    def kill(step: int) -> Desired:
        if step == 11:
            raise KeyboardInterrupt
        return Desired.RUN

    killed.wanted = kill
    spec = tiny.spec_of("classifier, full", tmp_path / "killed", small_model)
    with pytest.raises(KeyboardInterrupt):
        train(spec, killed)
    for points in killed.points.values():  # what the worker forgets when it goes back to the checkpoint of step 8
        for step in [step for step in points if step > 8]:
            del points[step]
    train(resumed(spec), rest)

    assert tiny.exact(killed, rest) == tiny.exact(alone)
    assert_bit_equal(tmp_path / "killed" / "model", tmp_path / "alone" / "model")


def test_time_and_tokens_count_all_parts_of_an_interrupted_training(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    interrupted(spec, Diary(wish_at(10, Desired.PAUSE)))
    saved = state_of(tmp_path / "checkpoints" / "checkpoint-10").stateful_callbacks["Progress"]["attributes"]
    result = train(resumed(spec), Diary())
    assert saved["tokens"] > 0 and result.train_tokens > 2 * saved["tokens"]
    assert result.seconds > saved["seconds"] > 0


def test_when_the_worker_ends_the_training_saves_and_leaves(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    assert interrupted(spec, Diary(leaving=lambda step: step >= 5)).wish is Desired.PAUSE
    assert checkpoints(tmp_path) == {4, 5}
    assert all(is_whole(path) for path in (tmp_path / "checkpoints").iterdir())


def test_a_cancelled_training_leaves_at_once_and_saves_nothing_more(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    diary = Diary(wish_at(8, Desired.CANCEL))
    assert interrupted(spec, diary).wish is Desired.CANCEL
    assert checkpoints(tmp_path) == {4}
    assert max(diary.points["validation", "loss"]) == 4
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("wish", [Desired.PAUSE, Desired.STOP])
def test_at_the_very_last_step_there_is_nothing_left_to_pause_or_stop(
    small_model: Path, tmp_path: Path, wish: Desired
) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, rows=24)
    assert train(spec, Diary(wish_at(9, wish))).ended == "done"


def test_a_stopped_training_is_evaluated_and_keeps_its_best_checkpoint(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    diary = Diary(wish_at(10, Desired.STOP))
    result = train(spec, diary)
    losses = diary.points["validation", "loss"]
    assert (result.ended, result.steps) == ("stopped", 10)
    assert sorted(losses) == [0, 4, 8, 10]
    assert result.best_step == min((step for step in losses if step), key=losses.__getitem__)
    assert is_whole(tmp_path / "model")


def test_stopping_a_paused_training_keeps_its_best_without_a_further_step(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    interrupted(spec, Diary(wish_at(9, Desired.PAUSE)))
    diary = Diary(wish_at(0, Desired.STOP))
    result = train(resumed(spec), diary)
    assert (result.ended, result.steps) == ("stopped", 9)
    assert diary.points == {}
    assert is_whole(tmp_path / "model")


@pytest.mark.parametrize(
    "change", [{"epochs": 2}, {"epochs": 1.3}, {"learning_rate": 1e-12, "early_stopping": 1}], ids=str
)
def test_a_training_killed_before_its_model_was_kept_only_keeps_the_model(
    small_model: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, **change)
    before = train(spec, Diary())
    last = weights(tmp_path / "model")
    shutil.rmtree(tmp_path / "model")
    diary = Diary()
    after = train(resumed(spec), diary)
    assert diary.points == {}, "it went on training"
    assert (after.ended, after.steps, after.best_step) == (before.ended, before.steps, before.best_step)
    assert all(torch.equal(tensor, last[name]) for name, tensor in weights(tmp_path / "model").items())


def test_a_resumed_training_computes_with_the_threads_it_began_with(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, rows=24)
    torch.set_num_threads(2)
    try:
        interrupted(spec, Diary(wish_at(4, Desired.PAUSE)))
        torch.set_num_threads(1)
        assert train(resumed(spec), Diary()).details["threads"] == 2
    finally:
        torch.set_num_threads(1)


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(small_model: Path, tmp_path: Path) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, learning_rate=1e-12)
    train(spec, Diary())
    assert checkpoints(tmp_path) == {4, 20, 24}
    (tmp_path / "checkpoints" / "checkpoint-24" / "optimizer.pt").write_bytes(b"cut")
    found = newest_whole_checkpoint(tmp_path)
    assert found is not None and found[1] == 20
    assert checkpoints(tmp_path) == {4, 20}

    # The best one is damaged too: the next best becomes the model.
    with open(tmp_path / "checkpoints" / "checkpoint-4" / "model.safetensors", "r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\xff")
    result = train(resumed(spec), Diary())
    assert result.best_step == 20
    assert json.loads((tmp_path / "model" / "tunewell.json").read_text())["step"] == 20


def test_a_loss_that_is_no_number_ends_the_training_and_is_never_kept(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tiny.spec_of("classifier, full", tmp_path, small_model)
    real = ClassifierTrainer.compute_loss

    def breaking(self: ClassifierTrainer, model: Any, *args: Any, **kwargs: Any) -> Any:
        loss = real(self, model, *args, **kwargs)
        return loss * math.nan if model.training and self.state.global_step >= 7 else loss

    monkeypatch.setattr(ClassifierTrainer, "compute_loss", breaking)
    diary = Diary()
    with pytest.raises(UserError) as error:
        train(spec, diary)
    assert "step 8" in error.value.title
    assert error.value.action == "lower_learning_rate"
    assert math.isnan(diary.points["batch", "loss"][8])
    assert checkpoints(tmp_path) == {4}, "weights that are no numbers were saved"
    assert max(diary.points["validation", "loss"]) == 4


def test_a_base_model_of_nothing_but_nan_is_named_before_any_step(small_model: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    shutil.copytree(small_model, base)
    broken = {name: tensor * math.nan for name, tensor in load_file(base / "model.safetensors").items()}
    save_file(broken, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="no usable numbers"):
        train(tiny.spec_of("classifier, full", tmp_path / "run", base, rows=12), Diary())


def test_a_model_with_missing_weights_is_refused_instead_of_filled_with_random_numbers(
    small_model: Path, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(small_model, base)
    kept = load_file(base / "model.safetensors")
    kept.pop(next(name for name in kept if "down_proj" in name))
    save_file(kept, base / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match="1 of its weights are missing"):
        train(tiny.spec_of("chat, LoRA", tmp_path / "run", base, rows=12), Diary())


@pytest.mark.parametrize(
    "failure",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to ..."
        ),
        MemoryError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_running_out_of_memory_is_named_as_such_with_a_fix(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise failure

    monkeypatch.setattr(ClassifierTrainer, "training_step", fail)
    with pytest.raises(UserError) as error:
        train(tiny.spec_of("classifier, full", tmp_path, small_model, rows=12), Diary())
    assert "out of memory" in error.value.title
    assert "batch size of 8" in error.value.cause
    assert error.value.action == "smaller_batch"


@pytest.mark.parametrize("largest", [20_000, 300_000], ids=["the weights do not fit", "the optimizer does not fit"])
def test_a_checkpoint_that_does_not_fit_on_the_disk_leaves_no_folder_and_says_so(
    small_model: Path, tmp_path: Path, largest: int
) -> None:
    resource = pytest.importorskip("resource")
    spec = tiny.spec_of("classifier, full", tmp_path, small_model, rows=12)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, before[1]))
    try:
        with pytest.raises(UserError) as error:
            train(spec, Diary())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert isinstance(error.value, DiskFull) and error.value.title == "Paused: the disk is full."
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_a_training_that_met_a_full_disk_goes_on_afterwards_as_if_nothing_had_happened(
    trained: Callable[[str], Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = trained("classifier, LoRA")
    spec, before = alone.spec.model_copy(update={"folder": str(tmp_path)}), Diary()

    def full(temporary: Path, path: Path, *guard: Any) -> None:
        if path.name == "checkpoint-8":
            raise OSError(errno.ENOSPC, "No space left on device")
        publish_folder(temporary, path, *guard)

    with monkeypatch.context() as patch:
        patch.setattr(trainers, "publish_folder", full)
        with pytest.raises(DiskFull):
            train(spec, before)
    assert checkpoints(tmp_path) == {4} and before.checkpoints == {4}
    train(resumed(spec), Diary())
    assert_bit_equal(tmp_path / "model", alone.folder / "model")


class Cancelling(Diary):
    """The person cancels as soon as this phase is shown."""

    def __init__(self, phase: str) -> None:
        super().__init__(lambda _: Desired.CANCEL if self.phases[-1:] == [phase] else Desired.RUN)


@pytest.mark.parametrize(
    "phase",
    ["Loading the model", "Asking the checkpoint", "Writing the files", "Loading the export again in a fresh process"],
)
def test_an_export_that_is_cancelled_ends_within_its_phase_and_leaves_nothing(
    trained: Callable[[str], Done], tmp_path: Path, phase: str
) -> None:
    done, diary = trained("classifier, LoRA"), Cancelling(phase)
    questions, others = done.spec.validation[:3], set(psutil.Process().children(recursive=True))
    with pytest.raises(Interrupted):
        export(str(done.folder / "model"), "merged", tmp_path / "out" / "it", done.spec.plan, questions, {}, diary)
    assert diary.phases[-1] == phase
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
    assert set(psutil.Process().children(recursive=True)) <= others


def test_rows_whose_answers_are_all_cut_off_are_refused_in_words(small_model: Path, tmp_path: Path) -> None:
    question = Message(role="user", content="where is it? " * 60)
    rows = tuple(Example(row_id=str(n), messages=(question, Message(role="assistant", content="a"))) for n in range(3))
    spec = tiny.spec_of("chat, LoRA", tmp_path, small_model).model_copy(update={"train": rows})
    with pytest.raises(UserError) as error:
        train(spec, Diary())
    assert "nothing to learn from in the training part" in error.value.title
    assert "maximum length" in error.value.fix
