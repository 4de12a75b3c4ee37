"""Usual names of columns and the role that they hint at. The first names of a list are the stronger hints."""

from __future__ import annotations

import re
from functools import lru_cache

TEXT = (
    "text",
    "sentence",
    "utterance",
    "review",
    "message",
    "tweet",
    "comment",
    "content",
    "body",
    "document",
    "post",
    "sms",
    "description",
    "question",
    "query",
    "headline",
    "title",
    "texto",
    "texte",
    "reviewtext",
    "phrase",
    "reseña",
    "文本",
    "内容",
    "评论",
    "句子",
)
LABEL = (
    "label",
    "labels",
    "intent",
    "class",
    "sentiment",
    "category",
    "target",
    "topic",
    "polarity",
    "emotion",
    "rating",
    "stars",
    "score",
    "tag",
    "type",
    "gold",
    "y",
    "kategorie",
    "klasse",
    "etiqueta",
    "categoria",
    "clase",
    "classe",
    "标签",
    "类别",
)
LABELS = (
    "labels",
    "tags",
    "topics",
    "categories",
    "genres",
    "classes",
    "keywords",
    "emotions",
    "intents",
    "label",
    "tag",
    "etiquetas",
    "schlagworte",
    "标签",
)
VALUE = (
    "score",
    "rating",
    "stars",
    "grade",
    "value",
    "number",
    "points",
    "price",
    "mark",
    "target",
    "label",
    "note",
    "y",
    "wert",
    "punkte",
    "评分",
)
SOURCE = ("source", "input", "article", "document", "text", "src", "original", "noisy", "long", "prompt", "quelle")
TARGET = (
    "target",
    "output",
    "summary",
    "translation",
    "tgt",
    "corrected",
    "clean",
    "short",
    "highlights",
    "headline",
    "ziel",
)
PROMPT = (
    "prompt",
    "instruction",
    "question",
    "query",
    "user",
    "human",
    "input",
    "request",
    "ask",
    "problem",
    "frage",
    "pregunta",
    "pergunta",
    "问题",
)
RESPONSE = (
    "response",
    "completion",
    "output",
    "answer",
    "answers",
    "reply",
    "assistant",
    "target",
    "solution",
    "chosen",
    "antwort",
    "respuesta",
    "réponse",
    "resposta",
    "回答",
    "答案",
)
CHOSEN = ("chosen", "better", "preferred", "accepted", "winner", "good_answer", "better_answer")
REJECTED = ("rejected", "worse", "dispreferred", "loser", "bad_answer", "worse_answer")
THUMBS = (
    "thumbs",
    "thumb",
    "liked",
    "like",
    "rating",
    "feedback",
    "vote",
    "label",
    "desirable",
    "preference",
    "helpful",
    "good",
    "score",
)
CONTEXT = ("context", "input", "passage", "background", "kontext", "contexto")
SYSTEM = ("system", "system_prompt", "systemprompt", "system_message")
CONVERSATION = ("messages", "conversations", "conversation", "dialog", "dialogue", "chat", "turns")
OTHERS = (
    "id",
    "uid",
    "idx",
    "index",
    "name",
    "date",
    "time",
    "timestamp",
    "created_at",
    "user_id",
    "author",
    "source",
    "url",
    "language",
    "lang",
    "country",
    "gender",
    "age",
    "split",
    "notes",
    "note",
    "rejected",
    "code",
    "customer",
)
KNOWN = frozenset(TEXT + LABEL + PROMPT + RESPONSE + CONTEXT + SYSTEM + CONVERSATION + OTHERS)


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """The name in small letters with underscores: `" Review Text"` becomes `review_text`."""
    return re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")


def rank(name: str, hints: tuple[str, ...]) -> int | None:
    """How strong a hint the name is (0 is the strongest), or None. `movie_review` counts less than `review`."""
    plain = plain_name(name)
    if plain in hints:
        return hints.index(plain)
    first, *rest = plain.split("_")
    if rest and rest[-1] in hints:
        return len(hints) + hints.index(rest[-1])
    if rest and first in hints and rest[-1] in ("text", "clean", "body", "content", "en"):
        return len(hints) + hints.index(first)
    return None
