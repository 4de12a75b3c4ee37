"""The whole model in the 16-bit format of its base."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoConfig

from ._writer import Given, Writer


def _write(given: Given, folder: Path) -> None:
    own = AutoConfig.from_pretrained(given.base_folder, trust_remote_code=False).dtype
    half = own if own in (torch.bfloat16, torch.float16) else torch.bfloat16
    given.merged().to(half).save_pretrained(folder, safe_serialization=True)


PLUGIN = Writer("merged-16", _write)
