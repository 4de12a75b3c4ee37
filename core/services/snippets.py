"""How other programs ask a served model: one text for each language, the very ones that the tests run.

The key is read from the environment, so that it does not end up in a program's text.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.schemas.families import FAMILIES
from core.store.tables import Run
from core.tasks import registry as tasks

VARIABLE = "TUNEWELL_KEY"


@dataclass(frozen=True)
class Snippet:
    """`language` names the colours of the code."""

    title: str
    language: str
    code: str


@dataclass(frozen=True)
class Way:
    """How one kind of model is asked: `path`, what is sent beside the model's name, and where the answer stands in the reply, as
    Python and JavaScript both write it (labels, numbers: what else than their figures). `call` is the openai client's name for
    it; empty where it has none."""

    path: str
    body: Mapping[str, Any]
    answer: str
    call: str = ""


CHAT = Way(
    "/v1/chat/completions",
    {"messages": [{"role": "user", "content": "Your question"}], "max_tokens": 200},
    "choices[0].message.content",
    "chat.completions",
)
WRITE = Way("/v1/completions", {"prompt": "Your text", "max_tokens": 200}, "choices[0].text", "completions")
CLASSIFY = Way("/classify", {"texts": ["Your text", "Another text"]}, "")
LABELS = Way("/classify", CLASSIFY.body, "thresholds_of")  # each label is given from its own threshold on
VALUES = Way("/values", {"texts": ["Your text", "Another text"]}, "")


def way_of(run: Run) -> Way:
    task = tasks()[run.task]
    if FAMILIES[task.family].reads:
        if not FAMILIES[task.family].labels:
            return VALUES
        return LABELS if task.family == "multi-label" else CLASSIFY
    return CHAT if task.conversational else WRITE


def of(way: Way, address: str, model: str) -> list[Snippet]:
    """`address` without a path, as the job announces it."""
    body = {"model": model, **way.body} if way.call else {**way.body, "models": [model]}
    url = f"{address}{way.path}"
    return [
        Snippet("curl", "bash", _curl(url, body)),
        Snippet("Python", "python", _openai(way, address, body) if way.call else _python(way, url, body, model)),
        Snippet("JavaScript", "javascript", _javascript(way, url, body, model)),
    ]


def _curl(url: str, body: Mapping[str, Any]) -> str:
    return (
        f"curl {url} \\\n"
        f'  -H "Authorization: Bearer ${VARIABLE}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(json.dumps(body, ensure_ascii=False))}\n"
    )


def _openai(way: Way, address: str, body: Mapping[str, Any]) -> str:
    options = "".join(f"    {name}={value!r},\n" for name, value in body.items())
    return (
        "import os\n\nfrom openai import OpenAI  # pip install openai\n\n"
        f'client = OpenAI(base_url="{address}/v1", api_key=os.environ["{VARIABLE}"])\n'
        f"reply = client.{way.call}.create(\n{options})\n"
        f"print(reply.{way.answer})\n"
    )


def _python(way: Way, url: str, body: Mapping[str, Any], model: str) -> str:
    answer = (
        f'for text, shares in zip({body["texts"]!r}, reply["{model}"]):\n'
        f'    cuts = reply["thresholds_of"]["{model}"]\n'
        '    print(text, [label for label, share, cut in zip(reply["labels"], shares, cuts) if share >= cut])\n'
        if way is LABELS
        else f'for text, shares in zip({body["texts"]!r}, reply["{model}"]):\n'
        '    print(text, dict(zip(reply["labels"], shares)))\n'
        if url.endswith(CLASSIFY.path)
        else f'for text, value in zip({body["texts"]!r}, reply["{model}"]):\n    print(text, value)\n'
    )
    return (
        "import json\nimport os\nimport urllib.request\n\n"
        "request = urllib.request.Request(\n"
        f'    "{url}",\n'
        f"    json.dumps({dict(body)!r}).encode(),\n"
        f'    {{"Authorization": f"Bearer {{os.environ[\'{VARIABLE}\']}}", "Content-Type": "application/json"}},\n'
        ")\n"
        "with urllib.request.urlopen(request) as answer:\n"
        "    reply = json.load(answer)\n"
        f"{answer}"
    )


def _javascript(way: Way, url: str, body: Mapping[str, Any], model: str) -> str:
    sent = json.dumps(body, ensure_ascii=False, indent=2).replace("\n", "\n  ")
    said = f"reply.{way.answer}" if way.call else f'reply.labels ?? "", reply["{model}"]'
    if way is LABELS:
        said = (
            f'reply["{model}"].map((row) => reply.labels.filter((_, i) => row[i] >= reply.thresholds_of["{model}"][i]))'
        )
    return (
        f'const answer = await fetch("{url}", {{\n'
        '  method: "POST",\n'
        "  headers: {\n"
        f"    Authorization: `Bearer ${{process.env.{VARIABLE}}}`,\n"
        '    "Content-Type": "application/json",\n'
        "  },\n"
        f"  body: JSON.stringify({sent}),\n"
        "});\n"
        "const reply = await answer.json();\n"
        f"console.log({said});\n"
    )
