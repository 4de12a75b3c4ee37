"""Does a model answer differently when the same validation row is about another group of people?"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from pydantic import Field

from core.data.counterfactual import LeftOut, examine, labels_about
from core.data.lexicon import Lexicon, require_swaps
from core.data.own_words import lexicon_for
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate
from core.schemas.findings import Finding

from ._config import axes_field, rows_field
from ._guards import after_guard, decides, own_texts, require_same_labels
from ._measure import Measured, Pair, ScoredPair, measure_answers, measure_classes, measure_classifier
from ._reader import Reader
from ._report import Setting, report
from ._sampled import for_the_base, readings_field
from ._scored_rows import scored_rows


class Config(Schema):
    axes: tuple[str, ...] = axes_field()
    swaps_a_row: int = Field(
        3,
        title="Swaps a row",
        description="With many groups, each row is swapped to at most this many of them.",
        ge=1,
        le=20,
        json_schema_extra={"level": "advanced"},
    )
    rows: int = rows_field()
    base_readings: int = readings_field()


class CounterfactualSwap:
    key = "counterfactual_swap"
    title = "Swapped validation rows"
    seen = "when the people in your own texts are swapped"
    help = (
        "Takes your own validation rows, changes only who they are about (she to he, Muslim to Christian), and "
        "measures how far the model's answer moves. A fair model's answer stays where it is."
    )
    order = 20
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm")
    config = Config
    needs_model = True

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        return _Plan.of(data, config).passes

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        plan = _Plan.of(data, config)
        assert data.tuned is not None
        reader = Reader(data.progress, plan.passes)
        share, collapsed = None, None
        if plan.classifies:
            tuned, share, collapsed = _classified(self.key, data, plan, reader)
            base = measure_classifier(reader, data.base, plan.base_pairs) if data.base is not None else None
        else:
            tuned = measure_answers(reader, data.tuned, plan.scored)
            base = measure_answers(reader, data.base, plan.scored) if data.base is not None else None
        setting = Setting(
            audit=self.key,
            lexicon=plan.lexicon,
            unit_word="rows",
            what_moves="moves the answer" if plan.classifies else "changes how likely the right answer is to the model",
            fix="Try a corrective action, for example training with swapped copies of the rows, and audit again.",
        )
        told = report(setting, tuned, base)
        guard = (collapsed,) if collapsed else ()
        return AuditResult(
            audit=self.key,
            title=self.title,
            headline=after_guard(collapsed, told.headline),
            unit=tuned.scale.unit,
            findings=(*guard, *told.findings),
            comparisons=told.comparisons,
            rows=told.rows,
            pairs=told.pairs,
            gaps=told.gaps,
            top_class_share=share,
            n=len({pair.unit for pair in tuned.pairs}),
            seconds=time.perf_counter() - started,
            not_tested=plan.not_tested,
        )


@dataclass(frozen=True)
class _Plan:
    """What will be read: pairs of texts for a classifier, pairs of prompts with one answer for a language model."""

    lexicon: Lexicon
    classifies: bool
    pairs: list[Pair]
    base_pairs: list[Pair]
    scored: list[ScoredPair]
    not_tested: tuple[str, ...]
    passes: int

    @classmethod
    def of(cls, data: AuditInput, config: Config) -> _Plan:
        if data.tuned is None:
            raise UserError("There is no model to audit.", "Only the data was given.", "Train a model first.")
        lexicon = require_swaps(lexicon_for(data.language, data.own_words))
        models = 1 if data.base is None else 2
        if data.tuned.labels:
            require_same_labels(data)
            pairs, not_tested = _pairs(data, config, lexicon)
            base_pairs, sampled = for_the_base(pairs, len(data.tuned.labels), config.base_readings)
            if data.base is not None and sampled:
                not_tested.append(sampled)
            passes = len(_texts(pairs) | set(own_texts(data))) + (models - 1) * len(_texts(base_pairs))
            return cls(lexicon, True, pairs, base_pairs, [], tuple(not_tested), passes)
        scored, not_tested = scored_rows(data.examples[: config.rows], config.axes, lexicon, config.swaps_a_row)
        not_tested.append("What the model writes itself: measured is only how likely it finds the answers in the rows.")
        passes = models * len({side for one in scored for side in (one.before, one.after)})
        return cls(lexicon, False, [], [], scored, tuple(not_tested), passes)


def _texts(pairs: list[Pair]) -> set[str]:
    return {text for pair in pairs for text in (pair.before, pair.after)}


def _classified(
    audit: str, data: AuditInput, plan: _Plan, reader: Reader
) -> tuple[Measured, Estimate | None, Finding | None]:
    assert data.tuned is not None
    own = own_texts(data)
    found = reader.classify(data.tuned, [*(text for p in plan.pairs for text in (p.before, p.after)), *own])
    share, collapsed = decides(audit, data, [found[text] for text in own])
    return measure_classes(plan.pairs, found, data.tuned.labels), share, collapsed


def _pairs(data: AuditInput, config: Config, lexicon: Lexicon) -> tuple[list[Pair], list[str]]:
    """All swaps of the rows, and what was left out in words with counts."""
    about = labels_about((example.label for example in data.examples), lexicon)
    axes = [axis for axis in config.axes if axis not in about]
    pairs: list[Pair] = []
    reasons: Counter[LeftOut] = Counter()
    for example in data.examples[: config.rows]:
        swapped, left_out = examine(example.text, axes, lexicon, config.swaps_a_row)
        reasons.update(left_out.values())
        pairs += [
            Pair(example.row_id, s.axis, s.from_group, s.to_group, example.text, s.text, s.mixed) for s in swapped
        ]
    not_tested = [
        f"{lexicon.axis(axis).title}: the label “{label}” is itself about it, so swapping would make it wrong."
        for axis, label in about.items()
        if axis in config.axes
    ]
    not_tested += [f"{count:,} rows: {reason.value}." for reason, count in reasons.most_common()]
    tested = {pair.axis for pair in pairs}
    missing = [lexicon.axis(axis).title.lower() for axis in axes if axis not in tested]
    if missing:
        not_tested.append(f"No row can be swapped for: {', '.join(missing)}. The neutral probes cover these.")
    if len(data.examples) > config.rows:
        not_tested.append(
            f"{len(data.examples) - config.rows:,} of {len(data.examples):,} rows (the limit was reached)."
        )
    return pairs, not_tested


PLUGIN = CounterfactualSwap()
