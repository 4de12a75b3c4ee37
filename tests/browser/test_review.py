"""The review studio in a real browser: judged by keys alone, kept at every press, blind until the end, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import reviewing
from databases import migrated
from journey import Person
from playwright.sync_api import Page, Request, expect
from serving import ROOT, serve

from core.services import models, reviews, runs
from core.store.engine import engine

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

HOSTILE = (
    "Press ![here](http://elsewhere.test/a.png) <img src=http://elsewhere.test/b.png> [now](http://elsewhere.test)."
)
ARABIC = "يمكنك إرجاع المصباح خلال ثلاثين يومًا من الشراء"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The dashboard on twelve pairs to judge, without a worker: address, project, round."""
    folder = tmp_path_factory.mktemp("review")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder / "storage"))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        migrated()
        project = reviewing.chat_project(models.all_models()[0].key)
        run = reviewing.finished_run(project)
        items = [
            reviewing.item(f"Question {n}?", tuned=f"Short {n}.", base=f"A long answer {n}. " * 3) for n in range(11)
        ]
        items.insert(1, reviewing.item("كيف أعيد المصباح؟", tuned=ARABIC, base=HOSTILE))
        reviewing.sampled(run, items)
        with serve(ROOT / "app.py", folder / "log.txt") as url:
            yield url, project.id, run.id
        engine().dispose()


def judged(page: Page, count: int, skipped: str = r"( ·|$)") -> None:
    """So many are judged; `skipped`: what is said behind it of those that were skipped."""
    expect(page.get_by_text(re.compile(rf"^{count} of 13 judged{skipped}"))).to_be_visible(timeout=90_000)


def pressed(page: Page, key: str, done: int) -> None:
    """A key moves on to the next pair, whose text is then there."""
    before = page.locator(".tw-read").first.inner_text()
    page.keyboard.press(key)
    judged(page, done)
    if done < 13:
        expect(page.locator(".tw-read").first).not_to_have_text(before, timeout=90_000)


def test_a_person_judges_a_dozen_pairs_by_keys_and_sees_whose_they_were_at_the_end(
    served: tuple[str, str, str], browser_page: Page
) -> None:
    url, project, run_id = served
    page, person = browser_page, Person(browser_page, url, "review")
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    person.enters(project)
    person.open("samples")
    judged(page, 0)
    person.sees("Fixed before the first vote: all 12 pairs")
    assert not re.search(r"st-key-review[^\"]*(tuned|base)", page.content()), "the page does not say who stands where"

    # A key that is held down is one press: it decides one pair.
    page.keyboard.down("1")
    judged(page, 1)
    for _ in range(10):
        page.keyboard.down("1")
    page.keyboard.up("1")
    person.calm()
    judged(page, 1)

    # Arabic is set from right to left, and what a sample tells the browser to load is not loaded.
    expect(page.locator(".tw-read[dir=rtl]")).to_have_count(2)
    expect(page.get_by_text("picture, not loaded").first).to_be_visible()
    person.look("arabic")

    # E opens the correction, and no key in it is a vote.
    page.keyboard.press("e")
    box = page.get_by_role("textbox", name="A better answer, in your words")
    box.fill("1234 ")
    box.press("2")
    box.blur()
    person.settled()
    judged(page, 1)
    person.look("correction")
    pressed(page, "2", 2)
    pressed(page, "s", 2)
    person.sees("1 skipped")
    pressed(page, "3", 3)
    pressed(page, "4", 4)
    # Two votes, the skip, and one vote more. The skip is no vote: who presses on because two are judged still presses a
    # second time before the first has arrived, and Streamlit makes one press of both.
    for done, skipped in ((3, " · 1 skipped"), (2, " · 1 skipped"), (2, r"\s*$"), (1, r"\s*$")):
        page.keyboard.press("z")
        judged(page, done, skipped)
        person.calm()
    expect(page.get_by_role("textbox", name="A better answer, in your words")).to_have_value("1234 2")
    page.reload()
    judged(page, 1)

    # The shorter answer wins, by its length alone.
    for done in range(2, 14):
        left, right = (len(text) for text in page.locator(".tw-read").all_inner_texts()[1:])
        pressed(page, "1" if left < right else "2", done)
        person.calm()
    person.press("Show the result")
    person.sees("You preferred Round 1 to Base model")
    person.sees("Not enough data")  # of 12 pairs
    person.sees("Teach the model from your votes")
    person.look("result")
    assert not [address for address in asked if "elsewhere.test" in address]

    given = reviews.sets(runs.get(run_id))[0]
    kept = reviews.reviews(given)
    assert len(kept) == 13
    assert all(kept[i].vote == "tuned" for i in range(2, 12)), "each vote was kept for the pair that was read"
    assert kept[1].corrected == "1234 2"


def test_two_people_judge_under_names_of_their_own(served: tuple[str, str, str], browser_page: Page) -> None:
    url, project, _ = served
    page, person = browser_page, Person(browser_page, url, "raters")
    person.enters(project)
    page.goto(f"{url}/samples?project={project}&rater=Ann")
    judged(page, 0)
    page.keyboard.press("1")
    judged(page, 1)
    page.goto(f"{url}/samples?project={project}&rater=Ben")
    judged(page, 0)
    expect(page.get_by_text("preferred")).to_have_count(0)
