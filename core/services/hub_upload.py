"""The upload of a push itself, run by the worker: look first, then send large files, then everything becomes one commit.

A repository is never half filled: its files appear with the commit. Killed before, the next try sends only what is missing;
killed after, it finds that all is there.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils.tqdm import disable_progress_bars

from core.schemas.errors import UserError
from core.schemas.recorder import Interrupted

from . import hub_push
from .hub_push import Piece

Progress = Callable[[str, float, float], None]  # may raise to end the push
HUBS_OWN = ".gitattributes"  # made by the hub with the repository
BLOCK = 1 << 20


class Remote(NamedTuple):
    """A repository as it is: `files` are hashes by path (SHA-256 of large files, else git's blob id)."""

    private: bool
    commit: str
    files: Mapping[str, str]


def push(
    repo: str, token: str, found: Sequence[Piece], *, private: bool, replace: bool, progress: Progress
) -> dict[str, Any]:
    """Upload the pieces and return `repo`, `url`, `commit`, `private`, `files`, `bytes`. Raises UserError."""
    disable_progress_bars()
    api = HfApi(token=token)
    progress("Asking the hub", 0, 0)
    with hub_push.push_errors(repo):
        repo = full_name(api.whoami(), repo)
    with hub_push.push_errors(repo):
        remote = look(api, repo)
        if remote is None:
            progress("Making the repository", 0, 0)
            api.create_repo(repo, private=private, exist_ok=True)
            remote = look(api, repo) or Remote(private, "", {})
    if private and not remote.private:
        raise hub_push.is_public(repo)
    others = {name for name in remote.files if name != HUBS_OWN}
    if others and all(_same(remote, piece) for piece in found) and others == {piece.name for piece in found}:
        return told(repo, remote.commit, remote.private, found)
    if others and not replace:
        raise hub_push.name_taken(repo)
    stale = sorted(others - {piece.name for piece in found})
    commit = _commit(api, repo, found, stale, remote.commit, progress)
    return told(repo, commit, remote.private, found)


def told(repo: str, commit: str, private: bool, found: Sequence[Piece]) -> dict[str, Any]:
    return {
        "repo": repo,
        "url": hub_push.address(repo),
        "commit": commit,
        "private": private,
        "files": len(found),
        "bytes": sum(piece.size for piece in found),
    }


def full_name(me: Mapping[str, Any], repo: str) -> str:
    """The name with its owner. Raises UserError for a token that may only read."""
    if (me.get("auth") or {}).get("accessToken", {}).get("role") == "read":
        raise hub_push.no_write()
    return repo if "/" in repo else f"{me['name']}/{repo}"


def look(api: HfApi, repo: str) -> Remote | None:
    """None where there is no such repository, or none that this token may see."""
    try:
        info = api.model_info(repo)
    except RepositoryNotFoundError:
        return None
    tree = api.list_repo_tree(repo, recursive=True) if info.sha else ()
    files = {e.path: (e.lfs.sha256 if e.lfs else e.blob_id) for e in tree if isinstance(e, RepoFile)}
    return Remote(bool(info.private), info.sha or "", files)


def _same(remote: Remote, piece: Piece) -> bool:
    """Whether the repository holds this very content under its name."""
    known = remote.files.get(piece.name)
    if known is None:
        return False
    plain, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % piece.size)
    with piece.path.open("rb") if piece.path else io.BytesIO(piece.text) as stream:
        while block := stream.read(BLOCK):
            plain.update(block)
            blob.update(block)
    return known in (plain.hexdigest(), blob.hexdigest())


def _commit(
    api: HfApi, repo: str, found: Sequence[Piece], stale: Sequence[str], parent: str, progress: Progress
) -> str:
    """Send what is missing and make one commit of it after `parent`, which was looked at; its hash."""
    meter = Meter(sum(piece.size for piece in found), progress)
    streams: list[io.BufferedIOBase] = []
    try:
        operations: list[Any] = [CommitOperationDelete(name) for name in stale]
        for piece in found:
            content: Any = piece.text
            if piece.path is not None:
                meter.step("Reading")
                content = Watched(io.FileIO(piece.path), meter)
                streams.append(content)
            operations.append(CommitOperationAdd(piece.name, content))
        meter.begin("Uploading")
        with hub_push.push_errors(repo):
            api.preupload_lfs_files(
                repo, [o for o in operations if isinstance(o, CommitOperationAdd)], num_threads=2, free_memory=False
            )
            meter.begin("Making the commit")
            made = api.create_commit(
                repo, operations, commit_message="Upload from Tunewell", parent_commit=parent or None
            )
        return str(made.oid)
    except RuntimeError as error:  # the client wraps what an upload raised
        raise _inner(error, repo) from error
    except ValueError as error:
        raise UserError(
            "The hub refused the model card.",
            "Its check of the metadata did not pass; the log of this job says why.",
            "Report this, with the card. It can be downloaded beside the exports.",
        ) from error
    finally:
        for stream in streams:
            stream.close()


def _inner(error: BaseException, repo: str) -> BaseException:
    """What was raised inside an upload: a wish to stop, or what the hub or the network said."""
    at: BaseException | None = error
    while at is not None:
        if isinstance(at, Interrupted):
            return at
        try:
            with hub_push.push_errors(repo):
                raise at
        except UserError as told_error:
            return told_error
        except BaseException:  # not one of the hub's: look further inside
            at = at.__cause__
    return error


class Meter:
    """Counts the bytes of one step over all files and threads. Its progress may raise to end the push."""

    def __init__(self, total: int, progress: Progress) -> None:
        self.total, self.progress = total, progress
        self.title, self.done = "", 0
        self._lock = threading.Lock()

    def begin(self, title: str) -> None:
        self.title, self.done = title, 0
        self.progress(title, 0, 0 if title != "Uploading" else self.total / 1e6)

    def step(self, title: str) -> None:
        if self.title != title:
            self.begin(title)

    def add(self, count: int) -> None:
        with self._lock:
            self.done = min(self.total, self.done + count)
        self.progress(f"{self.title}, in MB", self.done / 1e6, self.total / 1e6)


class Watched(io.BufferedReader):
    """A file whose reading is counted, so that a push can be watched and ended."""

    def __init__(self, raw: io.FileIO, meter: Meter) -> None:
        super().__init__(raw, BLOCK)
        self._meter = meter

    def read(self, size: int | None = -1, /) -> bytes:
        block = super().read(size)
        self._meter.add(len(block))
        return block
