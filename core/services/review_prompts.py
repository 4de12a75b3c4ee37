"""Where the prompts of a review come from, and which of them a model has seen or will be tested on."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.data.duplicates import near_pairs, normalise
from core.data.prompt_templates import filled
from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.families import FAMILIES
from core.schemas.reviews import Prompt, ReviewSpec, Source
from core.store import records
from core.store.tables import DatasetVersion, Plan, Project, Run, SampleSet
from core.tasks import registry as tasks

from . import datasets, health_inputs, preparation, runs

Part = Literal["train", "test"]
OPENING = 12  # words of a text that a model of texts goes on with
SPARE = 4  # prompts drawn for each that is wanted, so that near copies can be passed over
SOURCES: dict[Source, str] = {
    "new": "Rows of your other data that this round never saw",
    "real": "Texts from real use that you added on the Dataset screen",
    "validation": "Validation rows: never trained on, but looked at to choose the best checkpoint",
    "templates": "Made from templates",
    "own": "Prompts of your own",
}
IN_TEST, IN_TRAINING, REVIEWED = (
    "they stand in the locked test set",
    "they stand in the training data",
    "they were judged before",
)


@dataclass(frozen=True)
class Chosen:
    """`refused` are the texts that were left out, with the reason."""

    prompts: tuple[Prompt, ...]
    refused: tuple[tuple[str, str], ...]


def opening(text: str, words: int = OPENING) -> str:
    """The first words of a text, with its own spacing."""
    parts = text.split(maxsplit=words)
    return text if len(parts) <= words else text[: len(text) - len(parts[-1])].rstrip()


def ancestry(run: Run) -> list[Run]:
    """The run and those that it began with, whose data it has learned from too."""
    out = [run]
    while out[-1].start_run_id and (before := records.get(Run, out[-1].start_run_id)) is not None:
        out.append(before)
    return out


def pool(project: Project, run: Run, source: Source) -> list[Prompt]:
    """All prompts of a pool, in a fixed order. Empty for prompts that a person writes."""
    if source == "validation":
        return [_of(example) for example in runs.inputs(run).parts["validation"]]
    if source == "real":
        return [asked(run, text) for text in health_inputs.real_texts(project)]
    if source == "new":
        return list(_new_rows(project, run))
    return []


def offered(project: Project, run: Run) -> list[Source]:
    """The sources that this project has, the best first."""
    found: list[Source] = ["validation", "own", "templates"]
    if health_inputs.real_texts(project):
        found.insert(0, "real")
    if any(version.id not in _used(run) for version in _similar_versions(project, run)):
        found.insert(0, "new")
    return found


def asked(run: Run, text: str) -> Prompt:
    """A text of the person's own as this model reads it: a question, or the beginning of a text."""
    chat = tasks()[run.task].conversational or FAMILIES[tasks()[run.task].family].pairs
    return Prompt(text=text, turns=(Message(role="user", content=text),) if chat else ())


def said(prompt: Prompt) -> str:
    """What was asked, as the split compares it."""
    return "\n".join(turn.content for turn in prompt.turns) or prompt.text


def choose(project: Project, run: Run, spec: ReviewSpec) -> Chosen:
    """The prompts of a review: never one that stands in the test set or the training data of any contender.

    Exact repeats (but for case and spacing) are refused. Near ones are passed over as long as others are left, else taken
    and marked. What was judged before comes last from a pool, and is taken where a person wrote it.
    Raises UserError where nothing is left.
    """
    given = _given(project, run, spec)
    owners = [run, *(runs.get(c.run_id) for c in spec.contenders if c.run_id and c.run_id != run.id)]
    seen = seen_texts(project, owners)
    judged = {normalise(text) for text in judged_texts(project)}
    own = spec.source == "own"
    fresh: list[Prompt] = []
    refused: list[tuple[str, str]] = []
    kept: set[str] = set()
    for prompt in given:
        key = normalise(said(prompt))
        reason = IN_TEST if key in seen["test"] else IN_TRAINING if key in seen["train"] else ""
        reason = reason or (REVIEWED if key in judged and not own else "")
        if reason:
            refused.append((prompt.text, reason))
        elif key and key not in kept:
            kept.add(key)
            fresh.append(prompt)
    candidates = fresh if own else fresh[: SPARE * spec.count]
    near = _near([said(p) for p in candidates], seen)
    marked = [p.model_copy(update={"near": near.get(i, "")}) for i, p in enumerate(candidates)]
    if not own:
        marked = sorted(marked, key=lambda p: bool(p.near))  # stable: clean ones first, else as they were drawn
    if not marked:
        why = "; ".join(f"{sum(r == reason for _, r in refused)}: {reason}" for reason in {r for _, r in refused})
        raise UserError(
            "No prompt is left.",
            f"Of {len(given)} prompts none can be used" + (f" ({why})." if why else "."),
            "Write prompts that the model has not met, or make them from templates.",
        )
    return Chosen(tuple(marked if own else marked[: spec.count]), tuple(refused))


def judged_texts(project: Project) -> Iterator[str]:
    """What was asked in every review of the project so far."""
    for sample_set in records.find(SampleSet, project_id=project.id):
        for item in sample_set.items:
            yield asked_in(item)


def asked_in(item: dict[str, object]) -> str:
    """What an item of a sample set asks, as the split compares it."""
    turns = item.get("turns")
    words = [str(turn["content"]) for turn in turns] if isinstance(turns, list) else []
    return "\n".join(words) or str(item["prompt"])


def _given(project: Project, run: Run, spec: ReviewSpec) -> list[Prompt]:
    if spec.source == "own":
        return [asked(run, text) for text in spec.texts]
    if spec.source == "templates":
        # As many as are wanted and some to spare for those that are refused.
        return [asked(run, text) for text in filled(spec.templates, spec.values, SPARE * spec.count, spec.seed)]
    found = pool(project, run, spec.source)
    random.Random(spec.seed + 17).shuffle(found)
    return found


def _of(example: Example) -> Prompt:
    if not example.messages:
        start = opening(example.text)
        return Prompt(text=start, reference=example.text[len(start) :])
    turns = example.prompt
    return Prompt(text="\n\n".join(turn.content for turn in turns), turns=turns, reference=example.reference)


def _similar_versions(project: Project, run: Run) -> list[DatasetVersion]:
    """Versions of the project that hold prompts for this kind of model, newest first."""
    family, known = tasks()[run.task].family, tasks()
    out = []
    for version in datasets.versions(project.id):
        task = datasets.task_of(version)
        if task and known[task].family == family and known[task].conversational == known[run.task].conversational:
            out.append(version)
    return out


def _used(run: Run) -> set[str]:
    return {before.dataset_version_id for before in ancestry(run)}


def _new_rows(project: Project, run: Run) -> Iterator[Prompt]:
    """Rows of versions that neither this round nor those before it learned from. A row that they share is refused later."""
    used = _used(run)
    for version in _similar_versions(project, run):
        if version.id in used:
            continue
        for example in datasets.examples(version, datasets.task_of(version) or run.task)[0]:
            yield _of(example)


def seen_texts(project: Project, owners: Sequence[Run]) -> dict[Part, set[str]]:
    """Questions, normalised, of the training data of all contenders and of what they began with, and of every test set of
    the project (its membership is fixed once for each lineage, so the newest plan of each knows it)."""
    wanted: dict[tuple[str, str], set[Part]] = {}
    for owner in (before for run in owners for before in ancestry(run)):
        wanted[owner.plan_id, owner.task] = {"train", "test"}
    lineages: set[int] = set()
    versions = {version.id: version for version in datasets.versions(project.id)}
    for plan in records.find(Plan, project_id=project.id):
        version = versions[plan.dataset_version_id]
        task = datasets.task_of(version) or project.task
        if task and version.lineage not in lineages:
            lineages.add(version.lineage)
            wanted.setdefault((plan.id, task), {"test"})
    found: dict[Part, set[str]] = {"train": set(), "test": set()}
    for (plan_id, task), parts in wanted.items():
        for part in parts:
            found[part] |= _questions(plan_id, task)[part]
    return found


@lru_cache(maxsize=8)
def _questions(plan_id: str, task: str) -> dict[Part, frozenset[str]]:
    """What the rows of a part ask, normalised. A plan never changes, so it is read once."""
    rows = preparation.parts(preparation.get_plan(plan_id), task)
    names: tuple[Part, ...] = ("train", "test")
    found = {}
    for part in names:
        texts = [text for example in rows[part] if (text := preparation.compared_text(example))]
        # A text to go on with is asked by its first words.
        openings = [opening(example.text) for example in rows[part] if example.text]
        found[part] = frozenset(map(normalise, [*texts, *openings]))
    return found


def _near(texts: Sequence[str], seen: Mapping[Part, set[str]]) -> dict[int, str]:
    """Which of the texts nearly repeat one of a part (Jaccard of 5-character shingles from .8), the test before training."""
    out: dict[int, str] = {}
    parts: tuple[Part, ...] = ("train", "test")
    for part in parts:
        others = sorted(seen[part])
        together = [*texts, *others]
        sides = [0] * len(texts) + [1] * (len(together) - len(texts))
        for i, j, _ in near_pairs(together, sides=sides):
            out[i if i < len(texts) else j] = part
    return out
