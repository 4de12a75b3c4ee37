"""How well a base model knows texts before any training: what was measured of one model on one sample."""

from __future__ import annotations

from .base import Schema


class Knowing(Schema):
    """`nll` (nats) and `n_bytes` (UTF-8) of each row of the sample, in its order. `lossy` is the share of rows that the
    tokenizer cannot write back as they were: such a model is asked about less than the others. `why` is set, and the rest
    empty, where the model could not be measured."""

    nll: tuple[float, ...] = ()
    n_bytes: tuple[int, ...] = ()
    lossy: float = 0.0
    why: str = ""
