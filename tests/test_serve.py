"""The dashboard's process has imported what its screens import before it answers the first visitor, and never torch."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WARMED = "import json, sys; from core.ui.serve import warm; warm(); print(json.dumps(sorted(sys.modules)))"


def imported_by(file: Path) -> set[str]:
    """Modules that a script imports at any place."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_import_of_every_screen_is_made_before_the_server_answers() -> None:
    done = subprocess.run([sys.executable, "-c", WARMED], capture_output=True, text=True, cwd=ROOT, timeout=200)
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    wanted = set().union(*(imported_by(file) for file in [ROOT / "app.py", *(ROOT / "pages").glob("*.py")]))
    assert sorted(wanted - loaded) == []
    assert {"plotly.graph_objects", "tokenizers", "pyarrow.dataset"} <= loaded
    assert "torch" not in loaded
