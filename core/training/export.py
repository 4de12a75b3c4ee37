"""Write a tuned model as a folder that `from_pretrained` loads: the adapter alone, or merged into the base."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from peft import PeftModel

from core.atomic import new_folder, write_json
from core.data.encoding import Codec
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.schemas.recorder import Recorder

from . import loading, parity
from .faults import translated

Kind = Literal["adapter", "merged"]


def export(
    model_folder: str,
    kind: Kind,
    target: Path,
    plan: PreparationPlan,
    questions: Sequence[Example],
    files: dict[str, str],
    recorder: Recorder,
) -> dict[str, Any]:
    """Fill `target` (whole or absent) with weights, tokenizer and `files` (name to text), and prove that it answers alike.

    Raises UserError where the model is damaged, an adapter is wanted of a fully tuned model, or parity fails, and
    Interrupted (nothing is left of it then) when it is to stop.
    """

    def phase(name: str) -> None:
        recorder.obey()
        recorder.phase(name)

    def guard() -> None:
        recorder.obey()
        recorder.guard()

    with translated():
        phase("Loading the model")
        loading.refuse_damaged(model_folder)
        model, tokenizer, facts = loading.tuned_model(model_folder)
        codec = Codec.from_folder(model_folder, facts["family"], plan)
        ids = [_ids(codec, e, facts["family"]) for e in questions]
        phase("Asking the checkpoint")
        expected = []
        for question in ids:
            recorder.obey()
            with torch.no_grad():
                expected.append(parity.answer(model, facts["family"], question))
        base: str | None = None
        with new_folder(target, guard) as folder:
            phase("Writing the files")
            if kind == "adapter":
                base = facts["base_folder"]
                _copy_adapter(Path(model_folder), folder)
            else:
                whole: Any = model.merge_and_unload() if isinstance(model, PeftModel) else model
                whole.config.use_cache = True
                whole.save_pretrained(folder, safe_serialization=True)
            tokenizer.save_pretrained(folder)
            if facts["labels"]:
                write_json(folder / "labels.json", facts["labels"])
            if not FAMILIES[facts["family"]].reads:
                ends = codec.stop_ids(model.generation_config.eos_token_id)
                write_json(folder / "answering.json", _answering(codec, questions, ends))
            for name in ("thresholds", "target"):  # what the head's figures mean
                if name in facts:
                    write_json(folder / f"{name}.json", facts[name])
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
            phase("Loading the export again in a fresh process")
            proof = parity.check(folder, facts["family"], ids, expected, base, recorder.obey)
            write_json(folder / "parity.json", proof)
        return proof


def _copy_adapter(source: Path, target: Path) -> None:
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        shutil.copyfile(source / name, target / name)
    # The base is named, not pointed to: a path of this machine is of no use elsewhere.
    config = json.loads((target / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = Path(config.get("base_model_name_or_path") or "").name
    write_json(target / "adapter_config.json", config)


def _answering(codec: Codec, questions: Sequence[Example], ends: list[int]) -> dict[str, Any]:
    """What the helper of the export (`assets/export/answer.py`) must know to ask as the dashboard does."""
    return {
        "family": codec.family,
        "conversational": any(question.messages for question in questions),
        "system_prompt": codec.plan.system_prompt,
        "chat_template": codec.chat.text,
        "stop_ids": ends,
    }


def _ids(codec: Codec, example: Example, family: str) -> list[int]:
    reads = FAMILIES[family].reads
    if not reads and example.messages:
        return codec.prompt_ids(example.prompt)
    return list(codec.encode(example).ids)[: None if reads else 256]
