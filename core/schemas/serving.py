"""What a program may ask of a served model, in the fields of OpenAI's protocol; and how its errors look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from .base import Schema
from .errors import UserError
from .examples import Message
from .predictor import Decoding

MOST_TOKENS = 1024
"""Of an answer whose length nobody limited, as in transformers' own serving."""

# What is accepted only with the value that changes nothing: with any other the answer would not be what was asked for.
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "echo": (False,),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "logit_bias": ({},),
    "response_format": ({"type": "text"},),
    "modalities": (["text"],),
    "suffix": ("",),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
    "generation_config": (),
    "chat_template_kwargs": ({},),
}
# What says nothing about the answer itself, and is left unread.
UNREAD = frozenset(
    ("user", "metadata", "store", "service_tier", "stream_options", "parallel_tool_calls", "safety_identifier",
     "prompt_cache_key", "reasoning_effort", "verbosity")
)  # fmt: skip


class NotAsked(Exception):
    """A question that cannot be answered as it is. `status` is the one of HTTP, `param` the field that is to blame."""

    def __init__(self, message: str, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.message, self.param, self.status, self.code = message, param, status, code

    def as_dict(self) -> dict[str, Any]:
        return error_body(self.message, self.status, self.param, self.code)


def error_body(message: str, status: int, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """An error in OpenAI's shape."""
    kind = "authentication_error" if status == 401 else "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def told(error: UserError) -> dict[str, Any]:
    """An error for people in OpenAI's shape, its three parts beside the one text."""
    body = error_body(str(error), 500)
    body["error"] |= {"title": error.title, "cause": error.cause, "fix": error.fix}
    return body


class TextPart(Schema):
    type: Literal["text"]
    text: str


class Turn(Schema):
    """One message as clients send it: the text by itself, or in parts."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[TextPart, ...]
    name: str | None = None

    def message(self) -> Message:
        text = self.content if isinstance(self.content, str) else " ".join(part.text for part in self.content)
        return Message(role="system" if self.role == "developer" else self.role, content=text)


class Question(Schema):
    """One question for a model that writes: `messages` of a chat or the `prompt` of a completion. Without a temperature the
    likeliest token is taken each time, as in the evaluation."""

    model: str = "tuned"
    messages: tuple[Turn, ...] | None = Field(None, min_length=1)
    prompt: str | None = None
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    frequency_penalty: float = Field(0.0, gt=-1, le=2)
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    seed: int | None = None
    stop: tuple[str, ...] = Field((), max_length=4)
    stream: bool = False

    @field_validator("stop", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("stop")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(value):
            raise ValueError("a stop text must not be empty")
        return value

    @classmethod
    def of(cls, body: Mapping[str, Any], *, chat: bool) -> Question:
        """Read a request. Raises NotAsked with the field that cannot be read or is not offered."""
        given = {name: value for name, value in body.items() if value is not None and name not in UNREAD}
        for name in NEUTRAL.keys() & given.keys():
            if given.pop(name) not in NEUTRAL[name]:
                raise NotAsked(f"{name!r} is not offered here: leave it out.", name)
        wanted = "messages" if chat else "prompt"
        if wanted not in given:
            raise NotAsked(f"{wanted!r} is missing.", wanted)
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise NotAsked(f"{place}: {first['msg']}", place.split(".")[0] or None) from None

    @property
    def asked(self) -> str | tuple[Message, ...]:
        """The prompt as a `Predictor` reads it."""
        return self.prompt if self.messages is None else tuple(turn.message() for turn in self.messages)  # type: ignore[return-value]

    def decoding(self, chance: int) -> Decoding:
        """How the answer is generated; `chance` is the seed where none was given. The penalty is transformers' reading of
        `frequency_penalty`: a repetition penalty of one more."""
        return Decoding(
            max_new_tokens=self.max_completion_tokens or self.max_tokens or MOST_TOKENS,
            temperature=self.temperature,
            top_p=self.top_p,
            repetition_penalty=1.0 + self.frequency_penalty,
            seed=chance if self.seed is None else self.seed,
        )


class Texts(Schema):
    """What `/classify` and `/values` are asked: texts, and of which models (the round of the job and its base model)."""

    texts: tuple[str, ...] = Field(min_length=1)
    models: tuple[str, ...] = ()
