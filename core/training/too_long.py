"""Which texts a loaded model reads only in part, because they are longer than it was trained to read or can hold."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.examples import Example
from core.schemas.families import FAMILIES
from core.schemas.predictor import Decoding

from .predict import LanguagePredictor, _Loaded

SPARE = 64  # tokens that a tokenizer or a chat template adds at most, beyond one for each byte


def cut(predictor: object, examples: Sequence[Example], decoding: Decoding) -> dict[int, int]:
    """The place of each example that is read in part, and how many tokens are read of it.

    A text has at most one token for each of its bytes, so that short ones need not be counted.
    """
    assert isinstance(predictor, _Loaded)
    codec = predictor.codec
    if FAMILIES[codec.family].reads:
        limit = codec.plan.max_length
        long = [i for i, e in enumerate(examples) if len(e.text.encode()) + SPARE > limit]
        lengths = codec.lengths([examples[i] for i in long])
        return {i: limit for i, length in zip(long, lengths, strict=True) if length > limit}
    if not isinstance(predictor, LanguagePredictor):
        return {}
    limit = predictor.room(decoding)
    found = {}
    for i, example in enumerate(examples):
        prompt = example.prompt if example.messages else example.text
        size = len(prompt) if isinstance(prompt, str) else sum(len(m.content.encode()) + SPARE for m in prompt)
        if size + SPARE + len(codec.plan.system_prompt) > limit and len(codec.prompt_ids(prompt)) > limit:
            found[i] = limit
    return found
