"""Push an export to the Hugging Face hub: private unless said otherwise, in one commit, with a token that is kept nowhere.

The token lies in a file of the job that only this person can read, and goes with the job (`core/store/job_tokens.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]

from core.schemas.errors import UserError
from core.schemas.jobs import Job, JobKind
from core.store import jobs, records
from core.store.job_tokens import forget_tokens, leave_token
from core.store.tables import Export, Run

from . import cards, licence_notes, runs

# https://huggingface.co/docs/hub/repositories: letters, digits, - _ and . ; no -- and no .. ; at most 96 characters a part.
PART = r"(?!.*(?:--|\.\.))(?![-.])[A-Za-z0-9._-]{1,96}(?<![-.])"
NAME = re.compile(rf"(?:{PART}/)?{PART}")
TOKEN = re.compile(r"[A-Za-z0-9_.-]{8,1000}")
LIKE_A_TOKEN = re.compile(r"hf_[A-Za-z0-9_]{20,}")
CARD = "README.md"
TOKENS_PAGE = "huggingface.co/settings/tokens"


class Piece(NamedTuple):
    """A file of the repository: from the export's folder, or a text as it stands now."""

    name: str
    size: int
    path: Path | None = None
    text: bytes = b""


def submit(export: Export, repo: str, token: str, *, private: bool = True, replace: bool = False) -> str:
    """Queue a push. `replace` allows to overwrite what the repository holds. Raises UserError for a name, a token or an export
    with which it cannot begin."""
    name, secret = check_name(repo), check_token(token)
    pieces(export)  # an export that is gone is said now
    forget_tokens()
    payload = {"export_id": export.id, "repo": name, "private": private, "replace": replace}
    return jobs.submit(JobKind.PUSH, export.project_id, payload, prepare=lambda job_id: leave_token(job_id, secret))


def check_name(repo: str) -> str:
    """The name without spaces around it. Raises UserError where the hub would refuse it."""
    name = repo.strip().removeprefix("https://huggingface.co/").strip("/")
    if LIKE_A_TOKEN.search(name):
        raise UserError(
            "This looks like an access token.",
            "It was given as the name of the repository, which everybody who can read this project would see.",
            "Put it into its own field, and write a name here.",
        )
    if not NAME.fullmatch(name) or name.endswith(".git"):
        raise UserError(
            "This name cannot be used on the hub.",
            f"{name[:80]!r} is not of the form owner/name, with letters, digits, - _ and . only (no double -- or ..).",
            "Write it like my-name/my-model; without an owner it becomes yours.",
        )
    return name


def check_token(token: str) -> str:
    """Raises UserError where it cannot be one; what was given is never repeated."""
    found = token.strip()
    if not found:
        raise UserError(
            "An access token is needed.",
            "Only with it does the hub know whose repository this will be.",
            f"Make one that may write at {TOKENS_PAGE}, and paste it here. It is used once and not kept.",
        )
    if not TOKEN.fullmatch(found):
        raise UserError(
            "This is not an access token.",
            "It has characters that no token has, or is far too short.",
            f"Copy it again from {TOKENS_PAGE}, as a whole and nothing else.",
        )
    return found


def pieces(export: Export) -> list[Piece]:
    """What will be uploaded, in order: the files that were tested, with card and licence notes as they stand now."""
    folder = Path(export.folder)
    if not folder.is_dir():
        raise UserError("The export is gone.", "Its folder is not there any more.", "Export the model again.")
    run = runs.get(export.run_id)
    fresh = {CARD: cards.of_run(run, export.kind).encode(), licence_notes.FILENAME: licence_notes.notes(run).encode()}
    found = [Piece(name, len(text), text=text) for name, text in fresh.items()]
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink()):
        name = path.relative_to(folder).as_posix()
        if name not in fresh:
            found.append(Piece(name, path.stat().st_size, path=path))
    return found


def address(repo: str) -> str:
    """Where the repository is seen, for a person."""
    return f"{constants.ENDPOINT}/{repo}"


def pushed(export_id: str) -> list[Job]:
    """Pushes of this export that arrived, newest first; the result says where and as which commit."""
    found = records.get(Export, export_id)
    every = jobs.find(project_id=found.project_id, kinds=[JobKind.PUSH]) if found else []
    return [job for job in every if job.payload["export_id"] == export_id and job.result]


def last(run: Run) -> Job | None:
    """The newest push of any export of this round, whatever became of it."""
    own = {export.id for export in records.find(Export, run_id=run.id)}
    every = jobs.find(project_id=run.project_id, kinds=[JobKind.PUSH])
    return next((job for job in every if job.payload["export_id"] in own), None)


# -- what goes wrong ---------------------------------------------------------------------------------------------------

FINE_GRAINED = "A fine-grained token needs the right to write to repositories of that owner."


@contextmanager
def push_errors(repo: str) -> Iterator[None]:
    """What goes wrong with the hub while pushing, in words. No header and no address of a request is repeated."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(
            "The hub was not asked.",
            "This machine is set to work without it (HF_HUB_OFFLINE).",
            "Unset HF_HUB_OFFLINE, start Tunewell again, and push again.",
        ) from error
    except HfHubHTTPError as error:
        status = getattr(error.response, "status_code", 0)
        raise refused(repo, status) from error
    except HTTPError as error:
        raise unreachable(type(error).__name__) from error


def refused(repo: str, status: int) -> UserError:
    """The hub's answer by its HTTP status."""
    owner = repo.partition("/")[0] if "/" in repo else "this owner"
    if status == 401:
        return UserError(
            "The hub does not accept this token.",
            "It is wrong, was deleted, or has run out.",
            f"Make a new one that may write at {TOKENS_PAGE}.",
        )
    if status in (402, 403):
        return UserError(
            "You may not write there.",
            f"The token is valid, but does not allow to write to repositories of {owner}.",
            f"Use a name of your own, or a token that may. {FINE_GRAINED}",
        )
    if status == 404:
        return UserError(
            "The hub knows no such owner or repository.",
            f"{repo} was not found, or the token does not allow to see it.",
            f"Check the name before the slash. {FINE_GRAINED}",
        )
    if status in (409, 412):
        return UserError(
            "The repository changed meanwhile.",
            "Somebody else, or another program, wrote to it at the same time.",
            "Push again.",
        )
    if status == 413:
        return UserError(
            "A file is too large for the hub.",
            "It refused the size of a file.",
            "Push the adapter in place of the whole model.",
        )
    return UserError(
        "The hub answered with an error.",
        f"It could not take the upload (HTTP status {status or 'unknown'}).",
        "Try again later. What has arrived need not be sent again.",
    )


def unreachable(what: str) -> UserError:
    return UserError(
        "The hub could not be reached.",
        f"There is no connection to it, or it broke off ({what}).",
        "Check the network and push again. What has arrived need not be sent again.",
    )


def name_taken(repo: str) -> UserError:
    return UserError(
        "This name is taken.",
        f"The repository {repo} exists and holds other files.",
        "Choose another name, or allow to replace what it holds: its earlier versions stay in its history.",
    )


def is_public(repo: str) -> UserError:
    return UserError(
        "That repository is public.",
        f"Everybody can read {repo}, and you asked for a private one.",
        "Choose another name, make that repository private on the hub, or push it as public.",
    )


def no_write() -> UserError:
    return UserError(
        "This token may only read.",
        "The hub knows it, but it was made without the right to write.",
        f"Make one that may write at {TOKENS_PAGE}.",
    )


def as_json(job: Job) -> dict[str, Any]:
    """What a push did, for the command line."""
    return {"job": job.id, **(job.result or {})}
