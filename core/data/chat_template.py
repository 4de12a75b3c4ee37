"""Render conversations with a model's own chat template, and find in the text what the assistant says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from core.schemas.errors import UserError
from core.schemas.examples import Message

from .template_sandbox import line_of

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

# For a model without a template of its own. No blank after the last colon: " Yes" is one token, " " and "Yes" are two,
# and the answer must begin with the same token when it is learned and when it is generated.
PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}"
    "{{ 'Assistant:' }}{% generation %}{{ ' ' + message['content'] }}{{ eos_token }}{% endgeneration %}{{ '\\n' }}"
    "{% elif message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\\n' }}"
    "{% else %}{{ message['content'] + '\\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


class Rendered(NamedTuple):
    """A conversation as text. `spans` are the character ranges (start, end) of the assistant's turns, in order."""

    text: str
    spans: list[tuple[int, int]]


class ChatTemplate:
    """A given template, that of a tokenizer, or a plain one. It runs in the sandbox of transformers (templates are code)."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, given: str = "") -> None:
        self._tokenizer = tokenizer
        own = tokenizer.chat_template
        if isinstance(own, dict):  # several by name; the others are for tools
            own = own.get("default") or next(iter(own.values()), None)
        self.text: str = given or own or self.plain()

    def plain(self) -> str:
        """The plain template; it begins like any text of this tokenizer, so with a start token where there is one."""
        begin = self._tokenizer.bos_token_id
        starts = begin is not None and self._tokenizer.encode("a")[0] == begin
        return "{{ bos_token }}" * starts + PLAIN_TEMPLATE

    def render(self, messages: Sequence[Message], *, answering: bool = False) -> str:
        """The conversation as text; with `answering` it ends where the assistant's next turn begins.

        Raises UserError where the template refuses the conversation.
        """
        from jinja2 import TemplateError

        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            text = self._tokenizer.apply_chat_template(
                turns, chat_template=self.text, tokenize=False, add_generation_prompt=answering
            )
        except (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError) as error:
            roles = ", ".join(turn["role"] for turn in turns) or "none"
            line = line_of(error)
            raise UserError(
                "The model's chat template refuses a conversation.",
                f"It says{f' in line {line}' if line else ''}: {str(error)[:200]} The speakers were: {roles}.",
                "Leave out the system prompt, make questions and answers take turns, or choose another base model.",
            ) from error
        return str(text)

    def render_spans(self, messages: Sequence[Message]) -> Rendered:
        """The whole conversation, and where each assistant turn lies in it, its end-of-turn mark included.

        A turn runs from the end of the conversation before it (rendered with the invitation to answer) to the end of
        the conversation up to it. Where a template writes earlier turns differently once others follow, so that these
        are no beginnings of the whole, the place of the turn's words is looked for; one that is not found has an empty span.
        """
        text = self.render(messages)
        spans: list[tuple[int, int]] = []
        done = 0  # all before is spoken for
        for i, message in enumerate(messages):
            found = text.find(message.content, done)
            start, end = (found, found + len(message.content)) if found >= 0 else (done, done)
            if message.role == "assistant":
                before = self.render(messages[:i], answering=True) if i else ""
                after = text if i + 1 == len(messages) else self.render(messages[: i + 1])
                if text.startswith(after) and after.startswith(before) and len(before) >= done:
                    start, end = len(before), len(after)
                else:
                    start, end = self._place(messages, i, text) or (start, end)
                    if end > start:
                        end += len(_closing(text, end, messages[-1]))
                spans.append((start, end))
            done = end
        return Rendered(text, spans)

    def _place(self, messages: Sequence[Message], i: int, text: str) -> tuple[int, int] | None:
        """Where a turn's words stand in the text, or what the template makes of them. None where it cannot be told.

        Found with other words in their place: those of a short answer (as "a") stand in the template's own words too.
        """
        mark = "@@"
        while mark in text:
            mark += "@"
        marked = self.render([*messages[:i], messages[i].model_copy(update={"content": mark}), *messages[i + 1 :]])
        start = marked.find(mark)
        rest = marked[start + len(mark) :]
        if start < 0 or text[:start] != marked[:start] or not text.endswith(rest):
            return None
        return start, max(start, len(text) - len(rest))


def _closing(text: str, end: int, last: Message) -> str:
    """What a template writes behind an answer, if it is there at `end`: what follows the conversation's last answer."""
    mark = text[text.rfind(last.content) + len(last.content) :].rstrip() if last.role == "assistant" else ""
    return mark if text.startswith(mark, end) else ""
