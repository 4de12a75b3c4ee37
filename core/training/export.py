"""Write a tuned model in one of the formats of `core/exporters`, with all that it needs beside it, and prove that it answers
as the checkpoint did."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import core
from core import exporters as formats
from core.atomic import new_folder, write_json
from core.data.encoding import Codec
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.schemas.recorder import Recorder

from . import exporters, loading, parity
from .faults import translated

HELPERS = Path(core.__file__).parents[1] / "assets" / "export"


def export(
    model_folder: str,
    kind: str,
    target: Path,
    plan: PreparationPlan,
    questions: Sequence[Example],
    files: Mapping[str, str | bytes],
    recorder: Recorder,
) -> dict[str, Any]:
    """Fill `target` (whole or absent) with weights, tokenizer, helper and `files` (name to text), and prove that it answers
    alike.

    Raises UserError where the model is damaged, cannot be written so, or parity fails, and Interrupted when it is to stop:
    nothing is left of it then.
    """

    def phase(name: str) -> None:
        recorder.obey()
        recorder.phase(name)

    def guard() -> None:
        recorder.obey()
        recorder.guard()

    chosen, writer = formats.get(kind), exporters.get(kind)
    with translated():
        phase("Loading the model")
        loading.refuse_damaged(model_folder)
        model, tokenizer, facts = loading.tuned_model(model_folder)
        family = facts["family"]
        if writer.needs_base and not (Path(model_folder) / "adapter_config.json").exists():
            raise UserError(
                "This run has no adapter.", "It trained all weights of the model.", "Export the whole model instead."
            )
        codec = Codec.from_folder(model_folder, family, plan)
        reads = FAMILIES[family].reads
        ends = () if reads else tuple(codec.stop_ids(model.generation_config.eos_token_id))
        phase("Asking the checkpoint")
        expected = parity.ask(model, codec, family, questions, ends, recorder.obey)
        given = exporters.Given(
            model=model,
            codec=codec,
            source=Path(model_folder),
            base_folder=facts["base_folder"],
            conversational=any(question.messages for question in questions),
            ends=ends,
            obey=recorder.obey,
        )
        with new_folder(target, guard) as folder:
            phase("Writing the files")
            tokenizer.save_pretrained(folder)
            _describe(folder, codec, facts, given)
            helper = "inference.py" if reads else "answer.py"
            (folder / helper).write_bytes((HELPERS / helper).read_bytes())
            for name, text in files.items():
                (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
            with contextlib.redirect_stdout(io.StringIO()):  # the ONNX exporter tells its steps
                writer.write(given, folder)
            if not (folder / "config.json").exists() and not writer.needs_base:
                model.config.save_pretrained(folder)
            phase("Loading the export again in a fresh process")
            about = {
                "family": family,
                "base": facts["base_folder"] if writer.needs_base else None,
                "ends": list(ends),
                "pad": codec.tokenizer.pad_token_id or 0,
                "opened": given.conversational and codec.tokenizer.bos_token_id is not None,
            }
            proof = parity.check(folder, about, expected, writer.readers, chosen.tolerance, recorder.obey)
            write_json(folder / "parity.json", proof)
        return proof


def _describe(folder: Path, codec: Codec, facts: dict[str, Any], given: exporters.Given) -> None:
    """What the helpers of the export (`assets/export`) must know to ask as the dashboard does, and what figures mean."""
    if facts["labels"]:
        write_json(folder / "labels.json", facts["labels"])
    for name in ("thresholds", "target"):
        if name in facts:
            write_json(folder / f"{name}.json", facts[name])
    said: dict[str, Any] = {"family": codec.family}
    if codec.family != "causal-lm":
        said |= {
            "max_length": codec.plan.max_length,
            "cut": codec.plan.truncation_side,
            "opening": codec.opening,
            "closing": codec.closing,
            "end": codec.eos,
        }
    if not FAMILIES[codec.family].reads:
        said |= {
            "conversational": given.conversational,
            "system_prompt": codec.plan.system_prompt,
            "chat_template": codec.chat.text,
            "stop_ids": list(given.ends),
        }
    write_json(folder / "answering.json", said)
