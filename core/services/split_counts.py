"""How many rows of each category one part of a split holds, without turning rows into examples."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

from core.store.tables import Plan

from . import datasets, preparation


def of_part(plan: Plan, split: str = "train") -> Counter[str]:
    """Rows of each category in one part of the split."""
    return Counter(_of_part(plan.id, split))


@lru_cache(maxsize=16)
def _of_part(plan_id: str, split: str) -> dict[str, int]:
    plan = preparation.get_plan(plan_id)
    version = datasets.get_version(plan.dataset_version_id)
    column = version.roles.get("label") or ""
    frame = datasets.frame(version)
    if column not in frame.columns:
        return {}
    where = preparation.assignment(plan)
    chosen = frame[[where.get(row_id) == split for row_id in frame[datasets.ROW_ID]]]
    found = chosen[column].dropna().astype(str).str.strip()
    return {str(label): int(n) for label, n in found[found != ""].value_counts().items()}
