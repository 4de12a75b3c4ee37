"""The likelihood of general passages under the base model and under the tuned one, where both can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from peft import PeftModel

from core.data.encoding import Codec
from core.schemas.families import FAMILIES
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Score

from . import loading
from .device import answering_dtype, device_name
from .faults import translated
from .predict import LanguagePredictor, Tick, _silent


def measurable(base_folder: str, family: str) -> bool:
    """Whether the base model writes text from left to right."""
    return not FAMILIES[family].pairs and loading.is_causal(base_folder)


def likelihoods(
    run_folder: str | Path,
    base_folder: str,
    family: str,
    plan: PreparationPlan,
    texts: Sequence[str],
    tick: Tick = _silent,
) -> tuple[list[Score], list[Score]] | None:
    """Scores of whole texts before and after. `tick` counts both together.

    A classifier has no head that writes words: its body is put under the head of the base model. None where the two are built
    so differently that this cannot be done.
    """
    nothing = [""] * len(texts)
    with translated():
        device = device_name()
        writer = loading.base_model(base_folder, "causal-lm", answering_dtype(device)).to(device).eval()
        tokenizer, codec = loading.tokenizer(base_folder), Codec.from_folder(base_folder, "causal-lm", plan)
        before = LanguagePredictor(writer, tokenizer, codec, tick).score(nothing, texts)
        tuned, _, _ = loading.tuned_model(Path(run_folder) / "model", device)
        if FAMILIES[family].reads:
            whole = tuned.get_base_model() if isinstance(tuned, PeftModel) else tuned
            body = writer.base_model_prefix
            if not (hasattr(whole, body) and hasattr(writer, body)):
                return None
            setattr(writer, body, getattr(whole, body))
        else:
            writer = tuned
        after = LanguagePredictor(writer, tokenizer, codec, lambda done: tick(len(texts) + done)).score(nothing, texts)
    return before, after
