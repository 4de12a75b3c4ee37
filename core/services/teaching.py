"""From votes to training: what people preferred and corrected on the Samples screen becomes a dataset of preference pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from core.data.duplicates import normalise
from core.data.splitting import FEWEST_TEXTS
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan, SplitPlan
from core.store import records
from core.store.tables import DatasetVersion, Project, Review, Run, SampleSet
from core.tasks import registry as tasks

from . import datasets, health, preparation, projects, recipes, runs, starting

TASK = "preference"
ADVISED = 100  # pairs below which a training hardly moves a model (house threshold, as the health report's advice)
FEWEST = 10  # pairs below which three parts of a split cannot be made in earnest
ROLES = {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"}
SOURCES = {"vote": "from votes", "correction": "from corrections"}


class Pair(NamedTuple):
    """`prompt` is the question, or a whole conversation as JSON."""

    prompt: str
    chosen: str
    rejected: str
    source: str


@dataclass(frozen=True)
class Lesson:
    """What the votes of a project would teach one run's model. `left_out` counts reviews that give no pair, by the reason."""

    pairs: tuple[Pair, ...]
    left_out: Mapping[str, int]

    def count(self, source: str) -> int:
        return sum(pair.source == source for pair in self.pairs)


def fits(run: Run) -> bool:
    """Whether a model of this task can learn from votes: it answers people, and the answers stand in conversations."""
    return tasks()[run.task].conversational


def lesson(run: Run) -> Lesson:
    """All judgements of the samples of this run, as pairs. A prompt of the locked test set never enters."""
    locked = {_key(preparation.compared_text(e)) for e in runs.inputs(run).parts["test"]}
    left_out: dict[str, int] = {}
    found: dict[tuple[str, str, str], Pair] = {}
    for sample_set in records.find(SampleSet, run_id=run.id, newest_first=False):
        for review in records.find(Review, sample_set_id=sample_set.id, newest_first=False):
            item = sample_set.items[review.item]
            if _key(_said(item)) in locked:
                left_out["they ask what the test set asks"] = left_out.get("they ask what the test set asks", 0) + 1
                continue
            pairs = list(_pairs(item, review))
            if not pairs and review.vote:
                alike = review.vote in ("tie", "bad")
                reason = "both answers were judged alike" if alike else "both answers are the same or empty"
                left_out[reason] = left_out.get(reason, 0) + 1
            for pair in pairs:
                found[_key(pair.prompt), _key(pair.chosen), _key(pair.rejected)] = pair
    # A pair that was judged both ways (shown twice, with the sides swapped) tells nothing.
    contrary = {key for key in found if (key[0], key[2], key[1]) in found}
    if contrary:
        left_out["they were judged one way and then the other"] = len(contrary)
    return Lesson(tuple(pair for key, pair in found.items() if key not in contrary), left_out)


def teach(project: Project, run: Run) -> DatasetVersion:
    """Make the pairs the project's dataset, split as the run's data was prepared, and the run the model to go on from.

    The project's task becomes the preference task; earlier versions and rounds stay as they are. Raises UserError where
    there are too few pairs.
    """
    found = lesson(run)
    if len(found.pairs) < FEWEST or len({_key(pair.prompt) for pair in found.pairs}) < FEWEST_TEXTS:
        raise UserError(
            "There are too few votes to learn from.",
            f"They give {len(found.pairs)} pairs of a better and a worse answer; it takes at least {FEWEST}, to "
            f"{FEWEST_TEXTS} or more different questions.",
            f"Judge more samples, or write better answers of your own. {ADVISED} pairs or more are advised.",
        )
    rows = [{datasets.ROW_ID: f"vote-{n}", **pair._asdict()} for n, pair in enumerate(found.pairs)]
    version = datasets.add_version(
        project.id,
        pd.DataFrame(rows),
        roles=ROLES,
        title=f"Votes on the samples of round {run.number}",
        origin={
            "kind": "votes",
            "task": TASK,
            "run": run.id,
            "counts": {"added": len(rows)},
            "sources": {source: found.count(source) for source in SOURCES},
            "left_out": dict(found.left_out),
        },
    )
    # The hope was for a metric of the task before.
    projects.update(project.id, task=TASK, success={})
    starting.choose(projects.get(project.id), run.id)
    project = projects.get(project.id)
    before = PreparationPlan.model_validate(preparation.get_plan(run.plan_id).config)
    preparation.save(project, before.model_copy(update={"split": SplitPlan(strategy="random", seed=before.split.seed)}))
    recipes.keep_draft(projects.get(project.id), recipes.for_project(projects.get(project.id), "balanced"))
    health.submit(project.id, version.id)
    return version


def _pairs(item: Mapping[str, Any], review: Review) -> Iterator[Pair]:
    """The vote as a pair, and a correction against the answer that the model gave."""
    turns = item.get("turns") or []
    prompt = json.dumps(turns, ensure_ascii=False) if len(turns) > 1 else str(item["prompt"])
    base, tuned, corrected = (str(text).strip() for text in (item["base"], item["tuned"], review.corrected))
    if review.vote in ("tuned", "base") and base and tuned and _key(base) != _key(tuned):
        chosen, rejected = (tuned, base) if review.vote == "tuned" else (base, tuned)
        yield Pair(prompt, chosen, rejected, "vote")
    if corrected and tuned and _key(corrected) != _key(tuned):
        yield Pair(prompt, corrected, tuned, "correction")


def _said(item: Mapping[str, Any]) -> str:
    """What was asked, as the split compares it."""
    turns = item.get("turns") or []
    return "\n".join(turn["content"] for turn in turns) or str(item["prompt"])


def _key(text: str) -> str:
    return normalise(text)
