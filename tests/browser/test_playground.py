"""The playground in a real browser: an answer that comes piece by piece, is really stopped, outlives the page, and is judged
with one press. The models are a stand-in, so that the test says when the next piece comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import reviewing
from databases import migrated
from journey import Person
from playwright.sync_api import Page, Request, expect
from serving import ROOT, serve
from stand_in_models import DONE, KEY, StandIn, delta
from waiting import until

from core.schemas.jobs import JobKind
from core.services import chat_votes, conversations, models, playground, runs
from core.store import jobs
from core.store.engine import engine
from core.store.tables import Run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOSTILE = "All **well** <img src=http://elsewhere.test/a.png> ![x](http://elsewhere.test/b.png)"


@dataclass
class Speaker:
    """Says a beginning, waits until it may go on, and says the end; for ever where it is asked to."""

    go_on: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _path: str, body: dict[str, Any]) -> Iterator[str]:
        yield delta(f"{body['model']} begins ")
        self.go_on.wait(120)
        while "for ever" in body["messages"][-1]["content"]:
            yield delta("and on " * 200)
        yield delta(HOSTILE, "stop")
        yield DONE


@dataclass
class Played:
    url: str
    run: Run
    speaker: Speaker
    stand_in: StandIn


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder, speaker = tmp_path_factory.mktemp("playground"), Speaker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(folder / "storage"))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        migrated()
        run = reviewing.finished_run(reviewing.chat_project(models.all_models()[0].key))
        stand_in = StandIn(speaker)
        playground.start(run)
        claimed = jobs.claim([JobKind.SERVE], "me")
        assert claimed is not None
        playground.announce(claimed[0].id, stand_in.address, KEY, ["tuned", "base"])
        with serve(ROOT / "app.py", folder / "log.txt") as url:
            yield Played(url, runs.get(run.id), speaker, stand_in)
        stand_in.stop()
        engine().dispose()


def asks(page: Page, text: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")


def test_an_answer_streams_stops_outlives_the_page_and_is_judged(played: Played, browser_page: Page) -> None:
    page, person, seen = browser_page, Person(browser_page, played.url, "playground"), list[str]()

    def note(request: Request) -> None:
        seen.append(request.url)

    page.on("request", note)
    person.enters(played.run.project_id)
    person.open("use")
    asks(page, "Write for ever")
    person.sees("tuned begins")
    person.sees("Answers next")
    person.look("writing")
    # Any other press on the page leaves the answer alone.
    page.get_by_text("How it answers").click()
    page.get_by_test_id("stButtonGroup").get_by_text("Lively").click()
    expect(page.get_by_role("radio", name="Lively")).to_be_checked()
    expect(page.get_by_text("tuned begins").first).to_be_visible()
    page.get_by_test_id("stTabs").get_by_role("button", name="Stop", exact=True).click()
    person.sees("Stopped.")
    person.sees("Stopped before the first word.")
    played.speaker.go_on.set()
    assert played.stand_in.left.wait(60), "nothing is written for nobody"
    person.settled()
    person.look("stopped")

    played.speaker.go_on.clear()
    asks(page, "Where is my parcel?")
    page.get_by_text("tuned begins").nth(1).wait_for()
    page.goto("about:blank")  # in the middle of an answer
    played.speaker.go_on.set()
    until(lambda: _answers(played.run)[-1]["base"]["state"] == "done", "both answers, with no page open")
    person.open("use")
    expect(page.locator(".tw-read strong", has_text="well")).to_have_count(2)
    assert not [address for address in seen if "elsewhere.test" in address], "nothing of an answer is fetched"

    page.get_by_role("radio", name="Thumbs up").nth(1).click()
    person.sees("Kept on the Samples screen")
    kept = chat_votes.kept_in(played.run)
    assert kept is not None and [item["prompt"] for item in kept.items] == ["Where is my parcel?"]
    assert _answers(played.run)[-1]["tuned"]["vote"] == "up"
    person.look("judged")


def _answers(run: Run) -> list[dict[str, Any]]:
    return [turn["answers"] for turn in conversations.of_run(run)[0].turns]
