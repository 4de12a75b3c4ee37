"""Ask a language model behind an OpenAI-compatible address, patiently: limits are waited for, and the key is never told."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from requests.auth import AuthBase

from core.schemas.errors import UserError

MOST_TRIES = 6
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 120.0
LONGEST_PAUSE = 60.0
MOST_BYTES = 1 << 20
SHOWN = 300  # characters of a server's words that are repeated in an error
PASSING = (408, 409, 425, 429, 500, 502, 503, 504, 529)  # worth another try


class _Key(AuthBase):
    """Set as `auth`, so that requests looks for no other one in a .netrc file, and never follows it elsewhere."""

    def __init__(self, key: str) -> None:
        self.key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.key:
            request.headers["Authorization"] = f"Bearer {self.key}"
        return request


@dataclass
class Client:
    """`pause` waits some seconds, and raises where the work is to stop. Requests wait `seconds` for an answer."""

    address: str
    model: str
    key: str
    pause: Callable[[float], None]
    seconds: float = ANSWER_SECONDS
    tries: int = MOST_TRIES

    def ask(self, messages: Sequence[dict[str, str]]) -> str:
        """What the model says. Raises UserError where it cannot be reached, after several tries, or refuses the key."""
        body: dict[str, Any] = {"model": self.model, "messages": list(messages), "temperature": 0}
        last, wait = "", 0.0
        for attempt in range(self.tries):
            self.pause(wait)
            wait = min(LONGEST_PAUSE, 2.0**attempt)
            try:
                response = requests.post(
                    f"{self.address}/chat/completions",
                    json=body,
                    auth=_Key(self.key),
                    timeout=(CONNECT_SECONDS, self.seconds),
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    status, text = response.status_code, self._read(response)
                    asked = response.headers.get("Retry-After", "")
            except requests.RequestException as error:
                last = f"No answer came ({type(error).__name__})."
                continue
            if status == 200:
                said = _content(text)
                if said is not None:
                    return said.replace(self.key, "(key)") if self.key else said
                last = "Its answer was not what the OpenAI protocol says."
                continue
            last = f"It answered with status {status}: {self._without_key(_message(text))}"
            if status == 400 and "temperature" in body and "temperature" in text:
                del body["temperature"]  # some models take none but their own
                continue
            if status not in PASSING:
                raise refused(status, last)
            if re.fullmatch(r"\d+(\.\d+)?", asked):
                wait = min(LONGEST_PAUSE, float(asked))
        raise UserError(
            "The judge could not be reached.",
            f"{self.tries} tries failed. {last}",
            "Check the address and that its server is up, then start again: answers that came are kept and not paid for twice.",
        )

    def _read(self, response: requests.Response) -> str:
        """At most MOST_BYTES: an answer is short, and a wrong address may send anything."""
        content = b""
        for block in response.iter_content(1 << 16):
            content += block
            if len(content) > MOST_BYTES:
                break
        return content.decode("utf-8", "replace")

    def _without_key(self, text: str) -> str:
        """Servers like to repeat a wrong key, or its ends, in what they say about it."""
        if self.key:
            text = text.replace(self.key, "(key)")
        return re.sub(r"\b(?:sk|key|Bearer)[-_ ][\w*.-]{4,}", "(key)", text)[:SHOWN]


def refused(status: int, said: str) -> UserError:
    """What a status that will not change by itself means."""
    if status in (401, 403):
        return UserError(
            "The judge refused the key.", said, "Enter the key again, or one that may use this model, and start again."
        )
    if 300 <= status < 400:
        return UserError(
            "The address sends us elsewhere.",
            "It redirects, and the key is not carried to another address.",
            "Enter the address that it redirects to.",
        )
    if status == 404:
        return UserError(
            "There is no judge at this address.", said, "Check the address (it often ends in /v1) and the model's name."
        )
    return UserError("The judge did not understand the question.", said, "Check the model's name and its limits.")


def _content(text: str) -> str | None:
    try:
        said = json.loads(text)["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return said if isinstance(said, str) else None


def _message(text: str) -> str:
    """The server's own words, out of the error object that most of them send."""
    try:
        said: Any = json.loads(text)
        said = said.get("error", said) if isinstance(said, dict) else said
        return str(said.get("message", said) if isinstance(said, dict) else said)
    except (ValueError, RecursionError):
        return " ".join(text.split())
