"""What the torch half of a format does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import PeftModel

from core.data.encoding import Codec


@dataclass(frozen=True)
class Given:
    """The loaded checkpoint and what belongs to it. `source` is the run's model folder; `ends` are the tokens that end an
    answer; `obey` is called between parts and raises where the work is to stop."""

    model: Any
    codec: Codec
    source: Path
    base_folder: str
    conversational: bool
    ends: tuple[int, ...]
    obey: Callable[[], None]

    def merged(self) -> Any:
        """The model with its adapter, if it has one, in the weights. The adapter is gone from the loaded model afterwards."""
        whole = self.model.merge_and_unload() if isinstance(self.model, PeftModel) else self.model
        whole.config.use_cache = True
        return whole


@dataclass(frozen=True)
class Writer:
    """`write` fills the folder; `readers` are what must agree, by their names in `core/training/reread.py` (one that is not
    installed is passed over where another is left); `needs_base` says that the base model is read beside it."""

    key: str
    write: Callable[[Given, Path], None]
    readers: tuple[str, ...] = ("transformers",)
    needs_base: bool = False
