"""Facts about a base model, read from its files without loading its weights."""

from __future__ import annotations

from typing import Literal

from .base import Schema

Source = Literal["starter", "folder", "hub"]


class ModelFacts(Schema):
    """`parameters` counts weights in the safetensors header. `folder` is where its files are on this machine. `head_size` is
    0 where the model does not state it: then it is hidden size / heads.

    `languages` are ISO 639-1 codes; empty means not stated. `licence` is the name the model card states, or "".
    """

    key: str
    title: str
    source: Source
    folder: str
    revision: str = ""
    architecture: str = ""
    model_type: str = ""
    causal: bool = True
    encoder_decoder: bool = False
    parameters: int = 0
    embedding_parameters: int = 0
    hidden_size: int = 0
    intermediate_size: int = 0
    layers: int = 0
    heads: int = 0
    key_value_heads: int = 0
    head_size: int = 0
    vocabulary: int = 0
    context_length: int = 0
    bytes_on_disk: int = 0
    languages: tuple[str, ...] = ()
    licence: str = ""
    description: str = ""
    has_chat_template: bool = False

    @property
    def query_width(self) -> int:
        """Numbers of a token's queries, all heads together: the hidden size in most models."""
        return self.heads * self.head_size or self.hidden_size

    @property
    def key_value_width(self) -> int:
        """Numbers of a token's keys, or of its values."""
        return self.key_value_heads * self.head_size or self.hidden_size * self.key_value_heads // max(1, self.heads)


class Fit(Schema):
    """Whether training fits this machine. `needed` and `available` in bytes; `parts` names what the memory is for."""

    verdict: Literal["fits", "tight", "does not fit"]
    needed: int
    available: int
    device: str
    parts: dict[str, int]
