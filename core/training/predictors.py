"""Open the base or the tuned model of a run as a `Predictor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from core.data.encoding import Codec
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Predictor

from . import loading
from .faults import translated
from .predict import ClassifierPredictor, LabelLikelihood, LanguagePredictor, Tick, _silent


def device_name() -> str:
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def tuned(run_folder: str | Path, plan: PreparationPlan, tick: Tick = _silent) -> Predictor:
    """The model that a finished run left in `<run_folder>/model`."""
    return from_folder(Path(run_folder) / "model", plan, tick)


def from_folder(folder: str | Path, plan: PreparationPlan, tick: Tick = _silent) -> Predictor:
    """A tuned model's folder (with its `tunewell.json`) as a predictor of its family."""
    with translated():
        model, tokenizer, facts = loading.tuned_model(folder, device_name())
        codec = Codec.from_folder(str(folder), facts["family"], plan)
        if facts["family"] == "classifier":
            return ClassifierPredictor(model, tokenizer, codec, facts["labels"], tick)
        return LanguagePredictor(model, tokenizer, codec, tick)


def base(
    base_folder: str,
    family: str,
    plan: PreparationPlan,
    labels: Sequence[str] = (),
    prompt: Callable[[str, Sequence[str]], str] | None = None,
    tick: Tick = _silent,
) -> Predictor | None:
    """The untouched base model. For classification it judges by the likelihood of the label names under `prompt`.

    None where the base cannot write text (an encoder) and so has no opinion about labels.
    """
    if family == "classifier" and not loading.is_causal(base_folder):
        return None
    with translated():
        dtype = torch.bfloat16 if device_name() == "cuda" else torch.float32
        model = loading.base_model(base_folder, "causal-lm", dtype).to(device_name()).eval()
        tokenizer = loading.tokenizer(base_folder)
        if family == "classifier":
            assert prompt is not None
            plain = Codec.from_folder(base_folder, "causal-lm", plan)
            return LabelLikelihood(model, tokenizer, plain, labels, prompt, tick)
        return LanguagePredictor(model, tokenizer, Codec.from_folder(base_folder, family, plan), tick)
