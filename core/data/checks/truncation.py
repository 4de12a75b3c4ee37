"""What the maximum length cuts off, in tokens of the chosen base model."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.schemas.findings import Finding, Severity

from ..statistics import wilson
from ._check import ALL, Check, plural
from ._context import Context

MANY = 0.01  # share of rows that may be cut before it is a warning (house threshold)


def run(context: Context) -> list[Finding]:
    tokens = context.around.tokens
    if tokens is None or not tokens.counts:
        return []
    counts = np.asarray(tokens.counts)
    p50, p95, p99 = (int(v) for v in np.quantile(counts, [0.5, 0.95, 0.99], method="higher"))
    edges = np.unique(np.geomspace(1, max(2, counts.max() + 1), 24).astype(int)).tolist()
    chart = {
        "tokens": {"p50": p50, "p95": p95, "p99": p99, "longest": int(counts.max())},
        "edges": edges,
        "rows": np.histogram(counts, bins=edges)[0].tolist(),
        "max_length": tokens.max_length,
    }
    cut = np.flatnonzero(counts > tokens.max_length)
    lost = int((counts[cut] - tokens.max_length).sum())
    share = wilson(len(cut), len(counts))
    sampled = "" if len(counts) >= tokens.rows else f" Measured on {len(counts):,} of {tokens.rows:,} rows."
    limit = f"{'the plan' if tokens.planned else 'the suggested length'} of {tokens.max_length:,} tokens"
    spread = f"Half of the rows have up to {p50:,} tokens of {tokens.model}, 95% up to {p95:,}, 99% up to {p99:,}."
    data: dict[str, Any] = {"chart": chart, "unit": "share"}
    if not len(cut) or context.shape == "text":  # plain text for completion is cut into pieces, and nothing is lost
        return [
            Finding(
                check="truncation",
                severity=Severity.GOOD,
                title="Nothing is lost by cutting"
                if not len(cut)
                else "Long texts become several pieces, and nothing is lost",
                meaning=f"{spread} They fit into {limit}.{sampled}" if not len(cut) else f"{spread}{sampled}",
                count=len(counts),
                estimate=share,
                data=data,
            )
        ]
    worst = cut[np.argsort(-counts[cut], kind="stable")]
    ids = [tokens.row_ids[i] for i in worst.tolist()]
    answers = tokens.cuts_answers
    wanted = p99 if p99 > tokens.max_length else int(counts.max())
    room = min(wanted, tokens.context_length or wanted)
    much = (share.value > MANY) or answers
    data |= {
        "link": "tokens",
        "evidence": {tokens.row_ids[i]: f"{counts[i]:,} tokens" for i in worst[:200].tolist()},
    }
    if context.shape == "labels":
        data |= {"fix_key": "shorten_texts"}
    return [
        Finding(
            check="truncation",
            severity=Severity.ERROR if answers else Severity.WARNING if much else Severity.INFO,
            title=f"{plural(len(cut), 'row')} of {len(counts):,} {'lose' if len(cut) != 1 else 'loses'} "
            f"{'the end of the answer' if answers else 'text'} at {tokens.max_length:,} tokens",
            meaning=(
                "A cut answer teaches the model to stop in the middle of a sentence. "
                if answers
                else "The model never sees what is cut off. Where it holds the reason for the label, the label is learned from "
                "something else. "
            )
            + f"{lost / max(1, int(counts.sum())):.1%} of all tokens are lost with {limit}. {spread}{sampled}",
            fix=f"Raise the maximum length to {room:,} on the Tokenization screen, or shorten these rows."
            if room > tokens.max_length
            else "The base model reads no more at once: shorten these rows, or choose a base model that reads longer texts. "
            "Whether the beginning or the end is cut is chosen on the Tokenization screen.",
            count=len(cut),
            row_ids=tuple(ids[:200]),
            estimate=share,
            data=data,
        )
    ]


PLUGIN = Check("truncation", "What is cut off", 52, ALL, run)
