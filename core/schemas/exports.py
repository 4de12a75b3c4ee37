"""What a format to take a model away in declares, without torch: for whom it is, which models fit, how large it gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .families import FAMILIES
from .models import ModelFacts

READ = tuple(key for key, facts in FAMILIES.items() if facts.reads)
EVERY = tuple(FAMILIES)


@dataclass(frozen=True)
class Exportable:
    """What is known of a round's model from small files: `config` is the base model's config.json, `learned` the size of the
    adapter's weights in bytes (0 where all weights were trained)."""

    family: str
    adapter: bool
    base: ModelFacts
    config: Mapping[str, Any]
    learned: int = 0

    @property
    def context(self) -> int:
        """Tokens that the model can read at once."""
        return self.base.context_length or 512


@dataclass(frozen=True)
class ExportFormat:
    """`audience` says for whom it is, in a few words; `help` what it is. `tolerance` is the greatest difference of a
    probability (for numbers: in standard deviations of the training rows) by which the export may differ from the
    checkpoint, and `why` says how it was chosen. `same_text` demands in addition that greedy texts are equal.
    `size` estimates bytes; `unfit` says in one sentence why a model cannot be exported so, empty where it can.
    """

    key: str
    title: str
    audience: str
    help: str
    order: int
    tolerance: float
    why: str
    size: Callable[[Exportable], int]
    families: tuple[str, ...] = EVERY
    needs: tuple[str, ...] = ()
    unfit: Callable[[Exportable], str] = lambda model: ""
    note: str = ""
