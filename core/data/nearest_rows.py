"""The training rows that most resemble a given text: TF-IDF and cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.schemas.analysis import Neighbour
from core.schemas.examples import Example

from .text_model import READ, features

_AT_ONCE = 256


def nearest(
    train: Sequence[Example],
    texts: Sequence[str],
    asked: Sequence[str],
    most: int = 3,
) -> list[tuple[Neighbour, ...]]:
    """For each text of `asked` the `most` similar training rows, best first; those with nothing in common are left out.
    `texts` are those of the training rows, in their order. Raises ValueError where the two differ in number."""
    if len(train) != len(texts):
        raise ValueError(f"{len(train)} training rows but {len(texts)} texts")
    if not asked or not texts:
        return [()] * len(asked)
    made = features([*texts, *[text[:READ] for text in asked]])
    if made is None:
        return [()] * len(asked)
    known, wanted = made[0][: len(texts)], made[0][len(texts) :]
    found: list[tuple[Neighbour, ...]] = []
    for start in range(0, wanted.shape[0], _AT_ONCE):
        similarity = (wanted[start : start + _AT_ONCE] @ known.T).toarray()
        best = np.argsort(-similarity, axis=1, kind="stable")[:, :most]
        for row, places in zip(similarity, best, strict=True):
            found.append(
                tuple(
                    Neighbour(
                        row_id=train[i].row_id,
                        similarity=round(float(min(1.0, row[i])), 3),
                        label=train[i].label or ", ".join(train[i].labels or ()),
                    )
                    for i in places
                    if row[i] > 0
                )
            )
    return found
