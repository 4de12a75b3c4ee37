"""GGUF with 16-bit weights."""

from __future__ import annotations

from functools import partial

from ._gguf import READERS, write
from ._writer import Writer

PLUGIN = Writer("gguf-f16", partial(write, kind="F16"), readers=READERS)
