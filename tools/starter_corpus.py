"""Text and instruction-shaped examples for pre-training the starter model (`pretrain_starter.py`).

Reads the compressed corpus (documents separated by `<|endoftext|>`) and derives conversations from its passages, so
that the starter has seen turns, questions and short answers before a person fine-tunes it.
"""

from __future__ import annotations

import lzma
import random
import re
from collections.abc import Iterator
from pathlib import Path

END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|end|>"
PAD = "<|pad|>"
ROLES = ("system", "user", "assistant")
SPECIAL_TOKENS = [END_OF_TEXT, END_OF_TURN, PAD, *(f"<|{role}|>" for role in ROLES)]

# `{% generation %}` marks what the assistant says: the tokens that fine-tuning trains on.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|end|>' }}{% endgeneration %}"
    "{% else %}{{ message['content'] + '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

_SENTENCE = re.compile(r"(?<=[.!?])[\"']?\s+(?=[\"'A-Z])")
_WORD = re.compile(r"(?<!\w)[A-Za-z]{5,}(?!\w)")


def documents(path: Path) -> Iterator[str]:
    """Yield the documents of one `.txt.xz` file in order, without surrounding white space."""
    with lzma.open(path, "rt", encoding="utf-8") as stream:
        lines: list[str] = []
        for line in stream:
            if line.strip() == END_OF_TEXT:
                yield "".join(lines).strip()
                lines = []
            else:
                lines.append(line)
        yield "".join(lines).strip()


def turn(role: str, text: str) -> str:
    return f"<|{role}|>{text}{END_OF_TURN}"


def dialogue(document: str) -> str | None:
    """Turn `User:` / `Assistant:` lines into one conversation; None when the shape does not fit."""
    turns = []
    for line in document.splitlines():
        name, _, text = line.partition(":")
        if name.lower() not in ROLES or not text.strip():
            return None
        turns.append(turn(name.lower(), text.replace("\\r", " ").strip()))
    return "".join(turns) or None


def instructions(document: str, rng: random.Random) -> Iterator[str]:
    """Yield zero to two conversations derived from one passage: continue, use these words, fill in, find, copy."""
    solved = re.fullmatch(r"(.+?[?.]) (.+ The answer is .+)", document, flags=re.S)
    if solved and "?" in solved[1]:
        question, answer = document.split("?", 1)
        yield turn("user", question.strip() + "?") + turn("assistant", answer.strip())
        return
    sentences = [" ".join(s.split()) for s in _SENTENCE.split(document) if 20 < len(s) < 220]
    if len(sentences) < 8:
        return
    for _ in range(2):
        start = rng.randrange(len(sentences) - 6)
        passage = sentences[start : start + rng.randint(2, 4)]
        following = sentences[start + len(passage) : start + len(passage) + 2]
        text = " ".join(passage)
        words = _WORD.findall(text)
        if len(words) < 6:
            continue
        kind = rng.choice(("continue", "words", "missing", "contains", "first", "last", "sentence"))
        if kind == "continue":
            ask = rng.choice(("Continue the story: ", "What happens next? ", "Go on with this text: "))
            yield turn("user", ask + text) + turn("assistant", " ".join(following))
        elif kind == "words":
            chosen = ", ".join(rng.sample(sorted(set(words)), 3)) if len(set(words)) > 3 else words[0]
            ask = rng.choice(("Write a short text with the words ", "Tell a short story with these words: "))
            yield turn("user", f"{ask}{chosen}.") + turn("assistant", text)
        elif kind == "missing":
            word = rng.choice(words)
            ask = "Which word is missing? " + re.sub(rf"\b{word}\b", "____", text)
            yield turn("user", ask) + turn("assistant", word)
        elif kind == "contains":
            here = rng.random() < 0.5
            word = rng.choice(words) if here else rng.choice(_WORD.findall(document))
            answer = "Yes" if re.search(rf"\b{word}\b", text) else "No"
            yield turn("user", f'Is the word "{word}" in this text? {text}') + turn("assistant", answer)
        elif kind == "first":
            yield turn("user", f"What is the first sentence of this text? {text}") + turn("assistant", passage[0])
        elif kind == "last":
            yield turn("user", f"What is the last sentence of this text? {text}") + turn("assistant", passage[-1])
        else:
            word = rng.choice(words)
            found = next(s for s in passage if word in s)
            yield turn("user", f'Which sentence has the word "{word}"? {text}') + turn("assistant", found)
