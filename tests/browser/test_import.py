"""Several files in a real browser: one a split, a wrong one named with its column, and the rows found again."""

from pathlib import Path
from typing import Any

import pytest
from journey import JOB, Person
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


def table(path: Path, rows: int, header: str = "message,team") -> Path:
    teams = ("delivery", "billing")
    lines = [f"Question {n} about {teams[n % 2]} number {n * 7}?,{teams[n % 2]}" for n in range(rows)]
    path.write_text("\n".join([header, *lines]), "utf-8")
    return path


def test_a_person_brings_one_file_a_split_and_finds_rows_again(
    dashboard: Any, browser_page: Any, tmp_path: Path
) -> None:
    person, page = Person(browser_page, dashboard.url, "import"), browser_page
    person.creates_a_project("One file a split")
    page.get_by_text("Sort texts into categories", exact=True).click()
    person.settled()
    person.press("Save")
    files = [
        table(tmp_path / "train.csv", 120),
        table(tmp_path / "test.csv", 60),
        table(tmp_path / "other.csv", 10, "message,group"),
    ]
    page.set_input_files("input[type=file]", files)
    person.sees("“other.csv” has no column “team”")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.get_by_role("button", name="Remove").last.click()
    person.sees("This looks like texts with a category each. 5 examples below as the model will read them:")
    person.look("several-files")
    person.press("Import")
    person.sees("Health report", JOB)
    person.settled()
    page.get_by_role("tab", name="Rows").click()
    person.sees("180 rows, 50 a page")
    page.get_by_role("textbox", name="Search").fill("ABOUT BILLING")
    page.keyboard.press("Enter")
    person.sees("90 of 180 rows")
    page.get_by_label("File", exact=True).first.click()
    page.get_by_role("option", name="test (60)").click()
    person.sees("30 of 180 rows")
    person.look("rows")
