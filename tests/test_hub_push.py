"""Pushing an export to a stand-in of the hub on loopback, with the hub's own client in the worker's real process of a job."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stored
import stored_rounds as made
from huggingface_hub import ModelCard, constants
from stand_in_upload_hub import READ_ONLY, TOKEN, Repo, UploadHub
from streamlit.testing.v1 import AppTest

from core.__main__ import main
from core.schemas.errors import UserError
from core.schemas.jobs import Desired, Job, JobKind, JobState
from core.schemas.recorder import Interrupted
from core.services import hub_push, hub_upload, licence_notes
from core.store import job_tokens, jobs, records
from core.store.files import job_log
from core.store.tables import Export, Run
from core.worker import child as worker_child
from core.worker.recorder import JobRecorder

WEIGHTS = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def export(kept: Path, small_model: Path) -> Export:
    run = made.trained(stored.small_project(small_model))
    return exported(run, kept / "exports" / "one")


def exported(run: Run, folder: Path, weights: bytes = WEIGHTS) -> Export:
    (folder / "extra").mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "config.json").write_text("{}")
    (folder / "extra" / "tokenizer.json").write_text("t" * 3_000)
    (folder / "README.md").write_text("a card of yesterday")
    return records.add(
        Export(project_id=run.project_id, run_id=run.id, kind="merged", folder=str(folder), parity={"n": 0})
    )


@pytest.fixture
def hub() -> Iterator[UploadHub]:
    started = UploadHub()
    yield started
    started.released.set()
    started.http.shutdown()


def child(url: str, job_id: str, fence: int) -> subprocess.Popen[bytes]:
    """The process that the worker starts for a job, which knows only this hub."""
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    environment.pop("HF_TOKEN", None)
    command = [sys.executable, "-m", "core.worker.child", job_id, str(fence), str(os.getpid())]
    with open(job_log(job_id), "ab") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)


def claimed(job_id: str) -> tuple[Job, int]:
    taken = jobs.claim([JobKind.PUSH], "me")
    assert taken is not None and taken[0].id == job_id
    return taken


def carry_out(hub: UploadHub, job: Job, fence: int) -> Job:
    """What the process of a job does, in this one: it saves the seconds of a start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "ENDPOINT", hub.url)
        recorder = JobRecorder(job.id, fence, None)
        recorder.start()
        worker_child.run(job, fence, recorder)
    found = jobs.get(job.id)
    assert found is not None
    return found


def pushed(hub: UploadHub, export: Export, repo: str, token: str = TOKEN, **wanted: Any) -> Job:
    """Submit a push, do it, and return the job as it ended."""
    return carry_out(hub, *claimed(hub_push.submit(export, repo, token, **wanted)))


def holding(folder: Path, secret: str) -> list[Path]:
    """Files below the folder that hold a text: database, logs, everything."""
    return [p for p in folder.rglob("*") if p.is_file() and secret.encode() in p.read_bytes()]


def test_an_export_becomes_one_private_commit_with_its_card_and_the_token_is_kept_nowhere(
    hub: UploadHub, export: Export, kept: Path
) -> None:
    job_id = hub_push.submit(export, "team/my-model", TOKEN)
    child(hub.url, job_id, claimed(job_id)[1]).wait(120)
    job = jobs.get(job_id)
    assert job is not None and job.state is JobState.DONE, (job, job_log(job_id).read_text())
    repo = hub.repos["team/my-model"]
    assert repo.private and len(repo.commits) == 1
    assert repo.files["model.safetensors"] == WEIGHTS and repo.files["extra/tokenizer.json"] == b"t" * 3_000
    card = ModelCard(repo.files["README.md"].decode())
    assert card.data.model_name is None or "yesterday" not in str(card)
    assert b"# Licence notes" in repo.files[licence_notes.FILENAME]
    assert job.result is not None and job.result["commit"] == repo.sha and job.result["private"]
    assert job.result["files"] == 5 and job.result["url"] == f"{hub.url}/team/my-model"
    assert [j.id for j in hub_push.pushed(export.id)] == [job.id]
    assert holding(kept, TOKEN) == []
    dump = "\n".join(sqlite3.connect(kept / "tunewell.db").iterdump())
    assert TOKEN not in dump and "team/my-model" in dump

    again = pushed(hub, export, "team/my-model")
    assert again.state is JobState.DONE and len(repo.commits) == 1, "what is there already is no new commit"
    assert len(hub.puts) == len(set(hub.puts))


def test_what_a_repository_holds_is_only_replaced_where_that_was_allowed(hub: UploadHub, export: Export) -> None:
    hub.repos["me/other"] = Repo(private=True, files={"old.bin": b"old", ".gitattributes": b""})
    refused = pushed(hub, export, "other")
    assert refused.error is not None and refused.error["title"] == "This name is taken."
    assert hub.repos["me/other"].files["old.bin"] == b"old" and hub.puts == []
    job = pushed(hub, export, "other", replace=True)
    assert job.state is JobState.DONE
    files = hub.repos["me/other"].files
    assert "old.bin" not in files and files["model.safetensors"] == WEIGHTS and ".gitattributes" in files
    hub.repos["me/open"] = Repo(private=False)
    public = pushed(hub, export, "me/open", replace=True)
    assert public.error is not None and public.error["title"] == "That repository is public."
    assert hub.repos["me/open"].commits == []


@pytest.mark.parametrize(
    ("repo", "token", "title"),
    [
        ("me/a", "hf_canary_that_nobody_knows_0123", "The hub does not accept this token."),
        ("me/a", READ_ONLY, "This token may only read."),
        ("others/a", TOKEN, "You may not write there."),
    ],
)
def test_a_push_that_is_refused_says_why_without_the_token(
    hub: UploadHub, export: Export, kept: Path, repo: str, token: str, title: str, capfd: pytest.CaptureFixture[str]
) -> None:
    job = pushed(hub, export, repo, token)
    assert token not in "".join(capfd.readouterr())  # the job's log
    assert job.state is JobState.FAILED and job.error is not None and job.error["title"] == title
    assert hub.repos == {} and holding(kept, token) == []


def test_no_network_is_said_in_words(export: Export, hub: UploadHub, kept: Path) -> None:
    hub.http.shutdown()
    hub.http.server_close()
    job = pushed(hub, export, "me/a")
    assert job.error is not None and job.error["title"] == "The hub could not be reached."
    assert holding(kept, TOKEN) == []


def test_a_push_that_is_killed_goes_on_and_never_shows_half_a_model(export: Export, kept: Path) -> None:
    """Killed at the worst moment: everything was sent and the commit is under way."""
    hub = UploadHub(hold="/commit/")
    job_id = hub_push.submit(export, "me/killed", TOKEN)
    first = claimed(job_id)
    process = child(hub.url, job_id, first[1])
    assert hub.arrived.wait(60), job_log(job_id).read_text()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    hub.released.set()
    assert hub.repos["me/killed"].commits == [] and set(hub.repos["me/killed"].files) == {".gitattributes"}
    secret = job_tokens._file(job_id)
    assert holding(kept, TOKEN) == [secret], "it has to go on with it, and it is nowhere else"
    assert os.name != "posix" or secret.stat().st_mode & 0o077 == 0
    sent = list(hub.puts)
    jobs.reclaim(job_id, first[1], error=None)
    found = carry_out(hub, *claimed(job_id))
    assert found.state is JobState.DONE, found
    assert len(hub.repos["me/killed"].commits) == 1 and sent == hub.puts, "nothing is sent twice"
    assert holding(kept, TOKEN) == []
    hub.http.shutdown()


def test_what_somebody_else_committed_meanwhile_is_not_written_over(
    export: Export, hub: UploadHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)

    def progress(name: str, done: float, total: float) -> None:
        if name == "Making the commit" and not hub.repos["me/shared"].commits:
            hub.repos["me/shared"].files["theirs.txt"] = b"written by another program"
            hub.repos["me/shared"].commits.append(["theirs.txt"])

    with pytest.raises(UserError, match="changed meanwhile"):
        hub_upload.push("me/shared", TOKEN, hub_push.pieces(export), private=True, replace=False, progress=progress)
    assert set(hub.repos["me/shared"].files) == {".gitattributes", "theirs.txt"}


def test_a_push_that_is_cancelled_in_the_middle_of_a_file_leaves_nothing(
    hub: UploadHub, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    seen = []

    def progress(phase: str, done: float, total: float) -> None:
        seen.append((phase, done, total))
        if phase.startswith("Uploading") and done:
            raise Interrupted(Desired.CANCEL)

    with pytest.raises(Interrupted):
        hub_upload.push("me/gone", TOKEN, hub_push.pieces(export), private=True, replace=False, progress=progress)
    assert set(hub.repos["me/gone"].files) == {".gitattributes"} and hub.repos["me/gone"].commits == []
    assert all(0 <= done <= total for phase, done, total in seen if phase.endswith("MB"))


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "a b", "team/-x", "team/x--y", "x" * 97, "team/x.git", "me/é"])
def test_a_name_that_the_hub_would_refuse_is_refused_before_anything_is_sent(export: Export, name: str) -> None:
    with pytest.raises(UserError, match="cannot be used"):
        hub_push.submit(export, name, TOKEN)


def test_a_token_in_the_field_of_the_name_is_not_taken_for_one(export: Export) -> None:
    with pytest.raises(UserError, match="looks like an access token") as raised:
        hub_push.submit(export, TOKEN, TOKEN)
    assert TOKEN not in str(raised.value.as_dict())


@pytest.mark.parametrize("token", ["", " ", "hf_a\nb: c" + "x" * 20, "hf_ü" + "x" * 20, "hf_2 3"])
def test_what_cannot_be_a_token_is_refused_and_not_repeated(export: Export, token: str) -> None:
    with pytest.raises(UserError) as raised:
        hub_push.submit(export, "me/x", token)
    assert not token.strip() or token not in str(raised.value.as_dict())


def test_the_panel_shows_what_goes_where_and_keeps_no_token_in_the_page(export: Export, kept: Path) -> None:
    def script(run_id: str) -> None:
        from core.services import runs
        from core.ui.hub_push_panel import hub_push_panel

        hub_push_panel(runs.get(run_id))

    at = AppTest.from_function(script, kwargs={"run_id": export.run_id}, default_timeout=60).run()
    assert not at.exception and [t.value for t in at.toggle] == [False, False]
    token, name = at.text_input
    name.set_value("me/shown")
    token.set_value("hf_canary_of_the_panel_0123456789")
    at.run()
    said = " ".join(c.value for c in at.caption)
    assert "me/shown" in said and "only its owner" in said and "5 files" in said
    next(b for b in at.button if b.label == "Push").click().run()
    [job] = jobs.find(kinds=[JobKind.PUSH], states=[JobState.QUEUED])
    assert job.payload == {"export_id": export.id, "repo": "me/shown", "private": True, "replace": False}
    assert holding(kept, "hf_canary_of_the_panel_0123456789") == [job_tokens._file(job.id)]
    jobs.wish(job.id, Desired.CANCEL)
    at.run()
    assert f"push-{export.run_id}-token-0" not in at.session_state and all(not t.value for t in at.text_input)
    job_tokens.forget_tokens(now=lambda: time.time() + 3_600)
    assert holding(kept, "hf_canary_of_the_panel_0123456789") == []


def test_the_command_says_what_would_go_and_takes_its_token_from_the_environment_alone(
    export: Export, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    assert main(["push", export.id, "--repo", "me/x", "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["private"] and {f["path"] for f in said["files"]} >= {
        "README.md",
        "model.safetensors",
        "LICENCE-NOTES.md",
    }
    assert main(["push", export.id, "--repo", "me/x", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["title"] == "An access token is needed."
    assert main(["push", export.id, "--repo", "me/x", "--token", TOKEN, "--json"]) == 2
