"""What all GGUF formats share: which models fit."""

from __future__ import annotations

from core.data.gguf_support import unfit
from core.schemas.exports import Exportable

FAMILIES = ("causal-lm",)
NEEDS = ("gguf",)


def fits(model: Exportable) -> str:
    return unfit(model.config, model.base.folder)
