"""Fill the tables of `docs/command-line.md` from the code: `python -m tools.command_line_page`. A test holds it current."""

from __future__ import annotations

import argparse
import importlib
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from core.__main__ import COMMANDS, module_of
from core.schemas.imports import ImportOptions
from core.schemas.job_file import DataFiles, JobFile, JobRecipe
from core.schemas.plan import PreparationPlan, SplitPlan
from core.store.config import VARIABLES
from core.tasks import registry as tasks

PAGE = Path(__file__).parents[1] / "docs" / "command-line.md"
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
KINDS = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "keys and values"}
SIGNS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
SCHEMAS: dict[str, type[BaseModel]] = {
    "job": JobFile,
    "data": DataFiles,
    "read": ImportOptions,
    "preparation": PreparationPlan,
    "split": SplitPlan,
    "recipe": JobRecipe,
}


def filled(page: str) -> str:
    """The page with every table as the code has it now. Raises KeyError for a table that is not known."""
    return BLOCK.sub(lambda found: f"{found[1]}{table(found[2])}\n{found[3]}", page)


def table(name: str) -> str:
    if name == "commands":
        return _rows(("command", "what it does"), _commands())
    if name == "environment":
        return _rows(("variable", "what it is"), [(f"`{key}`", said) for key, said in VARIABLES.items()])
    if name == "roles":
        return _rows(("task", "role", "the column that holds"), _roles())
    preset = name == "recipe"
    fields = sorted(SCHEMAS[name].model_fields.items(), key=lambda item: item[0] != "preset")
    rows = [(f"`{key}`", _takes(field), _default(key, field, preset), _help(field)) for key, field in fields]
    return _rows(("key", "takes", "default", "what it is"), rows)


def _rows(head: tuple[str, ...], rows: Any) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _commands() -> Iterator[tuple[str, str]]:
    for name, help_text in COMMANDS.items():
        parser = argparse.ArgumentParser(add_help=False)
        importlib.import_module(module_of(name)).add_arguments(parser)
        actions = parser._actions
        given = "".join(f" {a.metavar or a.dest}" for a in actions if not a.option_strings)
        yield f"`python -m core {name}{given}`", help_text
        for action in actions:
            if action.option_strings:
                value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
                yield f"… `{action.option_strings[-1]}{value}`", action.help or ""


def _roles() -> Iterator[tuple[str, str, str]]:
    for task in tasks().values():
        for role in task.roles:
            yield f"`{task.key}`", f"`{role.key}`", f"{role.title}: {role.help}"


def _help(field: FieldInfo) -> str:
    """Title and description; for a group of keys without them, the first sentence of what it is."""
    said = field.description or str(field.annotation.__doc__).split(". ")[0].rstrip(".") + "."
    return f"{field.title}: {said}" if field.title else said


def _takes(field: FieldInfo) -> str:
    text = _kind(field.annotation)
    bounds = [
        f"{word} {value:,}"
        for one in field.metadata
        for sign, word in SIGNS.items()
        if (value := getattr(one, sign, None)) is not None
    ]
    return f"{text}, {' and '.join(bounds)}" if bounds else text


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(kind))
    if get_origin(kind) in (Union, types.UnionType):
        return _kind(next(t for t in get_args(kind) if t is not type(None)))
    if get_origin(kind) is tuple:
        return f"a list of {_kind(get_args(kind)[0])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "keys, see below"
    return KINDS[get_origin(kind) or kind]


def _default(key: str, field: FieldInfo, preset: bool) -> str:
    if field.is_required():
        return "needed"
    if preset and key != "preset":
        return "the preset's"
    if key == "max_length":
        return "fits 99 of 100 rows"
    value = field.default
    if isinstance(value, BaseModel) or value in ("", {}):
        return "–"
    if value is None:
        return "none" if key in ("validation", "test", "column") else "detected"
    return (
        f"`[{', '.join(value)}]`"
        if isinstance(value, tuple)
        else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    )


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
