"""Read a job file, and say in words for a person which key of it is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from core.schemas.errors import UserError
from core.schemas.job_file import JobFile
from core.tasks import registry as tasks

MANUAL = "docs/command-line.md says what each key takes."
ERRORS_SHOWN = 3


def load(path: Path) -> JobFile:
    """Raises UserError where the file cannot be read, is no YAML, or has a key that is missing, unknown or wrong."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(
            "There is no such job file.", f"{path} was not found.", "Check the path for typing errors."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            "The job file cannot be read.", f"{path}: {error}.", "Give the path of a text file in UTF-8."
        ) from error
    except yaml.YAMLError as error:
        raise UserError(
            "The job file is not valid YAML.", _yaml_cause(path, error), "Mend that line. Indent with spaces, not tabs."
        ) from error
    if not isinstance(data, dict):
        raise UserError(
            "The job file is not a list of settings.", f"{path} holds no keys such as `task:` and `data:`.", MANUAL
        )
    try:
        job = JobFile.model_validate(data)
    except ValidationError as error:
        raise wrong_keys(error, JobFile) from error
    _check_task(job)
    return job


def wrong_keys(error: ValidationError, schema: type[BaseModel]) -> UserError:
    """Name the keys that are wrong, what is wrong with them, and which key was probably meant."""
    found = error.errors()
    said = [_sentence(one, schema) for one in found[:ERRORS_SHOWN]]
    if len(found) > ERRORS_SHOWN:
        said.append(f"{len(found) - ERRORS_SHOWN} more are wrong.")
    return UserError("The job file cannot be used.", " ".join(said), f"Mend what is named. {MANUAL}")


def _sentence(one: Any, schema: type[BaseModel]) -> str:
    place = [str(part) for part in one["loc"]]
    key = f"`{'.'.join(place)}`" if place else "The file"
    if one["type"] == "missing":
        return f"{key} is missing."
    if one["type"] == "extra_forbidden":
        known = _keys_at(schema, place[:-1])
        near = difflib.get_close_matches(place[-1], known, 1)
        return f"{key} is not known" + (f": did you mean `{near[0]}`?" if near else f". Known: {', '.join(known)}.")
    if one["type"] == "value_error":
        return f"{key}: {one['ctx']['error']}."
    if one["type"] == "tuple_type":
        return f"{key} should be a list, for example [train, evaluate]."
    value = repr(one["input"])
    said = str(one["msg"]).replace("Input should", "should")
    said = said.replace("a valid dictionary or instance of", "a group of keys for")
    return f"{key} {said}; it is {value if len(value) <= 60 else value[:57] + '...'}."


def _keys_at(schema: type[BaseModel], place: Sequence[str]) -> list[str]:
    """The keys that the group at `place` takes."""
    for name in place:
        kind = schema.model_fields[name].annotation if name in schema.model_fields else None
        nested = [t for t in (kind, *get_args(kind)) if isinstance(t, type) and issubclass(t, BaseModel)]
        if not nested:
            return []
        schema = nested[0]
    return list(schema.model_fields)


def _yaml_cause(path: Path, error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{path}, line {mark.line + 1}: {problem}." if mark else f"{path}: {problem}."


def _check_task(job: JobFile) -> None:
    if job.task not in tasks():
        raise UserError(
            "The job file cannot be used.",
            f"`task`: there is no task {job.task!r}.",
            f"Choose one of: {', '.join(tasks())}.",
        )
    roles = [role.key for role in tasks()[job.task].roles]
    unknown = [role for role in job.columns if role.partition(":")[0] not in roles]
    if unknown:
        raise UserError(
            "The job file cannot be used.",
            f"`columns.{unknown[0]}` is not a role of the task {job.task}.",
            f"Write `role: column`; the roles are {', '.join(roles)}.",
        )
