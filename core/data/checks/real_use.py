"""Do the examples look like the texts of real use that the person added?"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.schemas.findings import Finding, Severity

from ..real_use import LENGTHS, TwoSamples, compare, divergence_of
from ._check import ALL, Check, listed, plural, visible
from ._context import Context, count_words
from ._language import detect, name_of

FEWEST = 30  # texts of real use from which anything can be said
WARN, STRONG = 0.6, 0.75  # lower bounds of the AUC (house thresholds)
SHOWN = 12
Q = 0.05


def run(context: Context) -> list[Finding]:
    real = [text for text in context.around.real_texts if text.strip()]
    if not real or not context.rows:
        return []
    # Of a conversation, real use is what people write: the questions.
    mine = ["\n".join(m.content for m in e.messages if m.role == "user") for e in context.talks] or list(context.texts)
    if min(len(real), len(mine)) < FEWEST:
        return [
            Finding(
                check="real_use",
                severity=Severity.INFO,
                title=f"Only {plural(min(len(real), len(mine)), 'text')} to compare with real use: too few to judge",
                meaning=f"With fewer than {FEWEST} texts on either side any difference may be chance.",
                fix="Add more texts from real use.",
                count=len(real),
            )
        ]
    found = compare(mine, real)
    if found is None:
        return []
    lengths, length_note = _lengths([mine[i] for i in found.data], [real[i] for i in found.real])
    language_note, languages = _languages([mine[i] for i in found.data], [real[i] for i in found.real])
    notes = " ".join(note for note in (length_note, language_note) if note)
    low = found.auc.low or 0.0
    data: dict[str, Any] = {
        "examples": [visible(real[i], 300) for i in found.realest[:SHOWN]],
        "unreal": [visible(mine[i], 300) for i in found.unreal[:SHOWN]],
        "words": list(found.words),
        "chart": {"lengths": lengths, "languages": languages},
        "counts": {"real_texts": len(real)},
    }
    basis = f"{len(found.data):,} examples and {len(found.real):,} texts from real use were compared."
    if low <= WARN:
        return [
            Finding(
                check="real_use",
                severity=Severity.INFO if notes else Severity.GOOD,
                title="The examples look like real use",
                meaning=f"A quick model that has to tell them apart hardly can. {basis} {notes}".strip(),
                count=len(real),
                estimate=found.auc,
                data=data | {"unit": "auc"},
            )
        ]
    return [_unlike(context, found, data, f"{basis} {notes}".strip(), strong=low > STRONG)]


def _unlike(context: Context, found: TwoSamples, data: dict[str, Any], notes: str, strong: bool) -> Finding:
    words = f" Words of real use that the examples lack: {listed(found.words)}." if found.words else ""
    return Finding(
        check="real_use",
        severity=Severity.ERROR if strong else Severity.WARNING,
        title=f"The examples {'do not look' if strong else 'look only partly'} like real use",
        meaning="A quick model tells them apart: given one of each, it picks the real one in "
        f"{found.auc.value:.0%} of the cases (50% would be guessing). The model is tuned and tested on another kind of text than "
        f"it will meet, so its test score says little about real use.{words} {notes}",
        fix="Add examples of the kind listed below, with their labels or answers. The rows shown are those least like real use.",
        row_ids=context.ids(found.unreal[:SHOWN]),
        estimate=found.auc,
        data=data | {"unit": "auc"},
    )


def _lengths(mine: list[str], real: list[str]) -> tuple[dict[str, Any], str]:
    a, b = [np.asarray([count_words(t) for t in side]) for side in (mine, real)]
    bins = [np.digitize(side, LENGTHS) - 1 for side in (a, b)]
    estimate, p = divergence_of(bins[0].tolist(), bins[1].tolist(), len(LENGTHS))
    chart = {
        "edges": LENGTHS[:-1],
        "data": np.bincount(bins[0], minlength=len(LENGTHS) - 1)[: len(LENGTHS) - 1].tolist(),
        "real": np.bincount(bins[1], minlength=len(LENGTHS) - 1)[: len(LENGTHS) - 1].tolist(),
        "divergence": estimate.model_dump(),
        "p": p,
    }
    middle, other = float(np.median(a)), float(np.median(b))
    if p >= Q or estimate.value < 0.05:
        return chart, ""
    word = "longer" if other > middle else "shorter" if other < middle else "of other lengths"
    return chart, (
        f"Real texts are {word}: half have up to {other:.0f} words, of the examples {middle:.0f} (divergence "
        f"{estimate.value:.2f}, {estimate.low:.2f} to {estimate.high:.2f}, n = {estimate.n:,})."
    )


def _languages(mine: list[str], real: list[str]) -> tuple[str, dict[str, Any]]:
    a, b = detect(mine), detect(real)
    codes = list(dict.fromkeys([*a.counts, *b.counts]))
    if not a.found or not b.found or not codes:
        return "", {}
    number = {code: k for k, code in enumerate(codes)}
    sides = [[number[code] for code, _ in side.found.values()] for side in (a, b)]
    estimate, p = divergence_of(sides[0], sides[1], len(codes))
    chart = {"data": a.counts, "real": b.counts, "divergence": estimate.model_dump(), "p": p}
    if p >= Q or estimate.value < 0.05 or (a.main == b.main is not None and estimate.value < 0.1):
        return "", chart
    shares = {code: b.counts.get(code, 0) / len(b.found) - a.counts.get(code, 0) / len(a.found) for code in codes}
    most = max(shares, key=lambda code: shares[code])
    return (
        f"Real use has more {name_of(most)}: {b.counts.get(most, 0) / len(b.found):.0%} of its texts, "
        f"{a.counts.get(most, 0) / len(a.found):.0%} of the examples.",
        chart,
    )


PLUGIN = Check("real_use", "Real use", 48, ALL, run)
