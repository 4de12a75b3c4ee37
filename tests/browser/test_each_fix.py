"""Every fix of the menu, pressed by a person in a real browser: previewed, applied as a new version, undone."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from journey import Person
from playwright.sync_api import Page, expect
from serving import Served, serve_project

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WORDS = (
    "order lamp kettle parcel refund late broken bright address change phone answer money box chair cup garden".split()
)
NEEDS_SETTINGS = {
    "Drop rows",
    "Relabel rows",
}  # fixes of a finding or a queue, which bring the rows; no part of the menu
COPIES = 6  # of each flaw: some rows of it are in the locked test set, which no fix touches


def flaws(i: int) -> list[tuple[str, str]]:
    """Rows that need the fixes, other ones for each i."""
    said, name = f"{WORDS[i]} {WORDS[i + 7]}", WORDS[i + 3]
    return [
        (f"<p>The {said} <b>came</b> so</p>", "returns"),
        (f"Write to {name}@example.com about the {said}", "returns"),
        (f"  The {said}   is too late  ", "delivery"),
        (f"The {said}\x07 rang at the door", "delivery"),
        ("", "delivery"),
        (f"The {said} is wet and the {name} is cold", "returns"),
        (f"The {said} is wet and the {name} is cold", "delivery"),
        (f"The {said} came with five legs", "returns"),
        (f"The {said} came with five legs", "returns"),
        (f"The red {said} arrived on Monday with a long scratch on the left {name} of it", "returns"),
        (f"The red {said} arrived on Monday with a long scratch on the left {name} of them", "returns"),
        (f"My {said} is new", "Delivery "),
        (f"{said} " * 600, "delivery"),
    ]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard on a project whose rows need every fix."""
    chosen = random.Random(7)
    rows = [(f"Message {i}: {' '.join(chosen.sample(WORDS, 8))}", ("returns", "delivery")[i % 2]) for i in range(120)]
    rows += [row for i in range(COPIES) for row in flaws(i)]
    table = [{"row_id": f"r-{i}", "message": text, "team": label} for i, (text, label) in enumerate(rows)]
    with serve_project(tmp_path_factory.mktemp("each-fix"), table) as found:
        yield found


def test_every_fix_of_the_menu_is_previewed_applied_and_undone(served: Served, browser_page: Page) -> None:
    person = Person(browser_page, served.url, "each-fix")
    page = browser_page
    person.enters(served.project)
    person.press("All fixes", exact=False)
    titles = [title.strip() for title in page.get_by_role("menuitem").all_inner_texts()]
    page.keyboard.press("Escape")
    assert len(titles) >= 9 and not NEEDS_SETTINGS & set(titles)
    for title in titles:
        person.press("All fixes", exact=False)
        page.get_by_role("menuitem", name=title, exact=True).click()
        dialog = page.get_by_role("dialog")
        apply = dialog.get_by_role("button", name="Apply as a new version")
        expect(apply, f"{title}: a row needs this").to_be_enabled(timeout=30_000)
        expect(dialog.get_by_text(re.compile(r"Of \d+ rows: \d+ (changed|removed|cut)"))).to_be_visible()
        apply.click()
        expect(dialog, title).to_have_count(0, timeout=30_000)
        expect(page.get_by_text(re.compile(rf"^Version \d+: {re.escape(title)}")).first).to_be_visible(timeout=30_000)
        page.get_by_role("button", name="Undo", exact=True).click()
        person.sees("Version 1: reviews <b>.csv")
        person.settled()
