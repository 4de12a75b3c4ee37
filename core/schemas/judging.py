"""A language model that judges: what it is told, and what came out."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from .base import Schema
from .estimates import Estimate, Verdict

Winner = Literal["tuned", "base", "tie"]
RUBRIC = (
    "The better answer does what was asked, says nothing wrong, and is clear. Do not prefer an answer for its length, its "
    "friendliness or its format alone."
)


class JudgeSettings(Schema):
    """`address` is where an OpenAI-compatible server listens, up to and with its version (https://host/v1). The key is
    never part of this."""

    address: str = Field(
        title="Address",
        description="Of any server that speaks the OpenAI protocol, for example http://127.0.0.1:11434/v1 for Ollama on this "
        "machine. It is asked at /chat/completions.",
    )
    model: str = Field(
        min_length=1, max_length=200, title="Model", description="The judge's name, as its server calls it."
    )
    rubric: str = Field(
        RUBRIC,
        min_length=1,
        max_length=4000,
        title="What makes an answer better",
        description="The judge is told this. Another text is another judge: answers are asked for again.",
    )
    pairs: int = Field(
        50,
        ge=1,
        le=5000,
        title="Pairs of answers",
        description="How many answers of this evaluation are compared. Each is asked for twice, in both orders.",
    )

    @field_validator("address")
    @classmethod
    def _a_plain_address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        try:
            parts = urlsplit(value)
            host = parts.hostname
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError("An address begins with http:// or https://, for example https://host/v1.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("Leave the key out of the address: it has a field of its own, where it is kept safe.")
        return value

    @property
    def host(self) -> str:
        return urlsplit(self.address).hostname or ""

    @property
    def on_this_machine(self) -> bool:
        return self.host in ("localhost", "127.0.0.1", "::1")


class Pair(Schema):
    """Two answers to one prompt. `vote` is what people said of them (a tie where both were bad), None where nobody did."""

    prompt: str
    base: str
    tuned: str
    reference: str = ""
    vote: Winner | None = None


class Agreement(Schema):
    """How often judge and person say the same of `n` pairs, and how often they would by chance with these habits."""

    same: Estimate
    by_chance: float


class Judgement(Schema):
    """`asked` pairs were compared, `same_text` needed no asking (both answers alike: a tie). Of those asked `swayed` got
    another winner when the order was turned (a tie), `unreadable` no answer that could be read (left out)."""

    settings: JudgeSettings
    agreement: Agreement | None
    asked: int
    same_text: int
    swayed: int
    unreadable: int
    wins: int
    losses: int
    ties: int
    win_rate: Estimate | None
    p: float | None
    verdict: Verdict
    first_share: Estimate | None
    sentences: tuple[str, ...]
