"""The health report as a person reads it in a real browser: groups, the marked word, notes, texts from real use."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from journey import Person
from playwright.sync_api import Page, expect
from serving import Served, serve_project

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
GOOD = "lovely quick friendly helpful clean superb".split()
BAD = "awful slow rude useless dirty broken".split()
PLACES = "hotel station library market garden school office museum".split()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The dashboard on a project whose data has copies, personal data, a rude word and hostile text."""
    folder = tmp_path_factory.mktemp("report")
    rng, rows = random.Random(7), []
    for i in range(200):
        label = ("good", "bad")[i % 2]
        one, two = rng.sample(GOOD if label == "good" else BAD, 2)
        rows.append((f"The {rng.choice(PLACES)} of {rng.choice(PLACES)} was {one} and {two} in week {i}", label))
    rows += rows[:12]
    rows += [(f"Write to <i>me</i> at jo{i}@example.com about the {p} please", "good") for i, p in enumerate(PLACES)]
    rows += [("The moron at the desk <img src=x onerror=alert(1)> lost my bag", "bad")]
    table = [{"row_id": f"r-{i}", "message": text, "team": label} for i, (text, label) in enumerate(rows)]
    with serve_project(folder, table) as found:
        yield found


def test_a_person_reads_the_report_and_adds_texts_from_real_use(served: Served, browser_page: Page) -> None:
    person = Person(browser_page, served.url, "report")
    page = browser_page
    person.enters(served.project)
    person.sees("Rows of each label.")
    person.sees("Words of each text.")

    # A warning opens to its rows, with what was found hidden in the report's own words but the cell visible.
    personal = page.locator("[data-testid=stVerticalBlock]").filter(has_text="seem to contain personal data").last
    page.get_by_text("Show 8 rows").first.click()
    expect(page.locator(".tw-rows").first).to_be_visible()
    assert personal.count() == 1
    person.settled()

    # A note is one line until it is opened; the rude word is marked, hostile text stays text.
    page.get_by_text("1 row with rude, hateful or threatening words").first.click()
    person.settled()
    page.get_by_text("Show 1 row", exact=True).last.click()
    expect(page.locator(".tw-rows mark").filter(has_text="moron")).to_be_visible()
    expect(page.locator("img[src=x]")).to_have_count(0)
    person.look("report")

    # Texts from real use make the report out of date and ask for a new one.
    page.get_by_text("Compare with texts from real use").click()
    page.get_by_label("One text a line").fill("\n".join(f"hi where is my parcel {i}" for i in range(40)))
    page.keyboard.press("Tab")
    person.press("Use these texts")
    person.sees("Checking the data")
    person.sees("Compare with texts from real use (40 there)")
