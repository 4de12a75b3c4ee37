"""How large an export gets, from the number of weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.schemas.exports import Exportable

BESIDE = 1 << 18  # bytes: card, helper and settings


def tokenizer(model: Exportable) -> int:
    file = Path(model.base.folder) / "tokenizer.json"
    return (file.stat().st_size if file.exists() else 0) + BESIDE


def of_weights(bytes_each: float) -> Callable[[Exportable], int]:
    return lambda model: int(model.base.parameters * bytes_each) + tokenizer(model)
