"""Before a small gap counts: does the model decide anything at all, and are base and tuned comparable?"""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.audits import AuditInput
from core.schemas.estimates import Estimate
from core.schemas.findings import Finding, Severity

from ._measure import Floats, favourite_share

COLLAPSED = 0.95
"""A classifier that gives this share of rows one class hardly decides anything (house default)."""
ROWS = 200


def own_texts(data: AuditInput) -> list[str]:
    """Rows of the person whose answers show whether the model decides anything. Neutral sentences could not: they may
    rightly all get one class."""
    return [example.text for example in data.examples[:ROWS] if example.text]


def decides(audit: str, data: AuditInput, probabilities: Sequence[Floats]) -> tuple[Estimate | None, Finding | None]:
    """The share of the most predicted class, and a warning where it is nearly everything: a model that always answers
    the same has no gap and is not fair."""
    favourite = favourite_share(probabilities)
    if favourite is None or data.tuned is None:
        return None, None
    label, share = data.tuned.labels[favourite[0]], favourite[1]
    if share.value < COLLAPSED:
        return share, None
    return share, Finding(
        check=audit,
        severity=Severity.WARNING,
        title=f"The model answers “{label}” for {share.value:.0%} of {share.n:,} validation rows",
        meaning="A model that nearly always gives the same answer looks fair because it decides nothing. Read every "
        "small gap with that in mind.",
        fix="Look at its test scores first: if it is no better than always guessing the most frequent label, train "
        "again before judging fairness.",
        count=share.n,
        estimate=share,
        data={"kind": "collapse", "label": label},
    )


def after_guard(collapsed: Finding | None, headline: str) -> str:
    return f"{collapsed.title}, so small gaps mean little. {headline}" if collapsed else headline


def require_same_labels(data: AuditInput) -> None:
    """Raises ValueError where base and tuned do not give probabilities of the same classes in the same order."""
    if data.base is not None and data.tuned is not None and list(data.base.labels) != list(data.tuned.labels):
        raise ValueError(f"base and tuned differ in labels: {data.base.labels} and {data.tuned.labels}")
