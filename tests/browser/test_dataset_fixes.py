"""Fix, undo, redo and the queue of suspicious rows, pressed by a person in a real browser."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from journey import Person
from playwright.sync_api import Page, expect
from serving import Served, serve_project

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

GOOD = "lovely quick friendly helpful clean superb bright tasty calm great".split()
BAD = "awful slow rude useless dirty broken dull stale noisy poor".split()
PLACES = "hotel station library market garden school office museum harbour theatre bakery stadium".split()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard on a project with wrong labels, stray spaces and a hostile text."""
    folder = tmp_path_factory.mktemp("fixes")
    chosen, rows = random.Random(5), []
    for i in range(240):
        label = ("good", "bad")[i % 2]
        one, two = chosen.sample(GOOD if label == "good" else BAD, 2)
        text = f"The {chosen.choice(PLACES)} was {one} and {two}, number {i}."
        wrong = {"good": "bad", "bad": "good"}
        label = wrong[label] if i < 24 else label
        text += " <img src=x onerror=alert(1)>" if i % 40 in (3, 21, 39) else ""
        rows.append({"row_id": f"r-{i}", "message": text, "team": label})
    with serve_project(folder, rows) as found:
        yield found


def decided(page: Page, rows: int) -> None:
    expect(page.get_by_text(re.compile(rf"^{rows} of \d+ decided"))).to_be_visible(timeout=30_000)


def test_a_person_fixes_undoes_and_goes_through_suspicious_rows_with_keys(served: Served, browser_page: Page) -> None:
    person = Person(browser_page, served.url, "fixes")
    page = browser_page
    person.enters(served.project)

    # A fix from the menu: previewed with the difference marked, applied, undone, done again.
    person.press("All fixes", exact=False)
    page.get_by_role("menuitem", name="Remove markup").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("del").first).to_contain_text("<img src=x onerror=alert(1)>")
    expect(dialog.get_by_text("rows of the locked test set stay as they are")).to_be_visible()
    person.look("preview")
    dialog.get_by_role("button", name="Apply as a new version").click()
    person.sees("Version 2: Remove markup")
    person.press("Undo")
    person.sees("Version 1: reviews <b>.csv")
    person.press("Redo")
    person.sees("Version 2: Remove markup")
    person.press("Undo")
    person.sees("Version 1: reviews <b>.csv")

    # Label spellings are merged in a table that can be edited.
    person.press("All fixes", exact=False)
    page.get_by_role("menuitem", name="Merge label spellings").click()
    table: Any = dialog.get_by_test_id("stDataFrame").first
    table.wait_for()
    person.settled()
    box = table.bounding_box()
    page.mouse.dblclick(box["x"] + box["width"] - 60, box["y"] + 36 + 17)
    page.locator("textarea.gdg-input").fill("fine")
    page.keyboard.press("Enter")
    expect(dialog.locator("ins").first).to_have_text("fine")
    person.look("table")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)

    # The queue: decided with keys, left by closing the page, gone on with, applied as one version.
    page.get_by_role("button", name="Go through them").first.click()
    decided(page, 0)
    person.sees("not fit the text")
    shown = page.locator(".tw-row")
    for key, done in (("d", 1), ("k", 2), ("2", 3), ("z", 2), ("s", 2)):
        before = shown.inner_text()
        page.keyboard.press(key)
        expect(shown).not_to_have_text(before, timeout=30_000)
        decided(page, done)
    person.look("queue")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    decided(page, 2)
    person.sees("1 skipped")
    person.press("Look and apply", exact=False)
    person.look("apply")
    page.get_by_role("dialog").get_by_role("button", name="Apply as a new version").click()
    person.sees("Version 3: Rows gone through")
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_visible()

    # The history says what differs.
    page.get_by_role("tab", name="Versions").click()
    page.get_by_text("Show what differs").click()
    person.sees("rows removed")
    person.look("versions")
