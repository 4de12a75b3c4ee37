"""The page on the command line: its tables are those of the code, its examples and the benchmark jobs are valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from core.cli import _job_file
from core.schemas.job_file import JobRecipe
from core.services.recipes import PRESETS
from tools.command_line_page import PAGE, filled

BENCHMARKS = sorted((Path(__file__).parents[1] / "benchmarks" / "jobs").glob("*.yaml"))


def test_the_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text("utf-8")
    assert page == filled(page), "run: python -m tools.command_line_page"


def test_the_examples_are_valid_job_files(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) == 2
    for text in examples:
        (tmp_path / "job.yaml").write_text(text, "utf-8")
        assert _job_file.load(tmp_path / "job.yaml").task == "classification"


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_is_a_valid_job_file(path: Path) -> None:
    job = _job_file.load(path)
    assert all(name.startswith("../../../shared/data/") for name in job.data.parts.values())


def test_the_presets_of_a_job_file_are_those_of_the_product() -> None:
    assert get_args(JobRecipe.model_fields["preset"].annotation) == tuple(PRESETS)
