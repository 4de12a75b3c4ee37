"""The whole journey in a real browser: from a spreadsheet of one's own to an exported model."""

import csv
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest
from journey import JOB, Person
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(1500)]

WORDS = {
    "weather": ["rain", "cloud", "sun", "storm", "wind", "snow", "fog", "sky"],
    "kitchen": ["soup", "bread", "pan", "salt", "oven", "knife", "plate", "butter"],
    "garden": ["rose", "spade", "seed", "leaf", "hedge", "soil", "apple", "worm"],
}
FRAMES = [
    "There was a {0} and a {1} this morning.",
    "He said the {0} was near the {1} again.",
    "She told him about the {0}, the {1} and the {2}.",
    "I saw one {0} before the {1} came.",
    "Is that a {0} or a {1}?",
]


@pytest.fixture
def spreadsheet(tmp_path: Path) -> Path:
    """240 short texts in three categories, as a person's spreadsheet would hold them."""
    chosen = random.Random(3)
    path = tmp_path / "my messages.csv"
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["what they wrote", "topic"])
        for i in range(240):
            topic = list(WORDS)[i % 3]
            text = chosen.choice(FRAMES).format(*chosen.sample(WORDS[topic], 3))
            writer.writerow([f"{text} Number {i}.", topic])
    return path


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    """60 questions with answers, in JSON lines."""
    chosen = random.Random(4)
    path = tmp_path / "faq.jsonl"
    rows = []
    for i in range(60):
        thing = chosen.choice([w for words in WORDS.values() for w in words])
        asked = f"Where can I find the {thing} in room {i}?"
        rows.append({"question": asked, "answer": f"The {thing} is on the shelf in room {i}, dear friend."})
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def export_of(storage: Path) -> list[str]:
    """The names in the newest exported archive."""
    archive = max(storage.glob("exports/*/*.zip"), key=lambda p: p.stat().st_mtime)
    with zipfile.ZipFile(io.BytesIO(archive.read_bytes())) as opened:
        return [Path(name).name for name in opened.namelist()]


def test_a_person_gets_from_a_spreadsheet_to_an_exported_classifier(
    dashboard: Any, browser_page: Any, spreadsheet: Path
) -> None:
    person = Person(browser_page, dashboard.url, "classification")
    person.creates_a_project("Sort my messages")
    person.brings_data("Sort texts into categories", spreadsheet)
    person.chooses_the_starter()
    person.prepares()
    person.trains(leaving=True)
    person.evaluates()
    person.sees("Better, and not by chance")
    person.open("samples")
    person.sees("judges texts and writes none")
    person.audits()
    person.loads_the_model()
    browser_page.get_by_label("Text", exact=True).fill("There was a storm and then snow.")
    browser_page.wait_for_timeout(500)
    person.press("Classify")
    expect(browser_page.get_by_text("weather").first).to_be_visible()
    person.look("use")
    person.exports()
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md", "labels.json"} <= set(
        export_of(dashboard.storage)
    )


def test_a_person_gets_from_questions_to_a_chat(dashboard: Any, browser_page: Any, questions: Path) -> None:
    person = Person(browser_page, dashboard.url, "chat")
    person.creates_a_project("Answer questions")
    person.brings_data("Answer questions and follow instructions", questions)
    person.chooses_the_starter()
    person.prepares()
    person.trains()
    person.open("samples")
    person.press("Write samples")
    person.sees("Left is better", JOB)
    person.look("samples")
    browser_page.keyboard.press("1")
    person.sees("1 of ")
    browser_page.reload()
    person.sees("1 of ")  # the vote was kept at once
    person.loads_the_model()
    asked = browser_page.get_by_placeholder("Ask something")
    asked.wait_for(timeout=JOB)
    asked.fill("Where can I find the soup in room 3?")
    asked.press("Enter")
    expect(browser_page.get_by_role("radio", name="Thumbs up")).to_have_count(2, timeout=JOB)  # both have answered
    person.look("use")
