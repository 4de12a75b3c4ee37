"""One new thing is one new file: proven with throw-away files."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
ASK = {
    "metrics": "from core.services.evaluations import _wanted_metrics; from core.tasks import registry; "
    "print([m.key for m in _wanted_metrics(registry()['chat'])])",
    "tasks": "from core.tasks import registry; print(list(registry()))",
    "importers": "from core.importers import registry; print(list(registry()))",
    "audits": "from core.audits import registry; print(list(registry()))",
    "mitigations": "from core.mitigations import registry; print(list(registry()))",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package in a folder of its own, with what is compiled: a new file never stands in the real tree."""
    shutil.copytree(PROJECT / "core", tmp_path / "core")
    shutil.copytree(PROJECT / "assets" / "identity", tmp_path / "assets" / "identity")
    shutil.copytree(PROJECT / "assets" / "probes", tmp_path / "assets" / "probes")
    return tmp_path


def ask(folder: Path, what: str) -> str:
    done = subprocess.run([sys.executable, "-c", ASK[what]], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_metric_of_the_readme_is_measured_for_every_new_evaluation(copy: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.S)
    assert code is not None
    assert "shouting" not in ask(copy, "metrics")
    (copy / "core" / "metrics" / "shouting.py").write_text(code[1])
    assert "shouting" in ask(copy, "metrics")


@pytest.mark.parametrize("folder", ["tasks", "importers", "audits", "mitigations"])
def test_a_copied_plug_in_with_another_key_is_found(copy: Path, folder: str) -> None:
    source = next(p for p in sorted((copy / "core" / folder).glob("*.py")) if not p.name.startswith("_"))
    text, count = re.subn(r'(\bkey(?:: [^=]+)? ?= ?)"(\w+)"', r'\1"thrown_away"', source.read_text(), count=1)
    assert count == 1
    source.with_name("thrown_away.py").write_text(text)
    assert "thrown_away" in ask(copy, folder)


def test_a_new_screen_is_one_file_whose_first_line_says_what_it_is_for(copy: Path) -> None:
    shutil.copytree(PROJECT / "pages", copy / "pages")
    (copy / "pages" / "p95_extra.py").write_text('"""Extra: a screen that was added.\n"""\n')
    done = subprocess.run(
        [sys.executable, "-c", "from core.ui.screens import all_screens; print(all_screens()[-1])"],
        cwd=copy, capture_output=True, text=True,
    )  # fmt: skip
    assert "title='Extra'" in done.stdout and "purpose='A screen that was added.'" in done.stdout, done.stderr
