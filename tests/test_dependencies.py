"""The page on dependencies names every requirement, and its licence as the installed package states it."""

from __future__ import annotations

import re
from importlib.metadata import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = ("requirements.txt", "requirements-dev.txt")


def requirements(file: str) -> dict[str, str]:
    """`{name: version range}` of a requirement file."""
    lines = (line.split("#")[0].strip() for line in (ROOT / file).read_text("utf-8").splitlines())
    parts = (re.fullmatch(r"([A-Za-z0-9._-]+)(.*)", line) for line in lines if line and not line.startswith("-"))
    return {part[1]: part[2] for part in parts if part}


def documented() -> dict[str, dict[str, list[str]]]:
    """`{file: {name: [why, instead of, licence]}}` from the tables of the page."""
    page = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    sections = re.split(r"^## .*\(`(.+)`\)$", page, flags=re.MULTILINE)[1:]
    tables = {}
    for file, text in zip(sections[::2], sections[1::2], strict=True):
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
        tables[file] = {name: rest for name, *rest in rows[2:]}
    return tables


def stated_licence(package: str) -> str:
    about = metadata(package)
    classifiers = [entry for entry in about.get_all("Classifier") or [] if entry.startswith("License")]
    return " ".join([about["License-Expression"] or "", (about["License"] or "")[:200], *classifiers])


@pytest.mark.parametrize("file", FILES)
def test_the_page_names_exactly_what_is_required(file: str) -> None:
    assert list(documented()[file]) == sorted(requirements(file), key=str.lower)


@pytest.mark.parametrize("file", FILES)
def test_every_line_has_a_reason_an_alternative_and_a_licence(file: str) -> None:
    assert [name for name, cells in documented()[file].items() if len(cells) != 3 or not all(cells)] == []


@pytest.mark.parametrize("package", [name for file in FILES for name in requirements(file)])
def test_the_licence_is_the_one_that_the_package_states(package: str) -> None:
    written = next(table[package][2] for table in documented().values() if package in table)
    family = written.split("-")[0]  # metadata writes "BSD 2-Clause License", "Apache", "MIT License", ...
    assert family in stated_licence(package)


def test_what_runs_is_pinned_to_a_range() -> None:
    assert [name for name, versions in requirements("requirements.txt").items() if not versions] == []
