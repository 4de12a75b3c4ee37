"""Some rows of a dataset version as examples, without turning the other rows into anything: for screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import pandas as pd

from core.schemas.examples import Example
from core.store.tables import DatasetVersion
from core.tasks import registry as tasks

from . import datasets


def at(version: DatasetVersion, task: str, positions: Sequence[int]) -> list[Example | None]:
    """The examples at these places of the file (0 is the first row); None where a row is empty."""
    make = tasks()[task].to_example
    chosen = datasets.frame(version).iloc[list(positions)]
    out = []
    for row in chosen.to_dict("records"):
        clean = {str(k): (v if isinstance(v, str) else None if pd.isna(v) else str(v)) for k, v in row.items()}
        out.append(make(clean, version.roles, str(row[datasets.ROW_ID])))
    return out


def spread(version: DatasetVersion, task: str, most: int) -> list[Example]:
    """At most `most` examples, evenly spread over the file."""
    total = len(datasets.frame(version))
    places = range(total) if total <= most else [i * total // most for i in range(most)]
    return [example for example in at(version, task, places) if example is not None]


def label_counts(version: DatasetVersion) -> Counter[str]:
    """Rows with a text of each category as written (but for blanks around it); empty where no column holds one."""
    roles = version.roles
    return Counter(_label_counts(version.content, roles.get("label") or "", roles.get("text") or "", version.id))


@lru_cache(maxsize=16)
def _label_counts(_content: str, column: str, text: str, version_id: str) -> dict[str, int]:
    frame = datasets.frame(datasets.get_version(version_id))
    if column not in frame.columns:
        return {}
    if text in frame.columns:  # a row without a text is no example, and its label need not be one (a sum below a table)
        frame = frame[frame[text].fillna("").astype(str).str.strip() != ""]
    found = frame[column].dropna().astype(str).str.strip()
    return {str(label): int(n) for label, n in found[found != ""].value_counts().items()}
