"""Datasets of the hub, looked at and fetched for real from a stand-in server on loopback, by the job that does it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stand_in_hub import COMMIT, TOKEN, Hub

from core.schemas.errors import UserError
from core.services import hub_data

TRAIN = b"text,label\n" + b"The room was clean.,good\nThe bed was cold.,bad\n" * 20
FILES = {
    "data/train.csv": TRAIN,
    "data/test set.csv": b"text,label\nfine,good\nbad,bad\n",
    "README.md": b"# toy",
    "dataset_infos.json": b"{}",
    "toy.py": b"raise SystemExit(1)",
    "weights.bin": b"0",
    ".gitattributes": b"",
    "../outside.csv": b"text\n",
}


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    started = Hub(FILES, kind="datasets")
    yield started
    started.http.shutdown()


def ask(url: str, storage: Path, *steps: dict[str, Any], cancel_at: float = -1) -> list[dict[str, Any]]:
    """What the jobs give in a process that knows only this hub; an error as `{"error": …}`. A step may come with a `token`,
    and with a `limit` of bytes from then on."""
    code = """
import json, os, sys
from core.schemas.errors import UserError
from core.services import datasets, hub_data
from core.store import job_tokens
from core.store.migrate import migrate
migrate()
steps, cancel_at = json.loads(sys.argv[1])
class Cancelled(Exception): pass
def progress(phase, done, total):
    if 0 <= cancel_at <= done * 1e6: raise Cancelled
for step in steps:
    if token := step.pop("token", ""): job_tokens.leave_token("job", token)
    if limit := step.pop("limit", ""): os.environ["TUNEWELL_UPLOAD_BYTES"] = limit
    try:
        found = hub_data.run("job", step, progress)
        for path in found.get("paths", []):
            found.setdefault("rows", []).append(datasets.inspect({"path": path}).rows)
        print(json.dumps(found))
    except UserError as error:
        print(json.dumps({"error": error.as_dict()}))
    except Cancelled:
        print(json.dumps({"error": {"title": "cancelled"}}))
"""
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(storage / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    environment["TUNEWELL_DATA_FOLDERS"] = str(storage / "data")
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([steps, cancel_at])],
        env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


LOOK = {"what": "dataset_list", "name": "toy/data", "revision": "main"}


def fetch_of(*files: str, commit: str = COMMIT) -> dict[str, Any]:
    return {"what": "dataset_files", "name": "toy/data", "revision": commit, "files": list(files)}


def test_only_files_of_data_are_offered_and_fetched_at_a_fixed_commit(hub: Hub, storage: Path) -> None:
    seen, got, evil = ask(hub.url, storage, LOOK, fetch_of("data/train.csv", "data/test set.csv"), fetch_of("toy.py"))
    assert seen["commit"] == COMMIT and seen["files"] == [
        {"path": "data/train.csv", "size": len(TRAIN)}, {"path": "data/test set.csv", "size": 30 - 1},
    ]  # fmt: skip
    assert got["rows"] == [40, 2]
    assert Path(got["paths"][0]).is_relative_to(storage / "data" / "hub" / f"toy--data--{COMMIT[:12]}")
    assert evil["error"]["title"] == "The dataset has no such file."
    kept = [p.name for p in (storage / "data").rglob("*") if p.is_file()]
    assert sorted(kept) == ["test set.csv", "train.csv"]
    resolved = [path for path in hub.asked if "/resolve/" in path]
    assert resolved and all(COMMIT in path for path in resolved)


def test_what_cannot_be_fetched_is_said_in_words(hub: Hub, storage: Path) -> None:
    unknown, moving, large = ask(
        hub.url,
        storage,
        {**LOOK, "name": "toy/other"},
        fetch_of("data/train.csv", commit="main"),
        {**fetch_of("data/train.csv"), "limit": "100"},
    )
    assert unknown["error"]["title"] == "There is no such dataset."
    assert moving["error"]["title"] == "The dataset has no such file."  # a branch is no fixed commit
    assert large["error"]["title"] == "These files are too large."
    program = Hub({"toy.py": b"", "README.md": b""}, kind="datasets")
    assert "programs from the hub are never run" in ask(program.url, storage, LOOK)[0]["error"]["cause"]
    program.http.shutdown()


def test_a_gated_dataset_needs_a_token_which_is_kept_nowhere(storage: Path) -> None:
    gated = Hub(FILES, gated=True, kind="datasets")
    refused, seen = ask(gated.url, storage, LOOK, {**LOOK, "token": TOKEN})
    assert refused["error"]["title"] == "This dataset is gated." and seen["commit"] == COMMIT
    assert [p for p in storage.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()] == []
    gated.http.shutdown()


def test_a_download_can_be_cancelled_in_the_middle_of_a_file(storage: Path) -> None:
    large = Hub({"data/train.csv": TRAIN * 20_000}, kind="datasets")
    assert ask(large.url, storage, fetch_of("data/train.csv"), cancel_at=10_000)[0]["error"]["title"] == "cancelled"
    assert [p.name for p in (storage / "data").rglob("*") if p.is_file()] == []
    large.http.shutdown()


@pytest.mark.parametrize("name", ["", "a b/c", "../etc", "a/b/c", "https://x/y"])
def test_a_name_that_is_none_is_refused_before_anything_is_asked(name: str) -> None:
    with pytest.raises(UserError, match="not a dataset's name"):
        hub_data.submit_look("project", name, "main", "")
