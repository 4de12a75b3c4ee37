"""The dashboard's process: its port is open at once, and what the screens import is there before the first visitor."""

from __future__ import annotations

import ast
import gc
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli
from streamlit.web.server.starlette import starlette_server

from core.ui import serve
from launcher.address import free_port

ROOT = Path(__file__).resolve().parents[1]
WARMED = """
import json, sys
from core.ui import serve
serve.warm()
print(json.dumps(sorted(sys.modules)))
serve.FIRST_SCREEN_SECONDS = serve.QUIET_SECONDS = 0
serve.warm_late()
print(json.dumps(sorted(sys.modules)))
"""


def imported_by(file: Path) -> set[str]:
    """Modules that a script imports at any place."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_import_of_every_screen_is_made_before_the_server_answers_and_what_is_slow_after() -> None:
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, cwd=ROOT, timeout=200)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    first, later = (set(json.loads(line)) for line in done.stdout.splitlines()[-2:])
    wanted = set().union(*(imported_by(file) for file in [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]))
    assert sorted(wanted - first) == []
    slow = {"scipy.stats", "scipy.optimize", "sklearn", "transformers"}
    assert sorted(first & slow) == [] and sorted(slow - later) == []
    assert {"plotly.graph_objects", "tokenizers", "pyarrow.dataset", "core.audits.winobias"} <= later
    assert "torch" not in later and "alembic" not in later


def test_who_comes_while_the_screens_are_still_loading_is_answered_by_the_server_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port("127.0.0.1", 18700)
    visitors: list[socket.socket] = []
    answered: list[bytes] = []

    def loading() -> None:
        visitors.append(socket.create_connection(("127.0.0.1", port), timeout=10))

    def running(**_: object) -> None:
        with starlette_server._bind_socket("127.0.0.1", port, 100) as bound:
            bound.setblocking(True)
            connection, _ = bound.accept()
            with connection:
                connection.sendall(b"here I am")
        answered.append(visitors[0].recv(100))

    monkeypatch.setattr(starlette_server, "_bind_socket", starlette_server._bind_socket)  # put back at the end
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    monkeypatch.setattr(serve, "warm", loading)
    monkeypatch.setattr(serve, "warm_late", lambda: None)
    monkeypatch.setattr(cli, "main", running)
    monkeypatch.setattr(
        sys, "argv", ["serve", "run", "app.py", "--server.address", "127.0.0.1", f"--server.port={port}"]
    )
    try:
        with pytest.raises(SystemExit):
            serve.main()
    finally:
        gc.unfreeze()
        for visitor in visitors:
            visitor.close()
    assert answered == [b"here I am"] and gc.isenabled()


def test_a_port_that_is_taken_is_left_to_streamlit_which_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert serve.listen(["--server.port", str(taken.getsockname()[1])]) is None
