"""What a tuned model still knows of language in general, beside the model that it started from."""

from __future__ import annotations

from typing import Literal

from .base import Schema
from .estimates import Estimate, Verdict

Outcome = Literal["kept", "lost", "cannot tell"]


class Probe(Schema):
    """One set of `n` passages. `base` and `tuned` are bits a byte, `change` the relative change (0.1: a tenth more)."""

    key: str
    title: str
    n: int
    base: Estimate
    tuned: Estimate
    change: Estimate
    verdict: Verdict
    outcome: Outcome
    sentence: str


class Forgetting(Schema):
    """The probes, or the reason why nothing could be measured. `note` says how it was measured where that needs a word."""

    probes: tuple[Probe, ...] = ()
    reason: str = ""
    note: str = ""
