"""Try a chat template where it can do no harm, before it may run anywhere else.

The sandbox of transformers keeps a template from running code; it does not keep it from filling the memory or from never
ending. A process of its own with little of both does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from core.schemas.errors import UserError
from core.schemas.examples import Message

SANDBOX = Path(__file__).with_name("template_sandbox.py")
SECONDS = 60  # the process is itself limited to a few seconds of work; a busy machine may take long to do them


def refuse_harmful(template: str, conversations: Sequence[Sequence[Message]], special: Mapping[str, str]) -> None:
    """Raise UserError where the template is no Jinja, tries what the sandbox forbids, or takes too much time or memory.

    `special` are the names and texts of the tokenizer's special tokens, which a template may use.
    """
    turns = [[{"role": m.role, "content": m.content} for m in messages] for messages in conversations]
    found = _tried(template, json.dumps(turns), json.dumps(dict(special), sort_keys=True))
    if found is None:
        return
    mistake = json.loads(found)
    if mistake.get("endless"):
        raise _endless()
    line = mistake["line"]
    where = f" in line {line}" if line else ""
    raise UserError(
        "The chat template cannot be read." if mistake["syntax"] else "The chat template cannot write a conversation.",
        f"There is a mistake{where}: {mistake['text']}",
        f"Mend line {line} of the template." if line else "Mend the template, or go back to the model's own.",
    )


@lru_cache(maxsize=64)
def _tried(template: str, conversations: str, special: str) -> str | None:
    """The mistake as JSON, or None. Kept: a screen asks again at every press."""
    question = {"template": template, "conversations": json.loads(conversations), "tokens": json.loads(special)}
    try:
        # -I: nothing of this folder may stand in the place of a module of the standard library.
        done = subprocess.run(
            [sys.executable, "-I", str(SANDBOX)],
            input=json.dumps(question).encode(),
            capture_output=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise _endless() from None
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode or not lines:
        return json.dumps({"endless": True})
    return None if lines[-1] == "null" else lines[-1]


def _endless() -> UserError:
    return UserError(
        "The chat template does not come to an end.",
        "Writing a short conversation with it took too much time or memory.",
        "Remove loops inside loops and texts that double themselves, or go back to the model's own template.",
    )
