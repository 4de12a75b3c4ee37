"""The whole model that a training begins with, made from what an earlier run left: its weights, or base and adapter in one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from peft import PeftModel

from core.atomic import new_folder
from core.schemas.recorder import Recorder

from . import loading
from .faults import translated


def make(source: Path, target: Path, recorder: Recorder) -> None:
    """Fill `target` (whole or absent) with the model of a finished run, unless it is there. Weights that were trained whole
    are linked and take no space; an adapter is merged, so that the training begins with a plain model as with any base.

    Raises UserError where the model is damaged.
    """
    if target.is_dir():
        return
    recorder.phase("Preparing the model to begin with")
    loading.refuse_damaged(source)
    with translated(), new_folder(target, recorder.guard) as folder:
        if not (source / "adapter_config.json").exists():
            for file in source.iterdir():
                if file.is_file() and file.name not in ("manifest.json", loading.TUNED_FILE):
                    _link(file, folder / file.name)
            return
        model, tokenizer, _ = loading.tuned_model(source)
        assert isinstance(model, PeftModel)
        whole: Any = model.merge_and_unload()
        whole.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or a file system without links
        shutil.copyfile(source, target)
