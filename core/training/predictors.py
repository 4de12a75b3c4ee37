"""Open the base or the tuned model of a run as a `Predictor`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from core.data.encoding import Codec
from core.schemas.families import FAMILIES, MOST_ASKED
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Predictor

from . import loading
from .device import answering_dtype, device_name
from .faults import translated
from .heads import from_facts
from .predict import HeadPredictor, LabelLikelihood, LanguagePredictor, Tick, YesNoLikelihood, _silent
from .predict_pairs import PairPredictor


def tuned(run_folder: str | Path, plan: PreparationPlan, tick: Tick = _silent) -> Predictor:
    """The model that a finished run left in `<run_folder>/model`. Raises UserError where it was damaged since."""
    loading.refuse_damaged(Path(run_folder) / "model")
    return from_folder(Path(run_folder) / "model", plan, tick)


def from_folder(folder: str | Path, plan: PreparationPlan, tick: Tick = _silent) -> Predictor:
    """A tuned model's folder (with its `tunewell.json`) as a predictor of its family."""
    with translated():
        model, tokenizer, facts = loading.tuned_model(folder, device_name())
        codec = Codec.from_folder(str(folder), facts["family"], plan)
        if (head := from_facts(facts)) is not None:
            return HeadPredictor(model, tokenizer, codec, head, tick)
        return _writer(facts["family"])(model, tokenizer, codec, tick)


def _writer(family: str) -> type[LanguagePredictor] | type[PairPredictor]:
    return PairPredictor if FAMILIES[family].pairs else LanguagePredictor


def base(
    base_folder: str,
    family: str,
    plan: PreparationPlan,
    labels: Sequence[str] = (),
    prompt: Callable[[str, Sequence[str]], str] | None = None,
    tick: Tick = _silent,
) -> Predictor | None:
    """The untouched base model. For labels it judges by likelihood under the task's `prompt`: which label's name, or for
    any number of labels, of each whether "yes" or "no" follows.

    None where the base has no opinion: it cannot write text (an encoder), is asked for numbers, or about more labels
    than can be asked one by one.
    """
    reads = FAMILIES[family].reads
    if not has_opinion(base_folder, family, labels):
        return None
    with translated():
        device = device_name()
        model = loading.base_model(base_folder, "causal-lm" if reads else family, answering_dtype(device))
        model = model.to(device).eval()
        tokenizer = loading.tokenizer(base_folder)
        if reads:
            assert prompt is not None
            plain = Codec.from_folder(base_folder, "causal-lm", plan)
            kind = YesNoLikelihood if family == "multi-label" else LabelLikelihood
            return kind(model, tokenizer, plain, labels, prompt, tick)
        return _writer(family)(model, tokenizer, Codec.from_folder(base_folder, family, plan), tick)


def has_opinion(base_folder: str, family: str, labels: Sequence[str] = ()) -> bool:
    """Whether the untouched base model can be asked at all (see `base`)."""
    if family == "regression" or (family == "multi-label" and len(labels) > MOST_ASKED):
        return False
    return not FAMILIES[family].reads or loading.is_causal(base_folder)
