"""What the Tokenization screen shows: lengths, what a maximum length costs, padding against packing, one example's tokens.

Lengths are measured on a sample and kept by the content they were measured on, so that moving a slider costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.data import lengths as measure
from core.data import preference_encoding
from core.data.batching import Waste, simulate
from core.data.chat_template import ChatTemplate
from core.data.encoding import Codec, Encoded
from core.data.leakage import Overlap, overlaps
from core.data.template_check import PROBE, Verdict, check
from core.data.template_trial import refuse_harmful
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan
from core.store.tables import Plan, Project
from core.tasks import registry as tasks

from . import datasets, models, preparation, rows

SAMPLE = 5000  # rows whose lengths are measured for the screen


@dataclass(frozen=True)
class Lengths:
    """Token counts of the usable rows among `sampled` of the file's `rows`. `opening` tokens begin every text."""

    counts: tuple[int, ...]
    rows: int
    suggested: int
    context_length: int
    sampled: int = 0
    opening: int = 0
    in_parts: bool = False

    def kept(self, plan: PreparationPlan) -> list[int]:
        """The lengths that training sees under this plan."""
        return measure.kept(
            self.counts, plan.max_length, in_parts=self.in_parts, opening=self.opening, overlap=plan.chunk_overlap
        )


def examples(project: Project) -> list[Example]:
    version = datasets.current(project)
    return datasets.examples(version, project.task or "")[0] if version else []


def example_at(project: Project, place: int) -> Example | None:
    """The example of one row of the file (0 is the first), or None where that row is empty."""
    version = datasets.current(project)
    return rows.at(version, project.task or "", [place])[0] if version else None


def lengths(project: Project, plan: PreparationPlan) -> Lengths:
    """Lengths of (a sample of) the project's examples with its model's tokenizer, before anything is cut."""
    version = datasets.current(project)
    if version is None:
        raise UserError(
            "There is no dataset yet.", "Nothing has been imported.", "Go to Dataset and add your examples."
        )
    facts = models.get(project.base_model_key)
    changed = (Path(facts.folder) / "tokenizer.json").stat().st_mtime if Path(facts.folder).is_dir() else 0.0
    counts, opening = _counts(
        version.id, version.content, project.task or "", facts.folder, changed, plan.chat_template, plan.system_prompt
    )
    total = version.rows
    return Lengths(
        counts,
        total,
        measure.suggested_max_length(counts, facts.context_length),
        facts.context_length,
        min(total, SAMPLE),
        opening,
        in_parts=tasks()[project.task or ""].key == "completion",
    )


@lru_cache(maxsize=16)
def _counts(
    version_id: str, _content: str, task: str, folder: str, _changed: float, template: str, system: str
) -> tuple[tuple[int, ...], int]:
    plan = PreparationPlan(chat_template=template, system_prompt=system)
    codec = Codec.from_folder(folder, tasks()[task].family, plan)
    found = rows.spread(datasets.get_version(version_id), task, SAMPLE)
    longest = codec.lengths(found)
    pairs = [i for i, example in enumerate(found) if example.rejected]
    others = [other for i in pairs if (other := found[i].other) is not None]
    for i, length in zip(pairs, codec.lengths(others), strict=True):
        longest[i] = max(longest[i], length)  # the longer of two answers has to fit
    return tuple(longest), codec.opening


def encode(project: Project, plan: PreparationPlan, example: Example) -> list[Encoded]:
    """The example as training will see it: one part, or several of a long completion."""
    return preparation.codec(project, plan).encode_parts(example)


def weighed(project: Project, plan: PreparationPlan, example: Example) -> list[Encoded]:
    """The answers of a preference after their prompt, as training will weigh them: two of a pair, one that was rated."""
    return preference_encoding.shown(preparation.codec(project, plan), example)


def rendered(project: Project, plan: PreparationPlan, example: Example) -> str:
    """A conversation's prompt in the chat template."""
    return preparation.codec(project, plan).prompt_text(example.prompt if example.messages else example.text)


def compared(found: Lengths, plan: PreparationPlan, batch_size: int, packs: bool) -> list[Waste]:
    """One round under every way of filling up batches, the least padding first."""
    kept = found.kept(plan)
    ways = [simulate(kept, plan.max_length, batch_size, way) for way in ("bucket", "batch", "fixed")]
    if packs:
        ways.append(simulate(kept, plan.max_length, batch_size, "pack"))
    return sorted(ways, key=lambda way: way.positions)


# -- chat templates ----------------------------------------------------------------------------------------------------


def own_template(project: Project) -> str:
    """The template that is used while none is given: the model's, or a plain one."""
    return ChatTemplate(preparation.codec(project, PreparationPlan()).tokenizer).text


def check_template(project: Project, plan: PreparationPlan) -> list[Verdict]:
    """Judge the plan's template by the tokens that training would see.

    An edited template is first tried in a process of its own. Raises UserError where it cannot be used at all.
    """
    codec = preparation.codec(project, plan)
    if plan.chat_template:
        refuse_harmful(plan.chat_template, [PROBE, PROBE[:1]], codec.tokenizer.special_tokens_map)
    return check(codec)


# -- leaks -------------------------------------------------------------------------------------------------------------


def leaks(project: Project, plan: Plan) -> list[Overlap]:
    """Texts that stand in two parts of the split, equal or nearly. Kept, because a split never changes."""
    return _leaks(plan.id, project.task or "")


@lru_cache(maxsize=16)
def _leaks(plan_id: str, task: str) -> list[Overlap]:
    plan = preparation.get_plan(plan_id)
    found, _ = datasets.examples(datasets.get_version(plan.dataset_version_id), task)
    return overlaps({e.row_id: preparation.compared_text(e) for e in found}, preparation.assignment(plan))
