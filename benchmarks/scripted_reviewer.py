"""A reviewer with a known taste, at the real browser: prefers the shorter answer, teaches a round, and judges it blind.

    python -m benchmarks.scripted_reviewer [--first 200] [--second 100] [--wordings 4] [--keep FOLDER]

Starts the real worker and dashboard with a storage of their own. Trains the starter model on questions whose answers are
short or long by chance; rates `--first` pairs of its answers by keys, teaches the next round from the votes on the screen,
trains it with the preset, and rates `--second` pairs of both rounds on prompts that were not judged before. Prints what both
reviews found and writes it to benchmarks/results/scripted_reviewer.json. With `--keep` it
goes on where it was ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from launcher import address, product
from launcher.services import end_all

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
RESULT = ROOT / "benchmarks" / "results" / "scripted_reviewer.json"
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "browser")]  # the tests' own helpers

THINGS = (
    "lamp kettle chair spoon carpet mirror basket candle clock blanket pillow bottle ladder hammer pencil brush bucket curtain "
    "drawer teapot helmet umbrella violin whistle"
).split()
PLACES = (
    "hall kitchen garden cellar attic garage office library workshop bathroom corridor bedroom balcony stable bakery market "
    "museum station harbour school theatre hospital chapel tower cabin barn courtyard bakehouse lobby dormitory pantry loft "
    "shed mill forge cloister gallery archive canteen laundry"
).split()
TEMPLATE = "Where can I find the {thing} in the {place}?"
SHORT = (
    "The {thing} is in the {place}.",
    "Look in the {place}.",
    "You find the {thing} in the {place}.",
    "In the {place}, near the door.",
)
LONG = (
    "Thank you for your question. The {thing} is in the {place}, on the shelf beside the door. Please ask one of us when you "
    "cannot find it there, and we are glad to help you.",
    "That is a good question, and we are often asked about it. The {thing} has its place in the {place}, where we put it back "
    "every evening before we close.",
    "We keep the {thing} in the {place} this year. It was somewhere else before, so please do not be surprised when older "
    "signs still send you to another room.",
    "Please go to the {place} first and look around there. The {thing} should be on the left side, and if somebody has taken "
    "it away, it will be back by the evening.",
)
ROWS = 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--first", type=int, default=200, help="pairs rated to teach the next round")
    parser.add_argument("--second", type=int, default=100, help="pairs rated to judge it")
    parser.add_argument(
        "--wordings", type=int, default=4, help="ways to answer of each length: with 1 many pairs are equal"
    )
    parser.add_argument("--keep", type=Path, help="a folder for the storage, kept afterwards")
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reviewer-")))
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["TUNEWELL_STORAGE"] = str(folder)
        variables = product.child_variables(folder)
        product.migrate(sys.executable, variables)
        port = address.free_port(address.DEFAULT_HOST, 18601)
        worker, server = product.services(sys.executable, variables, address.DEFAULT_HOST, port)
        stack.callback(end_all, [worker, server])
        worker.start()
        server.start()
        url = address.url(address.DEFAULT_HOST, port)
        product.wait_for_answer(server, url)
        found = journey(url, options.first, options.second, options.wordings)
    RESULT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=2))


def journey(url: str, first: int, second: int, wordings: int) -> dict[str, Any]:
    from conftest import CHROMIUM_ARGUMENTS, CHROMIUM_NAMES
    from journey import JOB, Person
    from playwright.sync_api import sync_playwright

    from core.services import projects, review_results, reviews, runs

    known = projects.all_projects()
    project = known[0].id if known else prepared(wordings)
    started = time.monotonic()
    answering = trained(project)
    took = 0.0
    with sync_playwright() as playwright:
        import shutil

        program = next(path for name in CHROMIUM_NAMES if (path := shutil.which(name)))
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        person = Person(page, url, "reviewer")
        person.project = project
        if len(runs.of_project(project)) == 1:
            took += reviewed_by_keys(person, answering, first, again=True)
            person.press("Teach the model from your votes")
            page.wait_for_url("**/recipe?*")
            person.sees("What it will cost")
            person.press("Start training")
            page.wait_for_url("**/training?*")
        else:
            person.open("training")
        person.sees("Best checkpoint:", 10 * JOB)
        took += reviewed_by_keys(person, runs.of_project(project)[0].id, second, again=False)
        browser.close()
    taught = runs.finished(project)[0]
    assert taught.id != answering
    reviewed = {
        name: reviews.sets(runs.get(run_id))[0] for name, run_id in (("first", answering), ("second", taught.id))
    }
    asked = {name: {item["prompt"] for item in given.items} for name, given in reviewed.items()}
    return {
        "taste": "the shorter answer",
        "minutes": round((time.monotonic() - started) / 60, 1),
        "seconds_per_vote": round(took / sum(len(given.items) for given in reviewed.values()), 2),
        "prompts_in_both": len(asked["first"] & asked["second"]),
        "reviews": {name: told(given, review_results.result(given)) for name, given in reviewed.items()},
    }


def reviewed_by_keys(person: Any, run_id: str, count: int, *, again: bool) -> float:
    """A review of this round from the form to the result. Seconds that the rating took."""
    from journey import JOB

    from core.services import reviews, runs

    if not reviews.sets(runs.get(run_id)):
        ask(person, count, again)
    else:
        person.open("samples")
    vote = person.page.get_by_role("button", name="Left is better")
    vote.or_(person.page.get_by_text("How far to trust it")).first.wait_for(timeout=10 * JOB)
    took = 0.0
    if vote.count():
        took = rate_all(person.page)
        person.press("Show the result")
    person.sees("How far to trust it")
    return took


def told(sample_set: Any, found: Any) -> dict[str, Any]:
    main = found.against[0]
    items = [item for item in sample_set.items if item["repeat_of"] is None]
    keys = ("tuned", main.key)
    return {
        "sentence": found.sentence,
        "verdict": found.verdict,
        "votes": found.votes,
        "won_lost_alike_bad_same": [main.wins, main.losses, main.ties, main.both_bad, main.same],
        "win_rate": [round(x, 3) for x in (main.win_rate.value, main.win_rate.low, main.win_rate.high)],
        "p": main.p,
        "consistency": found.consistency.value if found.consistency else None,
        "left_share": round(found.left_share.value, 3) if found.left_share else None,
        "mean_characters": {key: round(sum(len(item[key]) for item in items) / len(items), 1) for key in keys},
    }


def prepared(wordings: int) -> str:
    """A chat project with a split on the starter model. Of each length there are so many ways to answer."""
    import pandas as pd

    from core.schemas.plan import PreparationPlan
    from core.services import datasets, models, preparation, projects

    chance = random.Random(7)
    project = projects.create("Where things are", "chat").id
    places = chance.sample([(thing, place) for thing in THINGS for place in PLACES], ROWS)
    rows = [
        {
            "row_id": str(n),
            "question": TEMPLATE.format(thing=thing, place=place),
            "answer": chance.choice((SHORT if chance.random() < 0.5 else LONG)[:wordings]).format(
                thing=thing, place=place
            ),
        }
        for n, (thing, place) in enumerate(places)
    ]
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(project, pd.DataFrame(rows), roles=roles, title="where", origin={"task": "chat"})
    projects.update(project, base_model_key=models.all_models()[0].key)
    preparation.save(projects.get(project), PreparationPlan(max_length=96))
    return project


def trained(project: str) -> str:
    """A first round that learned to answer, by the worker. Its id."""
    from waiting import until

    from core.schemas.jobs import JobState
    from core.services import projects, recipes, runs

    known = runs.of_project(project)
    run = known[-1] if known else runs.start(project, recipes.for_project(projects.get(project), "balanced"))
    until(lambda: runs.state(run).final, "the first round is trained", 3600, every=1)
    assert runs.state(run) is JobState.DONE, runs.job_of(run)
    return run.id


def ask(person: Any, count: int, again: bool) -> None:
    """The form: templates, contenders (a second answer of the same round, or as they are proposed), number of prompts."""
    page = person.page
    person.open("samples")
    page.get_by_text("Made from templates").click()
    person.settled()
    page.get_by_label("Templates, one a line").fill(TEMPLATE)
    page.get_by_label("Templates, one a line").press("Control+Enter")
    for slot, values in (("thing", THINGS), ("place", PLACES)):
        area = page.get_by_label(f"Values for {slot}, one a line")
        area.fill("\n".join(values))
        area.press("Control+Enter")
        person.settled()
    if again:
        box = page.get_by_role("combobox", name=re.compile("Whose answers"))
        box.click()
        box.press("Backspace")  # the base model is the last one
        person.settled()
        box.fill("a second answer")
        page.get_by_role("option", name=re.compile("a second answer")).click()
        box.press("Escape")
        person.settled()
    else:  # as warm as the first review, whose form proposes it: at temperature 0 both may always give the same answer
        warmth = page.locator("[data-testid=stSlider]").filter(has_text="Temperature").get_by_role("slider")
        for _ in range(8):
            warmth.press("ArrowRight")
        person.settled()
    page.get_by_label("Prompts", exact=True).and_(page.locator("input[type=number]")).fill(str(count))
    page.keyboard.press("Tab")
    person.settled()
    person.press("Write samples")


def rate_all(page: Page) -> float:
    """Press keys until everything is judged: the shorter answer, or alike. Seconds it took."""
    started = time.monotonic()
    shown = page.get_by_text(re.compile(r"^\d+ of \d+ judged"))
    while True:
        before = shown.first.inner_text()
        done, total = (int(n) for n in re.findall(r"\d+", before)[:2])
        if done == total:
            return time.monotonic() - started
        left, right = (len(text) for text in page.locator(".tw-read").all_inner_texts()[1:3])
        page.keyboard.press("1" if left < right else "2" if right < left else "3")
        page.wait_for_function(
            "old => [...document.querySelectorAll('[data-testid=stProgress] p')].some(p => p.innerText.includes('judged') "
            "&& p.innerText !== old)",
            arg=before,
            timeout=60_000,
        )
        page.wait_for_function(
            "() => document.querySelector('[data-testid=stApp]')?.getAttribute('data-test-script-state') === 'notRunning'"
        )


if __name__ == "__main__":
    main()
