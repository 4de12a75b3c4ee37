"""Datasets of the Hugging Face hub by name: only files of data, pinned to a commit. Programs in them are never fetched."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils.tqdm import tqdm

from core.schemas.errors import UserError
from core.schemas.jobs import JobKind
from core.store import config, job_tokens, jobs

from . import fetching

DATA = re.compile(r"\.(parquet|csv|tsv|json|jsonl|ndjson|txt|xlsx)(\.gz)?$|\.zip$", re.IGNORECASE)
NO_DATA = re.compile(r"(^|/)(\.|readme|licen[cs]e|dataset_(infos?|dict)\.json|state\.json|requirements)", re.IGNORECASE)
COMMIT = re.compile(r"[0-9a-f]{40}")
MOST_LISTED = 500
Progress = Callable[[str, float, float], None]


def submit_look(project_id: str, name: str, revision: str, token: str) -> str:
    """Queue a look at what data files a dataset has. The job's result is that of `look`."""
    payload = {"what": "dataset_list", "name": _checked(name), "revision": revision or "main"}
    return _submit(project_id, payload, token)


def submit_fetch(project_id: str, name: str, commit: str, files: Sequence[str], token: str) -> str:
    """Queue the download of some of its files. The job's result has `paths`, which an import takes."""
    payload = {"what": "dataset_files", "name": _checked(name), "revision": commit, "files": list(files)}
    return _submit(project_id, payload, token)


def _submit(project_id: str, payload: dict[str, Any], token: str) -> str:
    return jobs.submit(
        JobKind.IMPORT, project_id, payload, prepare=lambda job_id: job_tokens.leave_token(job_id, token)
    )


def _checked(name: str) -> str:
    if not fetching.NAME.fullmatch(name.strip()) or ".." in name:
        raise UserError(
            "This is not a dataset's name.",
            f"{name[:80]!r} does not look like organisation/dataset.",
            "Copy the name from its page.",
        )
    return name.strip()


def run(job_id: str, payload: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """What a job of either kind does (in the worker). `progress` may raise to end it."""
    token = job_tokens.take_token(job_id)
    if payload["what"] == "dataset_list":
        progress(f"Asking the hub about {payload['name']}", 0, 0)
        return look(payload["name"], payload["revision"], token)
    return {"paths": fetch(payload["name"], payload["revision"], payload["files"], token, progress)}


def look(name: str, revision: str, token: str | None) -> dict[str, Any]:
    """`commit`, and `files` with the path and size in bytes of each file of data.

    Raises UserError for an unknown or gated dataset, no network, or one that has no files of data.
    """
    with fetching.hub_errors("dataset", name, revision):
        info = HfApi(token=token or False).dataset_info(name, revision=revision, files_metadata=True, timeout=30)
    found = [
        {"path": s.rfilename, "size": s.size or 0}
        for s in info.siblings or []
        if DATA.search(s.rfilename) and not NO_DATA.search(s.rfilename) and ".." not in s.rfilename.split("/")
    ]
    if not found:
        programs = any(s.rfilename.endswith(".py") for s in info.siblings or [])
        raise UserError(
            "This dataset has no files of data.",
            "It is a program that makes its data, and programs from the hub are never run."
            if programs
            else "Its repository holds nothing that can be read as a table or text.",
            "Look for a copy with Parquet, CSV or JSON files, or download the data yourself and upload it.",
        )
    return {
        "name": name,
        "commit": info.sha or revision,
        "files": found[:MOST_LISTED],
        "more": len(found) > MOST_LISTED,
    }


def fetch(
    name: str,
    commit: str,
    files: Sequence[str],
    token: str | None,
    progress: Progress = lambda phase, done, total: None,
) -> list[str]:
    """Download these files to the storage. Returns their paths. Files that were fetched before are not fetched again.

    Raises UserError as `look` does, and where together they are larger than the limit.
    """
    offered = {file["path"]: file["size"] for file in look(name, commit, token)["files"]}
    unknown = [path for path in files if path not in offered]
    if unknown or not COMMIT.fullmatch(commit):
        raise UserError(
            "The dataset has no such file.",
            f"{', '.join(unknown[:3]) or commit} is not there.",
            "Look at the dataset again.",
        )
    total, limit = sum(offered[path] for path in files), config.import_limits().max_bytes
    if total > limit:
        raise UserError(
            "These files are too large.",
            f"Together they hold {total / 1e6:,.0f} MB; the limit is {limit / 1e6:,.0f} MB.",
            "Choose fewer files, or let whoever runs Tunewell raise TUNEWELL_UPLOAD_BYTES.",
        )
    target = config.own_data_folder() / "hub" / f"{name.replace('/', '--')}--{commit[:12]}"
    paths, done = [], 0
    try:
        for path in files:
            progress(f"Fetching {path}, megabytes", done / 1e6, total / 1e6)
            meter = _meter(
                lambda got, path=path, done=done: progress(  # type: ignore[misc]
                    f"Fetching {path}, megabytes", (done + got) / 1e6, total / 1e6
                )
            )
            with fetching.hub_errors("dataset", name, commit):
                got = hf_hub_download(
                    name,
                    path,
                    repo_type="dataset",
                    revision=commit,
                    token=token or False,
                    local_dir=target,
                    tqdm_class=meter,
                )
            paths.append(str(got))
            done += offered[path]
        progress("Fetched", done / 1e6, total / 1e6)
    finally:
        shutil.rmtree(target / ".cache", ignore_errors=True)
    return paths


def _meter(say: Callable[[float], None]) -> type[tqdm]:
    """A progress bar that draws nothing: it tells the bytes of one file, and lets `say` end the download by raising."""

    class Meter(tqdm):
        got = 0.0

        def update(self, n: float | None = 1) -> bool | None:
            self.got += n or 0
            say(self.got)
            return None

    return Meter
