"""Does a language model answer differently when the same prompt is about another group: longer, ruder, or not at all?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pydantic import Field

from core.data.audit_words import change_sentence
from core.data.in_words import listed
from core.data.lexicon import Lexicon, require_swaps
from core.data.own_words import lexicon_for
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Comparison, Estimate
from core.schemas.findings import Finding

from ._answers_judged import Judged
from ._config import axes_field
from ._prompts import PromptPair, prompt_pairs, text_of
from ._reader import Reader
from ._samples import Kind, Written, kinds, values_of, write
from ._scorer import bad_label, own_gaps, probes_for, scorer_of

EXAMPLES = 5


class Config(Schema):
    axes: tuple[str, ...] = axes_field(("gender",))
    prompts: int = Field(
        30,
        title="Prompts for each kind of group",
        description="Your own prompts, each once as it is and once about another group. 30 are needed for any judgement.",
        ge=30,
        le=500,
        json_schema_extra={"level": "basic"},
    )
    samples: int = Field(
        5,
        title="Answers in a set",
        description="Two sets are written for every prompt, so that the difference between groups can be held against that "
        "between two sets of the same prompt.",
        ge=5,
        le=50,
        json_schema_extra={"level": "advanced"},
    )
    tokens: int = Field(
        48,
        title="Length of an answer",
        description="An answer is cut after so many tokens.",
        ge=8,
        le=512,
        json_schema_extra={"level": "advanced"},
    )
    scorer_label: str = Field(
        "",
        title="What the scorer should find",
        description="The label of your own scorer whose probability counts, for example toxic. Empty: one that sounds like it.",
        json_schema_extra={"level": "advanced"},
    )
    with_base: bool = Field(
        True,
        title="The base model as well",
        description="Also lets the untouched model answer, to see what fine-tuning changed. It takes twice as long.",
        json_schema_extra={"level": "advanced"},
    )


class WrittenAnswers:
    key = "written_answers"
    title = "Written answers"
    seen = "in what it writes to prompts that differ only in who they are about"
    help = (
        "Lets the model answer your own prompts several times, once about one group and once about another, and compares length, "
        "refusals and rude words with how much answers to one and the same prompt differ. It takes long without a graphics card."
    )
    order = 50
    families: tuple[AuditFamily, ...] = ("causal-lm",)
    config = Config
    needs_model = True
    optional = True

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        lexicon = require_swaps(lexicon_for(data.language, data.own_words))
        return _passes(data, config, _pairs(data, config, lexicon), lexicon)

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        if data.tuned is None:
            raise UserError("There is no model to audit.", "Only the data was given.", "Train a model first.")
        lexicon = require_swaps(lexicon_for(data.language, data.own_words))
        pairs = _pairs(data, config, lexicon)
        reader = Reader(data.progress, _passes(data, config, pairs, lexicon))
        place = bad_label(data.scorer.labels, config.scorer_label) if data.scorer is not None else 0
        judge = scorer_of(data.scorer, place) if data.scorer is not None else None
        auditor: dict[str, Estimate] = {}
        if data.scorer is not None:  # the auditor is audited first
            auditor = own_gaps(reader, data.scorer, place, probes_for(config.axes, lexicon))
        measured, not_tested = kinds(data.language, judge)
        tuned = write(reader, data.tuned, pairs, config.samples, config.tokens)
        base = None
        if data.base is not None and config.with_base:
            base = write(reader, data.base, pairs, config.samples, config.tokens)
        rows: list[dict[str, Any]] = []
        comparisons: list[Comparison] = []
        told = []
        for kind in measured:
            mine, theirs = values_of(tuned, kind), values_of(base, kind) if base is not None else None
            for axis in dict.fromkeys(pair.axis for pair in pairs):
                one = Judged(lexicon, kind, axis, pairs, mine, theirs)
                rows += one.rows()
                comparisons += one.comparison()
                told.append((kind, one, auditor.get(axis) if kind.key == "scorer" else None))
        rows += _auditor_rows(lexicon, auditor)
        findings = [finding for kind, one, own in told for finding in one.finding(self.key, own)]
        not_tested.append(f"Answers beyond {config.tokens} tokens, and their content beyond what is listed here.")
        sources = Counter(pair.source for pair in pairs)
        not_tested += [f"{count:,} of {len(pairs):,} pairs come from {name}." for name, count in sources.items()]
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=f"{_headline(findings)} {change_sentence(comparisons, 'W1')}".strip(),
            unit="W1",
            findings=tuple(findings),
            comparisons=tuple(comparisons),
            rows=tuple(rows),
            pairs=tuple(_examples(pairs, tuned, measured)),
            n=len({pair.unit for pair in pairs}),
            seconds=time.perf_counter() - started,
            not_tested=tuple(not_tested),
        )


def _pairs(data: AuditInput, config: Config, lexicon: Lexicon) -> list[PromptPair]:
    return prompt_pairs(data.examples, config.axes, config.prompts, lexicon)


def _passes(data: AuditInput, config: Config, pairs: Sequence[PromptPair], lexicon: Lexicon) -> int:
    """Answers to write, each counting once, and what a scorer reads of neutral sentences."""
    prompts = {side for pair in pairs for side in (pair.before, pair.after)}
    models = 1 + (data.base is not None and config.with_base)
    read = len({probe.text for probe in probes_for(config.axes, lexicon)}) if data.scorer is not None else 0
    return models * len(prompts) * 2 * config.samples + read


def _auditor_rows(lexicon: Lexicon, auditor: dict[str, Estimate]) -> Iterator[dict[str, Any]]:
    for axis, gap in auditor.items():
        yield {
            "kind": "the scorer's own gap", "model": "scorer", "axis": axis, "axis_title": lexicon.axis(axis).title,
            "value": gap.value, "low": gap.low, "high": gap.high, "n": gap.n, "unit": "probability",
        }  # fmt: skip


def _headline(findings: Sequence[Finding]) -> str:
    loud = list(
        dict.fromkeys(f"{f.data['axis_title'].lower()} ({f.data['kind']})" for f in findings if f.severity == "warning")
    )
    if loud:
        return f"What the model writes depends on who it is about: {listed(loud)}."
    if all(finding.data["kind"] == "too few" for finding in findings):
        return "There is not enough data to compare written answers."
    return "No noticeable difference in what the model writes about different groups."


def _examples(pairs: Sequence[PromptPair], written: Written, measured: Sequence[Kind]) -> Iterator[dict[str, Any]]:
    """The pairs whose answers differ most by the first measure, with one answer each."""
    kind = measured[0]
    moved = values_of(written, kind).moved
    for i in np.argsort(-np.abs(moved), kind="stable")[:EXAMPLES].tolist():
        pair = pairs[i]
        sides = []
        for prompt, answers in ((pair.before, written.before[i]), (pair.after, written.after[i])):
            lengths = kind.measure(answers)
            typical = answers[int(np.argsort(lengths, kind="stable")[len(lengths) // 2])]
            sides.append(f"{text_of(prompt)} → {typical}")
        yield {
            "unit": pair.unit, "axis": pair.axis, "from_group": pair.from_group, "to_group": pair.to_group,
            "before": sides[0], "after": sides[1], "gap": float(abs(moved[i])), "output": kind.title,
        }  # fmt: skip


PLUGIN = WrittenAnswers()
