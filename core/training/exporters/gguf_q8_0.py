"""GGUF with 8-bit weights."""

from __future__ import annotations

from functools import partial

from ._gguf import READERS, write
from ._writer import Writer

PLUGIN = Writer("gguf-q8_0", partial(write, kind="Q8_0"), readers=READERS)
