"""Models of the hub, fetched for real from a stand-in server on loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from stand_in_hub import COMMIT, TOKEN, Hub


@pytest.fixture
def files(small_model: Path) -> dict[str, bytes]:
    found = {p.name: p.read_bytes() for p in small_model.iterdir() if p.is_file()}
    return {**found, "pytorch_model.bin": b"a pickle", "modeling_evil.py": b"print('ran')"}


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[Hub]:
    started = Hub(files)
    yield started
    started.http.shutdown()


def fetch(url: str, storage: Path, name: str = "toy/model", token: str | None = None) -> dict[str, Any]:
    """What `fetching.fetch` gives in a process that knows only this hub: the facts, or the error."""
    code = (
        "import json, sys\n"
        "from core.schemas.errors import UserError\n"
        "from core.services import fetching, models\n"
        "from core.store.migrate import migrate\n"
        "migrate()\n"
        "try:\n"
        "    facts = fetching.fetch(sys.argv[1], 'main', sys.argv[2] or None)\n"
        "    print(json.dumps([m.model_dump(mode='json') for m in models.all_models() if m.key == facts.key][0]))\n"
        "except UserError as error:\n"
        "    print(json.dumps({'error': error.as_dict()}))\n"
    )
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(storage / "hf"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    done = subprocess.run(
        [sys.executable, "-c", code, name, token or ""], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_model_is_pinned_to_its_commit_and_only_safe_files_come(hub: Hub, storage: Path) -> None:
    facts = fetch(hub.url, storage)
    assert facts["revision"] == COMMIT
    assert facts["source"] == "hub"
    assert facts["parameters"] > 0
    names = {p.name for p in Path(facts["folder"]).iterdir()}
    assert "model.safetensors" in names
    assert not names & {"pytorch_model.bin", "modeling_evil.py"}


def test_an_unknown_model_is_said_to_be_unknown(hub: Hub, storage: Path) -> None:
    assert fetch(hub.url, storage, "toy/other")["error"]["title"] == "There is no such model."


def test_a_gated_model_says_what_to_do_and_comes_with_a_token_that_is_kept_nowhere(
    files: dict[str, bytes], storage: Path
) -> None:
    gated = Hub(files, gated=True)
    assert fetch(gated.url, storage)["error"]["title"] == "This model is gated."
    assert fetch(gated.url, storage, token=TOKEN)["revision"] == COMMIT
    assert any(TOKEN in given for given in gated.seen)
    kept = [p for p in storage.rglob("*") if p.is_file() and TOKEN.encode() in p.read_bytes()]
    assert kept == []
    gated.http.shutdown()


def test_a_hub_that_cannot_be_reached_is_said_in_words(storage: Path) -> None:
    assert fetch("http://127.0.0.1:9", storage)["error"]["title"] == "The hub could not be reached."


def test_a_model_without_safe_weights_is_refused(files: dict[str, bytes], storage: Path) -> None:
    unsafe = Hub({name: data for name, data in files.items() if not name.endswith(".safetensors")})
    error = fetch(unsafe.url, storage)["error"]
    assert "safetensors" in error["fix"]
    unsafe.http.shutdown()
