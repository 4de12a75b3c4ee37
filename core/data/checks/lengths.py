"""How long the texts are, and which are far too long."""

from __future__ import annotations

import numpy as np

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context

HUGE = 20_000  # characters: more than most small models read at once (about 5,000 tokens of English)
SHORT = 30  # words: where no text is longer, every number of words is a bar of its own
EDGES = [0, 1, 2, 3, 5, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 8192, 16384]


def run(context: Context) -> list[Finding]:
    rows = context.rows
    if not rows:
        return []
    words = np.asarray(context.word_counts)
    characters = np.asarray([len(t) for t in context.texts])
    longest = int(words.max())
    edges = list(range(longest + 2)) if longest <= SHORT else [*EDGES, max(EDGES[-1] * 2, longest + 1)]
    chart = {
        "words": _quantiles(words),
        "characters": _quantiles(characters),
        "edges": edges,
        "rows": np.histogram(words, bins=edges)[0].tolist(),
    }
    middle, most = chart["words"]["p50"], chart["words"]["p95"]
    data = {"counts": {"words": int(words.sum()), "characters": int(characters.sum())}, "chart": chart}
    summary = f"Half of the texts have up to {plural(middle, 'word')}, 95% up to {most:,}"
    huge = [] if context.shape == "text" else np.flatnonzero(characters > HUGE).tolist()
    if huge:
        return [
            Finding(
                check="lengths",
                severity=Severity.WARNING,
                title=f"{plural(len(huge), 'text')} longer than {HUGE:,} characters (the longest has "
                f"{characters.max():,})",
                meaning=f"{summary}. Texts this long are cut off at the maximum length when training: the model "
                "never sees the rest, and each costs as much memory as many short ones.",
                fix="Check whether these are real examples or several that ran together. Shorten, split or remove "
                "them.",
                count=len(huge),
                row_ids=context.ids(huge),
                estimate=wilson(len(huge), rows),
                data=data
                | ({"fix_key": "shorten_texts", "fix_options": {"most": HUGE}} if context.shape == "labels" else {})
                | {"evidence": {context.row_ids[i]: f"{characters[i]:,} characters" for i in huge[:200]}},
            )
        ]
    return [
        Finding(
            check="lengths",
            severity=Severity.GOOD,
            title=summary,
            meaning="No text is extremely long. How many tokens fit is decided in the next steps.",
            count=rows,
            data=data,
        )
    ]


def _quantiles(values: np.ndarray) -> dict[str, int]:
    p50, p95, p99 = (int(v) for v in np.quantile(values, [0.5, 0.95, 0.99], method="higher"))
    return {"p50": p50, "p95": p95, "p99": p99, "longest": int(values.max()), "shortest": int(values.min())}


PLUGIN = Check("lengths", "Lengths", 50, ALL, run)
