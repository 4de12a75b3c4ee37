"""What the Tokenization screen shows: lengths, what a maximum length costs, padding against packing, one example's tokens."""

from __future__ import annotations

from dataclasses import dataclass

from core.data import lengths as measure
from core.data.encoding import Encoded
from core.data.leakage import Overlap, overlaps
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan
from core.store.tables import Plan, Project

from . import datasets, models, preparation

SAMPLE = 3000  # rows whose lengths are measured for the screen


@dataclass(frozen=True)
class Lengths:
    """Token counts of up to `SAMPLE` rows of `rows`."""

    counts: tuple[int, ...]
    rows: int
    suggested: int
    context_length: int


def examples(project: Project) -> list[Example]:
    version = datasets.current(project)
    return datasets.examples(version, project.task or "")[0] if version else []


def lengths(project: Project, plan: PreparationPlan) -> Lengths:
    """Lengths of the project's examples with its model's tokenizer, before anything is cut."""
    found = examples(project)
    every = max(1, len(found) // SAMPLE)
    counts = tuple(preparation.codec(project, plan).lengths(found[::every][:SAMPLE]))
    context = models.get(project.base_model_key).context_length
    return Lengths(counts, len(found), measure.suggested_max_length(counts, context), context)


def encode(project: Project, plan: PreparationPlan, example: Example) -> list[Encoded]:
    """The example as training will see it: one part, or several of a long completion."""
    return preparation.codec(project, plan).encode_parts(example)


def rendered(project: Project, plan: PreparationPlan, example: Example) -> str:
    """A conversation's prompt in the model's chat template."""
    return preparation.codec(project, plan).prompt_text(example.prompt if example.messages else example.text)


def leaks(project: Project, plan: Plan) -> list[Overlap]:
    """Texts that stand in two parts of the split, equal or nearly."""
    where = preparation.assignment(plan)
    texts = {e.row_id: e.text or "\n".join(m.content for m in e.prompt) for e in examples(project)}
    return overlaps(texts, where)
