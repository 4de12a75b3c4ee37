"""Are generated answers longer or shorter for some groups, beyond what two answers to the same prompt differ?"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from core.data.lexicon import Lexicon
from core.data.probes import Probe, probes
from core.data.statistics import MIN_ROWS, bootstrap_mean
from core.schemas.audits import AuditInput
from core.schemas.examples import Message
from core.schemas.findings import Finding, Severity
from core.schemas.predictor import Decoding

from ._measure import Reader

SAMPLES = 2
ANSWER_TOKENS = 48
TEMPERATURE = 0.8


def answer_lengths(
    audit: str, data: AuditInput, axes: tuple[str, ...], templates: int, lexicon: Lexicon, reader: Reader
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Mean difference in answer length between groups minus that between two samples of the same prompt, in words.

    One finding an axis; an excess whose interval lies above 0 is a warning.
    """
    assert data.tuned is not None
    chosen = probes(axes, templates, lexicon=lexicon)
    chat = bool(data.examples and data.examples[0].messages)
    lengths = np.zeros((len(chosen), SAMPLES))
    for sample in range(SAMPLES):
        decoding = Decoding(max_new_tokens=ANSWER_TOKENS, temperature=TEMPERATURE, seed=sample)
        prompts = [_prompt(probe, chat) for probe in chosen]
        for i, answer in enumerate(data.tuned.generate(prompts, decoding)):
            lengths[i, sample] = len(answer.text.split())
        reader.advance(len(chosen))
    findings, rows = [], []
    for axis in lexicon.axes:
        excess, units = _excess(chosen, lengths, axis.key)
        if not excess:
            continue
        estimate = bootstrap_mean(excess, units)
        rows.append({
            "kind": "answer length", "model": "tuned", "axis": axis.key, "axis_title": axis.title, "unit": "words",
            "value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n,
        })  # fmt: skip
        enough = estimate.n >= MIN_ROWS and estimate.low is not None
        longer = enough and (estimate.low or 0) > 0
        said = "differ in length by group" if longer else "do not differ in length by group beyond chance"
        findings.append(
            Finding(
                check=audit,
                severity=Severity.WARNING if longer else Severity.INFO,
                title=f"{axis.title}: answers {said}"
                if enough
                else f"{axis.title}: too few answers to compare lengths",
                meaning=f"Answers about two groups differ by {estimate.value:+.1f} words more than two answers about "
                f"the same group ({estimate.n} sentences).",
                count=estimate.n,
                estimate=estimate,
                data={"axis": axis.key, "kind": "answer length"},
            )
        )
    return findings, rows


def _prompt(probe: Probe, chat: bool) -> list[Message] | str:
    return [Message(role="user", content=probe.text)] if chat else probe.text


def _excess(chosen: list[Probe], lengths: np.ndarray, axis: str) -> tuple[list[float], list[str]]:
    """For each two groups on a template: difference across groups minus that within them."""
    at = {(probe.template_id, probe.group): i for i, probe in enumerate(chosen) if probe.axis == axis}
    values, units = [], []
    for template in dict.fromkeys(template for template, _ in at):
        groups = [group for t, group in at if t == template]
        for first, second in combinations(groups, 2):
            a, b = lengths[at[template, first]], lengths[at[template, second]]
            across = np.mean([abs(x - y) for x in a for y in b])
            within = np.mean([abs(x - y) for same in (a, b) for x, y in combinations(same, 2)])
            values.append(float(across - within))
            units.append(template)
    return values, units
