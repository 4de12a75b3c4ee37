"""The chat template for engines other than transformers: llama.cpp's reading of Jinja, and Ollama's Modelfile.

Ollama knows no Jinja. Where a template does no more than put fixed words before and after what each side says, it is written
in Ollama's own language, and that is proven on conversations; else the Modelfile says that it has none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.schemas.errors import UserError
from core.schemas.examples import Message

from .encoding import Codec

_MARK = re.compile(r"\{%(-?)\s*(end)?generation\s*(-?)%\}")
ROLES = ("system", "user", "assistant")
ANY = r"wQ[0-9]q W"
_PROBES = (
    ("user",),
    ("user", "assistant", "user"),
    ("user", "assistant", "user", "assistant", "user"),
    ("system", "user"),
    ("system", "user", "assistant", "user"),
)


def for_other_engines(template: str, bos: str) -> str:
    """The same template without the marks that only training needs, and with a start token that this tokenizer has."""
    plain = _MARK.sub(lambda m: f"{{%{m[1]} {'endif' if m[2] else 'if true'} {m[3]}%}}", template)
    return plain if bos or "bos_token" not in plain else "{%- set bos_token = '' -%}" + plain


def _word(place: int) -> str:
    """What the speaker at this place says: large and small letters, so that a template that changes them is found out."""
    return f"wQ{place}q W"


def turns(codec: Codec) -> tuple[str, dict[str, tuple[str, str]], str] | None:
    """(what opens a conversation, what stands before and after each role's words, what invites the answer); None where the
    template does more than that."""

    def said(*roles: str, answering: bool = True) -> str | None:
        messages = [Message(role=r, content=_word(n)) for n, r in enumerate(roles)]
        try:
            return codec.chat.render(messages, answering=answering)
        except UserError:
            return None

    one, three = said("user"), said("user", "assistant", "user")
    plain, pair = said("user", answering=False), said("user", "assistant", "user", answering=False)
    if one is None or three is None or plain is None or pair is None or not one.startswith(plain):
        return None
    invitation = one[len(plain) :]
    try:
        first_before, user_after = plain.split(_word(0))
        before, middle, end = re.split(ANY, pair)[0], *re.split(_word(1), pair)
        after_answer, last_end = end.split(_word(2))
        assistant_before = middle.split(_word(0))[1]
    except ValueError:
        return None
    if last_end != user_after or before != first_before or not assistant_before.startswith(user_after):
        return None
    assistant_before = assistant_before[len(user_after) :]
    # What stands between an answer and the next question: the end of the one and the beginning of the other.
    opening = ""
    user_before = first_before
    if not after_answer.endswith(user_before):
        shared = next((n for n in range(len(user_before)) if after_answer.endswith(user_before[n:])), None)
        if shared is None:
            return None
        opening, user_before = user_before[:shared], user_before[shared:]
    parts = {
        "user": (user_before, user_after),
        "assistant": (
            assistant_before,
            after_answer[: len(after_answer) - len(user_before)] if user_before else after_answer,
        ),
    }
    system = said("system", "user", answering=False)
    if system is not None and system.startswith(opening):
        pieces = re.split(ANY, system[len(opening) :])
        if len(pieces) != 3 or not pieces[1].endswith(user_before):
            return None
        parts["system"] = (pieces[0], pieces[1][: len(pieces[1]) - len(user_before)] if user_before else pieces[1])
    found = (opening, parts, invitation)
    return found if _proven(found, said) else None


def _proven(found: tuple[str, dict[str, tuple[str, str]], str], said: object) -> bool:
    """Whether putting the parts together gives what the template gives, on every kind of conversation that it takes."""
    opening, parts, invitation = found
    assert callable(said)
    for roles in _PROBES:
        expected = said(*roles)
        if expected is None or any(r not in parts for r in roles):
            if expected is not None:
                return False
            continue
        built = opening + "".join(f"{parts[r][0]}{_word(n)}{parts[r][1]}" for n, r in enumerate(roles)) + invitation
        if built != expected:
            return False
    return True


def modelfile(codec: Codec, conversational: bool, ends: Sequence[int], context: int, file: str) -> str:
    """Ollama's recipe for this file: greedy as it was tested, with its stop tokens, template and system prompt."""
    name = codec.tokenizer.convert_ids_to_tokens
    lines = [
        "# ollama create my-model -f Modelfile && ollama run my-model",
        f"FROM ./{file}",
        f"PARAMETER num_ctx {context}",
        "# As it was tested: the likeliest token each time, and nothing that punishes repetition.",
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1.0",
        *(f"PARAMETER stop {_quoted(str(name(end)))}" for end in ends),
    ]
    if not conversational:
        return "\n".join([*lines, 'TEMPLATE """{{ .Prompt }}"""', ""])
    found = turns(codec)
    if found is None:
        lines += [
            "# This model's chat template cannot be written in Ollama's language: ask it through llama.cpp or LM Studio,",
            "# which read the template in the file.",
        ]
    else:
        opening, parts, invitation = found
        bos = codec.tokenizer.bos_token or ""
        if bos and opening.startswith(bos):
            opening = opening[len(bos) :]  # the engine puts it there
        cases = [
            f'{{{{ {"if" if n == 0 else "else if"} eq .Role "{role}" }}}}{before}{{{{ .Content }}}}{after}'
            for n, (role, (before, after)) in enumerate(parts.items())
        ]
        body = "{{ range .Messages }}" + "".join(cases) + "{{ end }}{{ end }}"
        lines.append(f'TEMPLATE """{opening}{body}{invitation}"""')
    if codec.plan.system_prompt:
        lines.append(f'SYSTEM """{codec.plan.system_prompt}"""')
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
