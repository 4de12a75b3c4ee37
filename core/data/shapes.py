"""Recognise what kind of examples a table holds, and suggest which column plays which role for a task."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from core.schemas.findings import Severity
from core.schemas.imports import ColumnInfo, ColumnKind, ImportNote, ImportReport, Shape

from . import column_names
from .columns import describe_columns
from .label_lists import yes_or_no
from .numbers import number
from .thumbs import thumb

TASKS = ("classification", "multi_label", "regression", "chat", "preference", "text_to_text", "completion")
TASK_OF_SHAPE: dict[Shape, str] = {
    "messages": "chat",
    "sharegpt": "chat",
    "alpaca": "chat",
    "prompt_completion": "chat",
    "preference": "preference",
    "thumbs": "preference",
    "text_label": "classification",
    "plain_text": "completion",
}
# What a table of each shape "looks like", for a sentence.
SHAPE_TITLES: dict[Shape, str] = {
    "messages": "conversations in the OpenAI form (messages with role and content)",
    "sharegpt": "conversations in the ShareGPT form (turns with from and value)",
    "alpaca": "instructions in the Alpaca form (instruction, input and output)",
    "prompt_completion": "questions with their answers",
    "preference": "preference pairs (a chosen and a rejected answer)",
    "thumbs": "answers with thumbs up or down",
    "text_label": "texts with a category each",
    "plain_text": "plain texts",
}
MOST_LABELS = 1_000
LONG_ANSWER = 40  # characters on average: labels are shorter
LONG_TEXT = 100


def suggest_task(report: ImportReport) -> str | None:
    """The task that the examples suit best: classification, chat, preference or completion; None where nothing fits. The other
    tasks need the person's word: their data look like these."""
    return TASK_OF_SHAPE[report.shape] if report.shape else None


def suggest_roles(report: ImportReport | pa.Table, task: str) -> dict[str, str]:
    """Role to column, only for roles that have a likely column. An unknown task has no roles.

    classification: text, label. multi_label: text, and labels or `labels:=NAME` for each column of yes and no. regression:
    text, value. text_to_text: prompt, response. chat: messages, or prompt, response and where found context and system.
    preference: prompt with chosen and rejected, or with response and rating. completion: text.
    """
    columns = describe_columns(report) if isinstance(report, pa.Table) else report.columns
    return roles_of(columns, task)


def roles_of(columns: Sequence[ColumnInfo], task: str) -> dict[str, str]:
    """As `suggest_roles`, from the descriptions of the columns."""
    suggest = {
        "classification": _classification,
        "multi_label": _multi_label,
        "regression": _regression,
        "chat": _chat,
        "preference": _preference,
        "text_to_text": _pair,
        "completion": _completion,
    }.get(task)
    return suggest(columns) if suggest else {}


def recognise_shape(table: pa.Table, columns: Sequence[ColumnInfo]) -> Shape | None:
    """The shape of the examples, judged by names first and values second."""
    names = {column_names.plain_name(column.name) for column in columns if column.kind is not ColumnKind.EMPTY}
    if {"chosen", "rejected"} <= names:
        return "preference"
    if _thumbs(columns):
        return "thumbs"
    conversation = _conversation(columns)
    if conversation is not None:
        first = next((value for value in table.column(conversation.name).to_pylist() if value), "[]")
        return "sharegpt" if '"from"' in first and '"role"' not in first else "messages"
    if {"instruction", "output"} <= names:
        return "alpaca"
    chat, labelled = _chat(columns), _classification(columns)
    answer = next((column for column in columns if column.name == chat.get("response")), None)
    pair = answer is not None and "prompt" in chat and answer.kind is ColumnKind.TEXT
    if answer is not None and pair and column_names.rank(answer.name, column_names.RESPONSE) is not None:
        return "prompt_completion"
    label = next((column for column in columns if column.name == labelled.get("label")), None)
    asks = names & {"prompt", "instruction"}  # a task to do, so that a column that repeats need not be a label
    if label is not None and "text" in labelled and not (asks and _hint(label, column_names.LABEL) == 0):
        return "text_label"
    if answer is not None and pair and answer.mean_length > LONG_ANSWER:
        return "prompt_completion"
    texts = [column for column in columns if column.kind is ColumnKind.TEXT]
    filled = [column for column in columns if column.kind is not ColumnKind.EMPTY]
    if len(texts) == 1 and not asks and (len(filled) == 1 or texts[0].mean_length > LONG_TEXT):
        return "plain_text"
    return None


def shape_notes(table: pa.Table, shape: Shape | None, rows: int) -> list[ImportNote]:
    """What a person should know about examples of this shape. `table` holds the first of `rows` rows."""
    looked = "" if rows <= table.num_rows else f" (of the first {table.num_rows:,} rows)"
    names = {column_names.plain_name(name): name for name in table.column_names}
    if shape == "preference":
        return _preference_notes(table.column(names["chosen"]), table.column(names["rejected"]), looked)
    if shape in ("messages", "sharegpt"):
        return _conversation_notes(table, looked)
    return []


def _best(columns: Iterable[ColumnInfo], score: Callable[[ColumnInfo], float]) -> ColumnInfo | None:
    """The column with the highest score above 0; the first of equals."""
    best = max(columns, key=score, default=None)
    return best if best is not None and score(best) > 0 else None


def _hint(column: ColumnInfo, names: tuple[str, ...]) -> float:
    """1 for the strongest name, towards 0 for weaker ones, 0 for none."""
    place = column_names.rank(column.name, names)
    return 0.0 if place is None else 1 - place / (2 * len(names) + 1)


def _can_be(column: ColumnInfo, names: tuple[str, ...]) -> bool:
    """Text, a turn of a conversation, or anything filled that is named exactly so: numbers can be answers too."""
    if column.kind in (ColumnKind.EMPTY, ColumnKind.STRUCTURE):
        return False
    named = column_names.plain_name(column.name) in names
    return named or column.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY, ColumnKind.CONVERSATION)


def _is_whole_text(column: ColumnInfo) -> bool:
    return column.kind in (ColumnKind.TEXT, ColumnKind.CATEGORY)


def _classification(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    def label_score(column: ColumnInfo) -> float:
        hint = _hint(column, column_names.LABEL)
        fits = column.kind is ColumnKind.CATEGORY and column.n_distinct <= MOST_LABELS
        return 2 * hint + 1 - 0.5 * (column.n_distinct == 1) if fits else 0.0

    def text_score(column: ColumnInfo) -> float:
        if not _is_whole_text(column) or (label is not None and column.name == label.name):
            return 0.0
        hint = _hint(column, column_names.TEXT)
        different = column.n_distinct / most_distinct  # notes and remarks are rarer than texts
        return 2 * hint + (column.kind is ColumnKind.TEXT) + different + min(column.mean_length, 1_000) / 1_000

    most_distinct = max((column.n_distinct for column in columns if _is_whole_text(column)), default=0) or 1
    label = _best(columns, label_score)
    text = _best(columns, text_score)
    found = {"text": text, "label": label}
    return {role: column.name for role, column in found.items() if column is not None}


def _text(columns: Sequence[ColumnInfo], taken: Iterable[str]) -> ColumnInfo | None:
    """The column that looks most like the text to read, of those that nothing else needs."""
    return _best(
        [c for c in columns if _is_whole_text(c) and c.name not in taken],
        lambda c: 1 + 2 * _hint(c, column_names.TEXT) + (c.kind is ColumnKind.TEXT) + min(c.mean_length, 1_000) / 1_000,
    )


def _multi_label(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    flags = [c.name for c in columns if 0 < c.n_distinct <= 2 and yes_or_no(c.examples)]

    def score(column: ColumnInfo) -> float:
        named = 2 * _hint(column, column_names.LABELS)
        usable = column.kind in (ColumnKind.CATEGORY, ColumnKind.STRUCTURE, ColumnKind.TEXT)
        # Without a telling name only what looks like a list or a category: a text is not taken for labels.
        return (named or 0.5 * (column.kind is not ColumnKind.TEXT)) if usable else 0.0

    named = _best(columns, score)
    if len(flags) > 1 and (named is None or not _hint(named, column_names.LABELS)):
        text = _text(columns, flags)
        return {**({"text": text.name} if text else {}), **{f"labels:={name}": name for name in flags}}
    text = _text(columns, [named.name] if named else [])
    found = {"text": text, "labels": named}
    return {role: column.name for role, column in found.items() if column is not None}


def _are_numbers(examples: Sequence[str]) -> bool:
    """Most of them: a column of prices holds an "on request" here and there."""
    return 2 * sum(number(value) is not None for value in examples) > len(examples)


def _regression(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    numbers = [c for c in columns if c.examples and _are_numbers(c.examples)]
    value = _best(numbers, lambda c: 1 + 2 * _hint(c, column_names.VALUE) - 3 * (c.kind is ColumnKind.IDENTIFIER))
    text = _text(columns, [value.name] if value else [])
    return {role: column.name for role, column in {"text": text, "value": value}.items() if column is not None}


def _pair(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    """As questions and answers, with names such as source and target first."""
    read = _best(columns, lambda c: _hint(c, column_names.SOURCE) if _is_whole_text(c) else 0.0)
    told = _best(columns, lambda c: _hint(c, column_names.TARGET) if _is_whole_text(c) else 0.0)
    if read is not None and told is not None and read.name != told.name:
        return {"prompt": read.name, "response": told.name}
    return {role: column for role, column in _chat(columns).items() if role in ("prompt", "response")}


def _conversation(columns: Sequence[ColumnInfo]) -> ColumnInfo | None:
    talks = [column for column in columns if column.kind is ColumnKind.CONVERSATION]
    talks = [c for c in talks if column_names.plain_name(c.name) not in ("chosen", "rejected")]
    return _best(talks, lambda column: 1 + _hint(column, column_names.CONVERSATION))


def _chat(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    names = {column_names.plain_name(column.name) for column in columns}
    conversation = _conversation(columns)
    if conversation is not None and "chosen" not in names:
        return {"messages": conversation.name}
    if conversation is None and not names & set(column_names.PROMPT):
        chosen = next((c for c in columns if column_names.plain_name(c.name) == "chosen"), None)
        if chosen is not None and chosen.kind is ColumnKind.CONVERSATION:
            return {"messages": chosen.name}  # the whole conversation up to the better answer
    roles: dict[str, str] = {}

    def free(usable: Callable[[ColumnInfo], bool]) -> list[ColumnInfo]:
        return [column for column in columns if column.name not in roles.values() and usable(column)]

    for role, hints in (
        ("system", column_names.SYSTEM),
        ("prompt", column_names.PROMPT),
        ("response", column_names.RESPONSE),
        ("context", column_names.CONTEXT),
    ):
        found = _best(free(partial(_can_be, names=hints)), partial(_hint, names=hints))
        if found is not None:
            roles[role] = found.name
    if conversation is not None:
        roles.setdefault("prompt", conversation.name)
    texts = [column.name for column in free(lambda column: column.kind is ColumnKind.TEXT)]
    if "prompt" not in roles and texts:
        roles["prompt"] = texts.pop(0)
    if "response" not in roles and texts:
        roles["response"] = texts[-1]
    return {role: roles[role] for role in ("prompt", "context", "response", "system") if role in roles}


def _preference(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    """A better and a worse answer by their names, else an answer with its thumbs; the question where it is a column."""
    names = ((role, hints) for role, hints in (("chosen", column_names.CHOSEN), ("rejected", column_names.REJECTED)))
    roles = {
        role: found.name
        for role, hints in names
        if (found := _best((c for c in columns if _can_be(c, hints)), partial(_hint, names=hints))) is not None
    }
    if len(roles) < 2:
        return _thumbs(columns)
    for role, hints in (("prompt", column_names.PROMPT), ("system", column_names.SYSTEM)):
        free = [c for c in columns if c.name not in roles.values() and _can_be(c, hints)]
        found = _best(free, partial(_hint, names=hints))
        if found is not None:
            roles[role] = found.name
    before = _conversation([c for c in columns if c.name not in roles.values()])
    if before is not None:
        roles.setdefault("prompt", before.name)  # the conversation up to the two answers
    return roles


def _thumbs(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    """A question, an answer and a column of ups and downs; {} where one of them is not there by name."""
    hints = column_names.THUMBS
    rated = [
        c for c in columns if 1 <= c.n_distinct <= 2 and c.examples and all(thumb(e) is not None for e in c.examples)
    ]
    rating = _best(rated, partial(_hint, names=hints))
    if rating is None:
        return {}
    roles = {"rating": rating.name}
    for role, names in (("prompt", column_names.PROMPT), ("response", column_names.RESPONSE)):
        free = [c for c in columns if c.name not in roles.values() and _can_be(c, names)]
        found = _best(free, partial(_hint, names=names))
        if found is None:
            return {}
        roles[role] = found.name
    return roles


def _completion(columns: Sequence[ColumnInfo]) -> dict[str, str]:
    texts = [column for column in columns if column.kind is ColumnKind.TEXT]
    found = _best(texts, lambda c: _hint(c, column_names.TEXT) + min(c.mean_length, 4_000) / 1_000)
    return {"text": found.name} if found is not None else {}


def _preference_notes(chosen: pa.ChunkedArray, rejected: pa.ChunkedArray, looked: str) -> list[ImportNote]:
    without = pc.sum(pc.or_(pc.is_null(chosen), pc.is_null(rejected))).as_py() or 0
    equal = pc.sum(pc.equal(chosen, rejected)).as_py() or 0
    notes = [
        ImportNote(
            severity=Severity.INFO,
            title="Each row has a better and a worse answer.",
            meaning="The model can learn to prefer the chosen answer. To learn only the chosen answers, choose the task that "
            "answers questions.",
        )
    ]
    if without:
        notes.append(
            ImportNote(
                severity=Severity.WARNING,
                title=f"{without:,} pairs{looked} lack one of the two answers.",
                meaning="A pair teaches only where it has both a chosen and a rejected answer.",
                count=without,
            )
        )
    if equal:
        notes.append(
            ImportNote(
                severity=Severity.WARNING,
                title=f"{equal:,} pairs{looked} have the same answer twice.",
                meaning="Chosen and rejected are equal, so there is nothing to prefer.",
                count=equal,
            )
        )
    return notes


def _conversation_notes(table: pa.Table, looked: str) -> list[ImportNote]:
    column = _conversation(describe_columns(table))
    if column is None:
        return []
    values = [value for value in table.column(column.name).to_pylist() if value]
    systems = turns = 0
    for value in values:
        try:
            talk = json.loads(value)
        except (ValueError, RecursionError):
            continue  # the task that uses the column reports such rows
        talk = talk if isinstance(talk, list) else [talk]
        turns += len(talk)
        systems += any(isinstance(turn, dict) and turn.get("role", turn.get("from")) == "system" for turn in talk)
    return [
        ImportNote(
            severity=Severity.INFO,
            title=f"{len(values):,} conversations{looked}, {systems:,} with a system prompt.",
            meaning=f"They have {turns / max(len(values), 1):.1f} turns on average.",
            count=len(values),
        )
    ]
