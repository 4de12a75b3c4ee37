"""Is a chat template right for training? Judged by the tokens that training would see, on a made-up conversation.

What would teach the model something wrong is an error; what only differs from how it was taught before is a warning.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from core.schemas.errors import UserError
from core.schemas.examples import Example, Message
from core.schemas.plan import PreparationPlan

from .encoding import Codec

# Words that no template holds, with a mark at the end: so that each can be found again in the text.
ASKED, ANSWERED = ("Zebra one?", "Zebra two?"), ("Quokka one.", "Quokka two.")
SYSTEM = "Okapi rule."
PROBE = tuple(
    Message(role=role, content=text)
    for pair in zip(ASKED, ANSWERED, strict=True)
    for role, text in zip(("user", "assistant"), pair, strict=True)
)
SHORT = PROBE[:2]


class Verdict(NamedTuple):
    """One line of the check. `level` is good, warning or error; `cause` and `fix` are empty where it is good."""

    level: Literal["good", "warning", "error"]
    title: str
    cause: str = ""
    fix: str = ""


def check(codec: Codec) -> list[Verdict]:
    """Every check of the codec's template and plan, in the order in which a person reads a conversation.

    Raises UserError where the template cannot be used at all.
    """
    plain = codec.with_plan(PreparationPlan(max_length=131072, chat_template=codec.plan.chat_template))
    return [
        _nothing_left_out(plain),
        *_begins_once(plain),
        _opens_the_answer(plain),
        _answers_marked(plain),
        _ends_the_answer(plain),
        *_marks_are_tokens(plain),
        *_system_prompt(codec, plain),
    ]


def _nothing_left_out(codec: Codec) -> Verdict:
    text = codec.chat.render(PROBE)
    places = [text.find(m.content) for m in PROBE]
    lost = next((m for m, place in zip(PROBE, places, strict=True) if place < 0), None)
    if lost is not None:
        who = "the assistant" if lost.role == "assistant" else "the person"
        return Verdict(
            "error",
            "Some words are left out",
            f"What {who} says is not in the text that the model reads.",
            "Write {{ message['content'] }} for every message of the loop.",
        )
    if places != sorted(places):
        return Verdict(
            "error", "The order is wrong", "The messages stand in another order than they were said.",
            "Loop over the messages once, from the first to the last.",
        )  # fmt: skip
    return Verdict("good", "Every message is in the text, in order")


def _begins_once(codec: Codec) -> list[Verdict]:
    tokenizer = codec.tokenizer
    begin = tokenizer.bos_token_id
    ids = list(codec.encode(Example(row_id="", messages=PROBE)).ids)
    if begin is None:
        return []
    name = tokenizer.bos_token
    if ids[:2] == [begin, begin]:
        return [
            Verdict(
                "error",
                "The start token stands there twice",
                f"The text begins with {name}{name}. The model has never seen that.",
                "Write {{ bos_token }} once, at the very beginning, and nowhere inside the loop.",
            )
        ]
    if begin == tokenizer.eos_token_id:
        return []
    if begin in ids[1:]:
        return [
            Verdict(
                "warning",
                "The start token stands in the middle",
                f"{name} is there {ids.count(begin)} times.",
                "Write {{ bos_token }} once, before the loop.",
            )
        ]
    if codec.opening and ids[:1] != [begin]:
        return [
            Verdict(
                "warning",
                "The start token is missing",
                f"This model's texts begin with {name}, this template's do not.",
                "Put {{ bos_token }} at the very beginning.",
            )
        ]
    return [Verdict("good", f"The start token {name} stands there once")] if ids[:1] == [begin] else []


def _opens_the_answer(codec: Codec) -> Verdict:
    whole = codec.chat.render(SHORT)
    asked = codec.chat.render(SHORT[:1], answering=True)
    advice = (
        "At the end, {% if add_generation_prompt %} must write exactly what stands before an answer, and nothing else."
    )
    if not whole.startswith(asked):
        return Verdict(
            "error",
            "It would be asked differently than it was trained",
            f"In use the text ends with {_end(asked)}, but in training something else stands before the answer.",
            advice,
        )
    between = whole[len(asked) : whole.find(SHORT[1].content)]
    if between.strip():
        return Verdict(
            "error",
            "The model would not be told that it is its turn",
            f"In use the text ends with {_end(asked)}; in training {between!r} follows before the answer.",
            advice,
        )
    ids, _ = _of(codec)
    prompt = codec.prompt_ids(SHORT[:1])
    if ids[: len(prompt)] != prompt:
        return Verdict(
            "error",
            "The answer begins inside a token",
            "The last characters before the answer and its first ones become one token in training, and two in use.",
            "Let the part before the answer end with a special mark or a line break, not with a blank.",
        )
    return Verdict("good", f"In use it is asked as in training: the text ends with {_end(asked)}")


def _answers_marked(codec: Codec) -> Verdict:
    encoded = codec.encode(Example(row_id="", messages=PROBE))
    learned = "".join(p for p, t in zip(encoded.pieces, encoded.trained, strict=True) if t)
    rest = "".join(p for p, t in zip(encoded.pieces, encoded.trained, strict=True) if not t)
    for text in ANSWERED:
        if text not in learned:
            return Verdict(
                "error",
                "An answer would not be learned",
                f"The words {text!r} cannot be found behind the point where the assistant begins.",
                "Write {{ message['content'] }} as it is: no changes of letters, blanks or line breaks in it.",
            )
    if any(text not in rest for text in ASKED):
        return Verdict(
            "error",
            "A question would be learned as an answer",
            "What the person says falls into the part that the model learns to write.",
            "Let a turn of the person be closed before the assistant's begins.",
        )
    return Verdict("good", "The answers are learned, the questions are not")


def _ends_the_answer(codec: Codec) -> Verdict:
    ids, trained = _of(codec)
    last = max((i for i, t in enumerate(trained) if t), default=None)
    ends = set(codec.stop_ids(None))
    tokenizer = codec.tokenizer
    end = tokenizer.eos_token or "the end-of-text token"
    if last is None or ids[last] not in ends:
        return Verdict(
            "error",
            "The model would not learn where an answer ends",
            "No special token closes an answer, so in use the model would write on and on.",
            "Put {{ eos_token }} behind each answer: {{ message['content'] + eos_token }}. "
            f"In this model it is {end}.",
        )
    name = tokenizer.convert_ids_to_tokens(ids[last])
    return Verdict("good", f"Each answer ends with {name}, and the model learns to write it")


def _marks_are_tokens(codec: Codec) -> list[Verdict]:
    """Marks such as <|im_start|> that are no single token in this model."""
    text = codec.chat.render(PROBE)
    known = set(codec.tokenizer.get_vocab())
    marks = sorted(set(re.findall(r"<\|[^|<>\s]{1,40}\|>|\[/?[A-Z_]{3,20}\]", text)))
    unknown = [mark for mark in marks if mark not in known]
    if not unknown:
        return []
    return [
        Verdict(
            "warning",
            "A mark is unknown to this model",
            f"{', '.join(unknown)} is made of several tokens here, so the model has to learn what it means.",
            "Use the marks of this model's own template where you can.",
        )
    ]


def _system_prompt(codec: Codec, plain: Codec) -> list[Verdict]:
    if not codec.plan.system_prompt:
        return []
    try:
        text = plain.chat.render((Message(role="system", content=SYSTEM), *SHORT))
    except UserError as error:
        return [Verdict("error", "The system prompt is refused", error.cause, "Leave the system prompt empty.")]
    if SYSTEM not in text:
        return [
            Verdict(
                "error",
                "The system prompt is left out",
                "This template does not write the standing instruction, so the model would never read it.",
                "Leave it empty, or write messages whose role is 'system' in the template.",
            )
        ]
    return [Verdict("good", "The system prompt is in the text")]


def _of(codec: Codec) -> tuple[list[int], list[bool]]:
    encoded = codec.encode(Example(row_id="", messages=SHORT))
    return list(encoded.ids), list(encoded.trained)


def _end(text: str) -> str:
    return repr(text[-24:])
