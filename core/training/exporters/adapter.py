"""The adapter alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from core.atomic import write_json

from ._writer import Given, Writer


def _write(given: Given, folder: Path) -> None:
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(given.source / name, folder / name)
    # The base is named, not pointed to: a path of this machine is of no use elsewhere.
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = Path(config.get("base_model_name_or_path") or "").name
    write_json(folder / "adapter_config.json", config)


PLUGIN = Writer("adapter", _write, needs_base=True)
