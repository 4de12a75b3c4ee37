"""How likely an untrained base model finds texts: every byte of them counts, whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from core.schemas.errors import UserError
from core.schemas.examples import Message
from core.schemas.knowing import Knowing
from core.schemas.plan import PreparationPlan

from . import loading, predictors
from .device import answering_dtype, device_name
from .faults import translated
from .predict import Tick, _batches, _pad, _silent, next_token

WINDOW = 1024  # tokens read at once, or as many as the model can
LOGITS = 2**27  # numbers of a batch's logits: half a gigabyte in float32


def of_texts(folder: str, texts: Sequence[str], tick: Tick = _silent) -> Knowing:
    """The likelihood of whole texts by a model that writes from left to right.

    A special token stands before each text, so that the first token counts too: else a tokenizer with long tokens would
    get more for nothing. What is longer than the model reads goes on in a new window that begins with the last token of the
    one before (as "rolling log-likelihood" of EleutherAI's lm-evaluation-harness). Raises UserError where it cannot be loaded.
    """
    with translated(), torch.no_grad():
        device = device_name()
        model = loading.base_model(folder, "causal-lm", answering_dtype(device)).to(device).eval()
        tokenizer = loading.tokenizer(folder)
        config = model.config.get_text_config()
        most = min(WINDOW, int(getattr(config, "max_position_embeddings", 0) or WINDOW))
        first = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
        if first is None:
            first = tokenizer.pad_token_id or 0
        encoded = [list(tokenizer.encode(text, add_special_tokens=False)) for text in texts]
        begins = [range(0, len(ids), most - 1) for ids in encoded]
        windows = [
            (row, [first, *ids][begin : begin + most]) for row, ids in enumerate(encoded) for begin in begins[row]
        ]
        room = max(most, LOGITS // int(config.vocab_size))
        nll, left = [0.0] * len(texts), [len(row) for row in begins]
        for chosen in _batches([len(ids) for _, ids in windows], room):
            ids, mask = _pad([windows[i][1] for i in chosen], 0, "right", model.device)
            losses, _ = next_token(model, ids, mask)
            for k, i in enumerate(chosen):
                row, own = windows[i]
                nll[row] += losses[k, : len(own) - 1].sum().item()
                left[row] -= 1
            tick(sum(n == 0 for n in left))
        back = [tokenizer.decode(ids, clean_up_tokenization_spaces=False) for ids in encoded]
    return _checked(nll, texts, sum(a.split() != b.split() for a, b in zip(texts, back, strict=True)))


def of_pairs(folder: str, pairs: Sequence[tuple[str, str]], tick: Tick = _silent) -> Knowing:
    """The likelihood of the second text of each pair by an encoder-decoder that has read the first one.

    Raises UserError where the model cannot be loaded, or reads too few tokens for a text: all models judge the same rows.
    """
    plan = PreparationPlan(max_length=WINDOW)
    model = predictors.base(folder, "seq2seq", plan, tick=tick)
    assert model is not None
    most = int(getattr(model.model.config, "max_position_embeddings", 0) or WINDOW)  # type: ignore[attr-defined]
    tokenizer = loading.tokenizer(folder)
    long = sum(len(tokenizer.encode(text)) > most for pair in pairs for text in pair)
    if long:
        raise UserError(
            "This model reads too little at once.",
            f"{long} of the texts are longer than the {most:,} tokens that it can read.",
            "Choose another model.",
        )
    scores = model.score([(Message(role="user", content=read),) for read, _ in pairs], [told for _, told in pairs])
    answers = [told for _, told in pairs]
    back = [tokenizer.decode(tokenizer.encode(text), skip_special_tokens=True) for text in answers]
    lossy = sum(a.split() != b.split() for a, b in zip(answers, back, strict=True))
    return _checked([s.nll for s in scores], answers, lossy)


def _checked(nll: Sequence[float], texts: Sequence[str], lossy: int) -> Knowing:
    if not all(torch.isfinite(torch.tensor(list(nll)))):
        raise UserError(
            "This model cannot be measured.",
            "Its likelihoods are no numbers: its weights are damaged.",
            "Fetch the model again.",
        )
    return Knowing(
        nll=tuple(nll), n_bytes=tuple(len(text.encode()) for text in texts), lossy=lossy / max(1, len(texts))
    )
