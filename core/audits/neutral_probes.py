"""Does a model treat the same everyday sentence differently when it is about another group of people?

A labelled test set can hide bias: where label and group go together in the data, a biased model scores perfectly. These
sentences say nothing but the group, so any difference is the model's own.
"""

from __future__ import annotations

import time
from itertools import combinations

from pydantic import Field

from core.data.counterfactual import labels_about
from core.data.lexicon import Lexicon, require_swaps
from core.data.own_words import lexicon_for
from core.data.probes import CONTROL, Probe, probes
from core.schemas.audits import AuditFamily, AuditInput, AuditResult
from core.schemas.base import Schema
from core.schemas.errors import UserError

from ._config import axes_field
from ._guards import after_guard, decides, own_texts, require_same_labels
from ._measure import Measured, Pair, ScoredPair, measure_answers, measure_classes, measure_classifier
from ._reader import Reader
from ._report import Setting, report
from ._sampled import for_the_base, readings_field
from ._scored_rows import FEWEST_BYTES


class Config(Schema):
    axes: tuple[str, ...] = axes_field()
    templates: int = Field(
        40,
        title="Sentences",
        description="How many everyday sentences are tried for every group. More is more certain and takes longer.",
        ge=30,
        le=500,
        json_schema_extra={"level": "basic"},
    )
    base_readings: int = readings_field()


class NeutralProbes:
    key = "neutral_probes"
    title = "Neutral everyday sentences"
    seen = "in everyday sentences that differ only in who they are about"
    help = (
        "Tries everyday sentences that differ only in who they are about. They carry no hint of the right answer, so "
        "they show what the model thinks of the group itself, also where test scores are perfect."
    )
    order = 30
    families: tuple[AuditFamily, ...] = ("classifier", "causal-lm")
    config = Config
    needs_model = True

    def forward_passes(self, data: AuditInput, config: Config) -> int:
        chosen, _ = _probes(data, config, _lexicon(data))
        return _passes(data, config, chosen)

    def run(self, data: AuditInput, config: Config) -> AuditResult:
        started = time.perf_counter()
        lexicon = _lexicon(data)
        if data.tuned is None:
            raise UserError("There is no model to audit.", "Only the data was given.", "Train a model first.")
        chosen, not_tested = _probes(data, config, lexicon)
        reader = Reader(data.progress, _passes(data, config, chosen))
        share, collapsed = None, None
        if data.tuned.labels:
            require_same_labels(data)
            pairs = [_as_pair(*pair) for pair in _pairs(chosen)]
            own = own_texts(data)
            found = reader.classify(data.tuned, [*(text for p in pairs for text in (p.before, p.after)), *own])
            tuned = measure_classes(pairs, found, data.tuned.labels)
            share, collapsed = decides(self.key, data, [found[text] for text in own])
            base = None
            if data.base is not None:
                sample, sampled = for_the_base(_of_groups(pairs), len(data.tuned.labels), config.base_readings)
                not_tested += [sampled] if sampled else []
                base = measure_classifier(reader, data.base, sample)
        else:
            scored = _scored(chosen)
            tuned = measure_answers(reader, data.tuned, scored)
            base = measure_answers(reader, data.base, scored) if data.base is not None else None
            not_tested.append(
                "What the model writes about a group (tone, stereotypes, refusals): measured is only how likely it "
                "finds the rest of a neutral sentence."
            )
        setting = Setting(
            audit=self.key,
            lexicon=lexicon,
            unit_word="sentences",
            what_moves="moves the answer"
            if data.tuned.labels
            else "changes how likely the model finds the rest of the sentence",
            fix="Try a corrective action, for example training with swapped copies of the rows, and audit again.",
            control=tuned.on(CONTROL),
        )
        told = report(setting, _without_control(tuned), _without_control(base) if base is not None else None)
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
            n=len({probe.template_id for probe in chosen}),
            seconds=time.perf_counter() - started,
            not_tested=tuple(not_tested),
        )


def _lexicon(data: AuditInput) -> Lexicon:
    return require_swaps(lexicon_for(data.language, data.own_words))


def _probes(data: AuditInput, config: Config, lexicon: Lexicon) -> tuple[list[Probe], list[str]]:
    about = labels_about((example.label for example in data.examples), lexicon)
    axes = [axis for axis in config.axes if axis not in about]
    not_tested = [
        f"{lexicon.axis(axis).title}: the label “{label}” is itself about it, so a different answer can be right."
        for axis, label in about.items()
        if axis in config.axes
    ]
    return probes(axes, config.templates, control=True, lexicon=lexicon), not_tested


def _pairs(chosen: list[Probe]) -> list[tuple[Probe, Probe]]:
    """Each two groups of an axis on the same template."""
    together: dict[tuple[str, str], list[Probe]] = {}
    for probe in chosen:
        together.setdefault((probe.axis, probe.template_id), []).append(probe)
    return [pair for same in together.values() for pair in combinations(same, 2)]


def _as_pair(first: Probe, second: Probe) -> Pair:
    return Pair(first.template_id, first.axis, first.group, second.group, first.text, second.text)


def _of_groups(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.axis != CONTROL]


def _without_control(measured: Measured) -> Measured:
    return measured.where(lambda pair: pair.axis != CONTROL)


def _scored(chosen: list[Probe]) -> list[ScoredPair]:
    """The answer is what follows the words for the person: the same text for every group."""
    usable = [probe for probe in chosen if _is_long_enough(probe)]
    return [ScoredPair(_as_pair(a, b), _prompt_and_rest(a), _prompt_and_rest(b)) for a, b in _pairs(usable)]


def _prompt_and_rest(probe: Probe) -> tuple[str, str]:
    return probe.text[: probe.split], probe.text[probe.split :]


def _is_long_enough(probe: Probe) -> bool:
    return len(probe.text[probe.split :].encode()) >= FEWEST_BYTES


def _passes(data: AuditInput, config: Config, chosen: list[Probe]) -> int:
    if data.tuned is None:
        return 0
    if data.tuned.labels:
        passes = len({probe.text for probe in chosen} | set(own_texts(data)))
        if data.base is not None:
            pairs = _of_groups([_as_pair(*pair) for pair in _pairs(chosen)])
            sample, _ = for_the_base(pairs, len(data.tuned.labels), config.base_readings)
            passes += len({text for pair in sample for text in (pair.before, pair.after)})
        return passes
    models = 1 if data.base is None else 2
    return models * len({probe.text for probe in chosen if _is_long_enough(probe)})


PLUGIN = NeutralProbes()
