"""Try a chat template in a process of its own, with little time and memory, before it may run anywhere else.

The sandbox of transformers keeps a template from running code; it does not keep it from filling the memory or from never
ending. python -m core.data.template_trial < {"template": ..., "conversations": [...], "tokens": {...}}
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any

from core.schemas.errors import UserError
from core.schemas.examples import Message

SECONDS = 20  # the library itself takes one or two to be loaded, more on a busy machine
CPU_SECONDS = 6
MEMORY = 2 * 2**30  # bytes of addresses, the interpreter and its libraries among them
LONGEST = 200_000  # characters of a conversation in the template, beyond what its messages hold


def refuse_harmful(template: str, conversations: Sequence[Sequence[Message]], special: Mapping[str, str]) -> None:
    """Raise UserError where the template is no Jinja, tries what the sandbox forbids, or takes too much time or memory."""
    turns = [[{"role": m.role, "content": m.content} for m in messages] for messages in conversations]
    found = _tried(template, json.dumps(turns), json.dumps(dict(special), sort_keys=True))
    if found is not None:
        raise UserError.from_dict(json.loads(found))


@lru_cache(maxsize=64)
def _tried(template: str, conversations: str, special: str) -> str | None:
    """The error as JSON, or None. Cached: a screen asks again at every press."""
    question = json.dumps({"template": template, "conversations": json.loads(conversations), "tokens": json.loads(special)})
    endless = UserError(
        "The chat template does not come to an end.",
        "Writing a short conversation with it took too much time or memory.",
        "Remove loops inside loops and texts that double themselves, or go back to the model's own template.",
    )
    try:
        done = subprocess.run(
            [sys.executable, "-m", "core.data.template_trial"],
            input=question, capture_output=True, text=True, timeout=SECONDS, encoding="utf-8",
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return json.dumps(endless.as_dict())
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        return json.dumps(endless.as_dict())
    error = json.loads(lines[-1])
    return json.dumps(error) if error else None


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; the time limit above remains
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _answer(question: Mapping[str, Any]) -> dict[str, str | None] | None:
    from jinja2 import TemplateSyntaxError
    from transformers.utils.chat_template_utils import render_jinja_template

    from .chat_template import line_of

    for turns in question["conversations"]:
        try:
            for answering in (False, True):
                texts, _ = render_jinja_template(
                    [turns],
                    chat_template=question["template"],
                    add_generation_prompt=answering,
                    **question["tokens"],
                )
                if len(texts[0]) > LONGEST + 10 * sum(len(turn["content"]) for turn in turns):
                    raise MemoryError
        except MemoryError:
            raise
        except Exception as error:
            line = line_of(error)
            where = f" in line {line}" if line else ""
            syntax = isinstance(error, TemplateSyntaxError)
            return UserError(
                "The chat template cannot be read." if syntax else "The chat template cannot write a conversation.",
                f"There is a mistake{where}: {str(error)[:300]}",
                f"Mend line {line} of the template." if line else "Mend the template, or go back to the model's own.",
            ).as_dict()
    return None


if __name__ == "__main__":
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    given = json.loads(sys.stdin.read())
    import transformers.utils.chat_template_utils  # noqa: F401  (before the limits: it is not what they are about)

    _limit()
    print(json.dumps(_answer(given)))
