"""Trainings that take a second: made-up examples with something to learn in them, and a recorder that remembers."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.schemas.curves import PHASES
from core.schemas.examples import Example, Message
from core.schemas.jobs import Desired
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted
from core.schemas.training import TrainingSpec

LABELS = ("delivery", "praise", "refund")
SENTENCES = {
    "delivery": "the parcel with the {thing} has not arrived {when}",
    "praise": "thank you, the {thing} is bright and nice {when}",
    "refund": "I want my money back, the {thing} was broken {when}",
}
THINGS = ("lamp", "kettle", "box", "telephone", "order", "cup", "chair")
WHEN = ("", "today", "since two days", "when I opened it", "again", "and nobody answers")


def _drawn(seed: int, count: int) -> list[tuple[str, str, str]]:
    """(label, thing, sentence), the same ones for the same seed."""
    source = random.Random(seed)
    out = []
    for n in range(count):
        label, thing = LABELS[n % 3], source.choice(THINGS)
        out.append((label, thing, SENTENCES[label].format(thing=thing, when=source.choice(WHEN)).strip()))
    return out


def classification(seed: int, count: int) -> tuple[Example, ...]:
    return tuple(Example(row_id=f"{seed}-{n}", text=s, label=k) for n, (k, _, s) in enumerate(_drawn(seed, count)))


def chats(seed: int, count: int) -> tuple[Example, ...]:
    answers = {"delivery": "The {0} is on its way.", "praise": "Enjoy your {0}!", "refund": "We pay for the {0}."}
    return tuple(
        Example(
            row_id=f"{seed}-{n}",
            messages=(
                Message(role="user", content=sentence),
                Message(role="assistant", content=answers[label].format(thing)),
            ),
        )
        for n, (label, thing, sentence) in enumerate(_drawn(seed, count))
    )


def texts(seed: int, count: int) -> tuple[Example, ...]:
    return tuple(Example(row_id=f"{seed}-{n}", text=s) for n, (_, _, s) in enumerate(_drawn(seed, count)))


FAST: dict[str, Any] = {"batch_size": 8, "epochs": 3, "early_stopping": 0, "evaluations_per_epoch": 2, "warmup": 0.0}
FULL = Recipe(method="full", learning_rate=3e-3, **FAST)
LORA = Recipe(method="lora", learning_rate=2e-2, lora_rank=8, lora_alpha=16, lora_dropout=0.1, **FAST)
KINDS: dict[str, tuple[str, Callable[[int, int], tuple[Example, ...]], Recipe, bool]] = {
    "classifier, full": ("classifier", classification, FULL, False),
    "classifier, LoRA": ("classifier", classification, LORA, False),
    "chat, full, packed": ("causal-lm", chats, FULL.model_copy(update={"batch_size": 3}), True),
    "chat, LoRA": ("causal-lm", chats, LORA, False),
    "completion, full, packed": ("causal-lm", texts, FULL.model_copy(update={"batch_size": 3}), True),
}


def spec_of(kind: str, folder: Path, base: Path, *, rows: int = 60, **recipe: Any) -> TrainingSpec:
    """A training of one of KINDS with `rows` rows and the given settings changed."""
    family, make, settings, packing = KINDS[kind]
    return TrainingSpec(
        run_id="run",
        family=family,
        folder=str(folder),
        base_folder=str(base),
        plan=PreparationPlan(max_length=96, packing=packing),
        recipe=Recipe(**{**settings.model_dump(), **recipe}),
        labels=LABELS if family == "classifier" else (),
        train=make(1, rows),
        validation=make(2, 15),
    )


def pairs(seed: int, count: int) -> tuple[Example, ...]:
    """The better answer thanks, the worse one scolds; both are of one length, so that only the manner tells them apart."""
    better, worse = "Thank you, the {0} is on its way.", "Not again, the {0} is none of mine."
    return tuple(
        Example(
            row_id=f"{seed}-{n}",
            messages=(
                Message(role="user", content=sentence),
                Message(role="assistant", content=better.format(thing)),
            ),
            rejected=worse.format(thing),
        )
        for n, (_, thing, sentence) in enumerate(_drawn(seed, count))
    )


def thumbs(seed: int, count: int) -> tuple[Example, ...]:
    """Each answer of `pairs` by itself, the better ones liked."""
    return tuple(
        Example(
            row_id=e.row_id,
            messages=e.messages if n % 2 else (*e.prompt, e.other.messages[-1]),
            liked=bool(n % 2),  # type: ignore[union-attr]
        )
        for n, e in enumerate(pairs(seed, count))
    )


PREFERENCES: dict[str, tuple[Callable[[int, int], tuple[Example, ...]], Recipe]] = {
    "pairs, full": (pairs, FULL.model_copy(update={"learning_rate": 5e-4, "evaluations_per_epoch": 1})),
    "pairs, LoRA": (pairs, LORA.model_copy(update={"learning_rate": 1e-2, "evaluations_per_epoch": 1})),
    "thumbs, full": (thumbs, FULL.model_copy(update={"learning_rate": 5e-4, "evaluations_per_epoch": 1})),
    "thumbs, LoRA": (thumbs, LORA.model_copy(update={"learning_rate": 1e-2, "evaluations_per_epoch": 1})),
}


def preference_spec(kind: str, folder: Path, base: Path, *, rows: int = 32, **recipe: Any) -> TrainingSpec:
    """A training of one of PREFERENCES."""
    make, settings = PREFERENCES[kind]
    return TrainingSpec(
        run_id="run",
        family="causal-lm",
        folder=str(folder),
        base_folder=str(base),
        plan=PreparationPlan(max_length=96),
        recipe=Recipe(**{**settings.model_dump(), **recipe}),
        train=make(1, rows),
        validation=make(2, 10),
    )


class Diary:
    """A recorder that remembers everything. `wanted` gives the wish at a step; `leaving` says that the worker ends."""

    def __init__(
        self, wanted: Callable[[int], Desired] = lambda step: Desired.RUN, leaving: Callable[[int], bool] | None = None
    ) -> None:
        self.wanted, self.leaving = wanted, leaving or (lambda step: False)
        self.points: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        self.events: list[tuple[str, int, dict[str, Any]]] = []
        self.checkpoints: set[int] = set()
        self.values: dict[int, float | None] = {}
        self.phases: list[str] = []
        self.kept: set[int] = set()
        self.step = 0

    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        self.phases.append(name)
        if name == "Training":
            self.step = int(done)

    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            assert step not in self.points[split, name], f"{split} {name} was measured twice at step {step}"
            self.points[split, name][step] = value

    def event(self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        self.events.append((kind, step, dict(data or {})))

    def checkpoint(self, step: int, folder: str, metric: float | None) -> None:
        assert folder == f"checkpoints/checkpoint-{step}"
        self.checkpoints.add(step)
        self.values[step] = metric

    def forget_checkpoint(self, step: int) -> None:
        self.checkpoints.discard(step)

    def pinned(self) -> set[int]:
        return self.kept

    def wish(self) -> Desired:
        return self.wanted(self.step)

    def shutting_down(self) -> bool:
        return self.leaving(self.step)

    def obey(self) -> None:
        if self.wish() is not Desired.RUN or self.shutting_down():
            raise Interrupted(self.wish())

    def guard(self) -> None:
        pass


def wish_at(step: int, desired: Desired) -> Callable[[int], Desired]:
    """The person wants `desired` as soon as this step is reached."""
    return lambda now: desired if now >= step else Desired.RUN


MEASURED = {  # what differs from one run to the next, however equal they are
    "seconds", "seconds_per_step", "tokens_per_second", "memory", "use", "share_of_limit", *PHASES,
}  # fmt: skip


def exact(*diaries: Diary) -> dict[tuple[str, str], dict[int, float]]:
    """All curves of one run, recorded in one or several parts, without the measurements of time."""
    out: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
    for diary in diaries:
        for (split, name), points in diary.points.items():
            if name not in MEASURED:
                assert not points.keys() & out[split, name].keys(), f"{split} {name} was measured twice"
                out[split, name] |= points
    return out
