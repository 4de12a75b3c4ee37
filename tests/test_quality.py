"""The tools that hold the code to its rules: ruff, mypy, import-linter, and a dashboard without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# What runs in the dashboard or the supervisor: everything but the training code and the job handlers of the child.
TORCH_FREE = ["app.py", "pages", "core"]
MAY_REACH_TORCH = ["core/training", "core/worker/handlers"]

CARRY_OUT = """
import sys
sys.path.insert(0, {root!r})
for statement in {statements!r}:
    try:
        exec(statement)
    except ModuleNotFoundError as error:
        if error.name not in sys.stdlib_module_names:  # a part of the library that another system has
            raise
    if "torch" in sys.modules:
        sys.exit(statement + "   <- this brought torch into the process")
"""


def run(*command: str) -> None:
    """Fail with all that the tool said."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"{' '.join(command)} found:\n{done.stdout}{done.stderr}", pytrace=False)


def test_ruff_finds_nothing() -> None:
    run("-m", "ruff", "check", "--quiet")


def test_every_file_is_formatted() -> None:
    run("-m", "ruff", "format", "--check", "--quiet")


@pytest.mark.slow
@pytest.mark.timeout(1200)  # the first run reads the types of pandas and SQLAlchemy; the next ones use its cache
def test_mypy_finds_nothing() -> None:
    run("-m", "mypy", "--no-error-summary")


def test_imports_keep_to_the_layers() -> None:
    run("-c", "import sys; sys.path.insert(0, ''); from importlinter.cli import lint_imports; sys.exit(lint_imports())")


def test_nothing_that_the_dashboard_imports_reaches_torch(tmp_path: Path) -> None:
    """Every import of the torch-free code, also those inside functions, is carried out in a fresh process."""
    statements = sorted({statement for path in torch_free_files() for statement in imports(path)})
    assert any("streamlit" in statement for statement in statements)
    (tmp_path / "carry_out.py").write_text(CARRY_OUT.format(statements=statements, root=str(ROOT)), "utf-8")
    run(str(tmp_path / "carry_out.py"))


def torch_free_files() -> Iterator[Path]:
    for name in TORCH_FREE:
        found = ROOT / name
        for path in [found] if found.is_file() else sorted(found.rglob("*.py")):
            if not any(path.is_relative_to(ROOT / folder) for folder in MAY_REACH_TORCH):
                yield path


def imports(path: Path) -> Iterator[str]:
    """The file's import statements in absolute form, those for type checkers left out."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    package = ".".join(parts if parts[-1] == "__init__" else parts[:-1]).removesuffix(".__init__")
    pending: list[ast.AST] = [ast.parse(path.read_text("utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            pending += node.orelse
        elif isinstance(node, ast.Import):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            yield f"from {module} import {', '.join(alias.name for alias in node.names)}"
        else:
            pending += ast.iter_child_nodes(node)
