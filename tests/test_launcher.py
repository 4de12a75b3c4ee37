"""`run.py`: where it may listen, what it answers on the command line, and one instance a storage."""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from core.schemas.errors import UserError
from launcher import address, cli
from launcher.lock import InstanceLock

ROOT = Path(__file__).resolve().parents[1]


# Where it listens


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("127.8.9.1", "127.8.9.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("LocalHost", "127.0.0.1"),
    ],
)
def test_addresses_of_this_computer_are_allowed(host: str, bound: str) -> None:
    assert address.loopback_address(host) == bound


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "128.0.0.1", "example.org", "", "127.1", "::ffff:127.0.0.1"]
)
def test_every_other_address_is_refused_because_there_is_no_login(host: str) -> None:
    with pytest.raises(UserError) as refused:
        address.loopback_address(host)
    assert "no login" in refused.value.cause
    assert "127.0.0.1" in refused.value.fix


def test_a_taken_port_gives_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert address.free_port("127.0.0.1", port) > port


def test_a_free_port_is_kept() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert address.free_port("127.0.0.1", port) == port


def test_an_address_that_this_computer_does_not_have_is_explained() -> None:
    with pytest.raises(UserError, match=r"cannot listen on 203\.0\.113\.7"):
        address.free_port("203.0.113.7", 8501)  # an address reserved for documentation: no computer has it


def test_an_ipv6_address_is_written_in_brackets() -> None:
    assert address.url("::1", 8501) == "http://[::1]:8501"


def test_nothing_answers_on_a_free_port() -> None:
    assert not address.answers(f"http://127.0.0.1:{address.free_port('127.0.0.1', 20000)}")


# The command line


def run_py(*arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, ROOT / "run.py", *arguments], capture_output=True, text=True, check=False)


def test_the_help_names_every_option() -> None:
    shown = run_py("--help")
    assert shown.returncode == 0
    assert all(word in shown.stdout for word in ("--host", "--port", "--storage", "--no-browser", "run.py test"))


def test_a_public_address_ends_the_start_with_the_reason_and_no_traceback(tmp_path: Path) -> None:
    refused = run_py("--host", "0.0.0.0", "--storage", str(tmp_path / "never"))
    assert refused.returncode == 1
    assert "no login" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "web"])
def test_an_impossible_port_is_refused(port: str) -> None:
    refused = run_py(f"--port={port}")
    assert refused.returncode == 2
    assert "choose a number" in refused.stderr


def test_the_launcher_starts_where_nothing_is_installed() -> None:
    script = "import sys; sys.path.insert(0, sys.argv[1]); import launcher.cli; print(*sys.modules)"
    bare = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(ROOT)], capture_output=True, text=True, check=False
    )
    assert bare.returncode == 0, bare.stderr
    outside = {name.split(".")[0] for name in bare.stdout.split()} - set(sys.stdlib_module_names)
    assert outside <= {"launcher", "core", "__main__", "__mp_main__"}


def test_an_old_python_gets_as_far_as_the_sentence_about_its_version() -> None:
    tree = ast.parse((ROOT / "run.py").read_text("utf-8"), feature_version=(3, 4))
    assert not any(isinstance(node, ast.JoinedStr) for node in ast.walk(tree))
    kinds = [type(node).__name__ for node in tree.body[:4]]
    assert kinds == ["Expr", "Import", "If", "ImportFrom"]  # docstring, sys, the version check, everything else


def test_the_storage_is_absolute_and_the_option_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEWELL_STORAGE", "from-environment")
    assert cli.storage_folder(None) == tmp_path / "from-environment"
    assert cli.storage_folder("from-option") == tmp_path / "from-option"
    assert (tmp_path / "from-option").is_dir()


def test_a_storage_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="Nothing can be stored"):
        cli.storage_folder(str(tmp_path / "file" / "below"))


# One instance a storage


def test_a_second_instance_learns_where_the_first_one_is(tmp_path: Path) -> None:
    with InstanceLock(tmp_path / "lock") as first:
        first.announce("http://127.0.0.1:8501")
        with InstanceLock(tmp_path / "lock") as second:
            assert not second.held
            assert second.holder() == (os.getpid(), "http://127.0.0.1:8501")
        assert first.held


def test_the_lock_of_a_process_that_is_gone_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(json.dumps({"pid": os.getpid(), "address": "http://127.0.0.1:1"}))
    with InstanceLock(tmp_path / "lock") as lock:
        assert lock.held
        assert lock.holder() == (os.getpid(), None)


def test_the_lock_is_free_again_after_use(tmp_path: Path) -> None:
    with InstanceLock(tmp_path / "lock"):
        pass
    with InstanceLock(tmp_path / "lock") as again:
        assert again.held


def test_a_damaged_lock_file_tells_nothing_and_breaks_nothing(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("{")
    assert InstanceLock(tmp_path / "lock").holder() == (None, None)
