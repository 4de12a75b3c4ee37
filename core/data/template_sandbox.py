"""Writes conversations with a chat template in a process of its own, with little time and memory. See `template_trial`.

Only the standard library and jinja2 are loaded, so that it starts at once. The environment is that of transformers
(`transformers/utils/chat_template_utils.py`); a test compares the two.

python core/data/template_sandbox.py < {"template": ..., "conversations": [...], "tokens": {...}}
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

CPU_SECONDS = 5
MEMORY = 2**29  # bytes of addresses
LONGEST = 200_000  # characters of a conversation in the template, beyond what its messages hold


class _Generation(Extension):
    """{% generation %} marks what the assistant writes; here it only has to be read."""

    tags = {"generation"}

    def parse(self, parser: Any) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_body"), [], [], body).set_lineno(line)

    def _body(self, caller: Any) -> str:
        return str(caller())


def environment() -> ImmutableSandboxedEnvironment:
    """The sandbox in which transformers runs templates."""

    def raise_exception(message: str) -> None:
        raise TemplateError(message)

    def tojson(
        value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
    ) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    made.filters["tojson"] = tojson
    made.globals["raise_exception"] = raise_exception
    made.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    made.globals["dict"] = dict
    made.globals["namespace"] = Namespace
    return made


def line_of(error: BaseException) -> int | None:
    """The line of the template at which an error arose: of its syntax, or of what was being written."""
    found: int | None = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):  # jinja names the template's own lines so
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limits; who asks has a time limit of its own
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def main() -> None:
    """Prints the first mistake as {"syntax", "line", "text"}, or null. Dies where a limit is reached."""
    question = json.loads(sys.stdin.buffer.read())
    _limit()
    mistake: dict[str, Any] | None = None
    try:
        template = environment().from_string(question["template"])
        for turns in question["conversations"]:
            for answering in (False, True):
                text = template.render(
                    messages=turns, add_generation_prompt=answering, tools=None, documents=None, **question["tokens"]
                )
                if len(text) > LONGEST + 10 * sum(len(turn["content"]) for turn in turns):
                    raise MemoryError
    except MemoryError:
        raise
    except Exception as error:
        syntax = isinstance(error, TemplateSyntaxError)
        mistake = {"syntax": syntax, "line": line_of(error), "text": str(error)[:300]}
    print(json.dumps(mistake))


if __name__ == "__main__":
    main()
