"""From a dataset to a saved plan, through the services and the Tokenization screen."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from databases import migrated
from streamlit.testing.v1 import AppTest

from core.data.lengths import coverage
from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan, SplitPlan
from core.services import datasets, models, preparation, projects, recipes, rows, runs, split_counts, tokens
from core.store.tables import Project

PAGE = Path(__file__).parents[1] / "pages" / "p30_tokens.py"
WORDS = "order lamp kettle parcel refund late broken bright address change phone answer money box chair cup".split()


def sentence(rng: random.Random, words: int = 8) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def imported(task: str, roles: dict[str, str], **files: str) -> Project:
    """A project with the starter model and these files (part=content)."""
    project = projects.create("A project", task)
    projects.update(project.id, base_model_key=models.STARTER_KEY)
    given = []
    for part, content in files.items():
        upload = datasets.keep_upload(project.id, f"{part}.csv", io.BytesIO(content.encode()))
        given.append({"upload_id": upload.id, "part": part})
    datasets.import_files(project.id, {"files": given, "roles": roles, "task": task})
    return projects.get(project.id)


def labelled(n: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    lines = [
        f"{sentence(rng)},{'abc'[i % 3 if i % 7 else 0]},c{i % 30},2024-{1 + i % 12:02}-{1 + i % 28:02}"
        for i in range(n)
    ]
    return "text,label,customer,sent\n" + "\n".join(lines) + "\n"


CLASSES = {"text": "text", "label": "label"}


@pytest.fixture(autouse=True)
def ready(storage: Path) -> None:
    migrated()


def test_files_that_name_their_part_are_used_as_they_were_given() -> None:
    project = imported("classification", CLASSES, train=labelled(80), test=labelled(30, 2))
    version = datasets.current(project)
    assert version is not None
    plan = preparation.first_plan(version)
    assert (plan.split.strategy, plan.split.column) == ("given", datasets.PART)
    saved = preparation.save(project, plan)
    assert saved.counts["test"] == 30 and saved.counts["train"] + saved.counts["validation"] == 80


def test_a_split_is_suggested_drawn_once_and_a_new_one_is_another_test_set() -> None:
    project = imported("classification", CLASSES, data=labelled(200))
    version = datasets.current(project)
    assert version is not None
    assert preparation.first_plan(version) == PreparationPlan()
    assert [(s.strategy, s.column) for s in preparation.suggestions(version)] == [
        ("column", "customer"),
        ("time", "sent"),
    ]
    first = preparation.save(project, PreparationPlan(split=SplitPlan(strategy="column", column="customer")))
    customers = dict(zip(datasets.frame(version)["row_id"], datasets.frame(version)["customer"], strict=True))
    where: dict[str, set[str]] = {}
    for row_id, part in preparation.assignment(first).items():
        where.setdefault(customers[row_id], set()).add(part)
    assert {len(parts) for parts in where.values()} == {1}

    again = preparation.save(project, PreparationPlan(max_length=64))
    assert preparation.assignment(again) == preparation.assignment(first)
    second = preparation.new_split(project, PreparationPlan(split=SplitPlan(strategy="time", column="sent")))
    after = datasets.current(projects.get(project.id))
    assert after is not None and after.lineage == version.lineage + 1
    assert preparation.assignment(second) != preparation.assignment(first)


def test_lengths_are_measured_on_a_stated_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "SAMPLE", 50)
    project = imported("classification", CLASSES, data=labelled(200))
    found = tokens.lengths(project, PreparationPlan())
    assert (found.rows, found.sampled, len(found.counts)) == (200, 50, 50)
    assert coverage(found.counts, found.suggested).share_cut <= 0.02
    ways = tokens.compared(found, PreparationPlan(max_length=found.suggested), 8, packs=False)
    assert [way.strategy for way in ways] == ["bucket", "batch", "fixed"]
    assert tokens.lengths(project, PreparationPlan(max_length=16)).counts is found.counts  # not measured again


def test_rows_of_the_file_are_found_one_by_one() -> None:
    project = imported("classification", CLASSES, data="text,label\nfirst,a\n,b\nthird,b\n")
    assert tokens.example_at(project, 1) is None
    third = tokens.example_at(project, 2)
    assert third is not None and (third.text, third.label) == ("third", "b")
    version = datasets.current(project)
    assert version is not None and rows.label_counts(version) == {"a": 1, "b": 1}, "a row without a text is no example"


def test_what_balancing_reads_is_in_the_estimate_and_refused_where_there_are_no_categories() -> None:
    project = imported("classification", CLASSES, data=labelled(300))
    plan = preparation.save(project, PreparationPlan())
    counts = split_counts.of_part(plan)
    assert counts.total() == plan.counts["train"]
    recipe = recipes.for_project(project, "quick").model_copy(update={"epochs": 1.0, "batch_size": 1})
    more = recipes.estimate(project, recipe.model_copy(update={"balance": "oversample"}))
    assert recipes.estimate(project, recipe).steps == plan.counts["train"]
    assert more.steps == 3 * max(counts.values())
    chat = imported("completion", {"text": "text"}, data=labelled(60))
    preparation.save(chat, PreparationPlan())
    with pytest.raises(UserError, match="Balancing"):
        runs.start(chat.id, recipes.for_project(chat, "quick").model_copy(update={"balance": "weights"}))


def test_a_wrong_template_cannot_be_saved_and_its_mend_is_shown() -> None:
    rng = random.Random(3)
    talk = "question,answer\n" + "".join(f"{sentence(rng)},{sentence(rng, 4)}\n" for _ in range(40))
    project = imported("chat", {"prompt": "question", "response": "answer"}, data=talk)
    screen = AppTest.from_file(str(PAGE), default_timeout=60)
    screen.query_params["project"] = project.id
    screen.run()
    save = next(b for b in screen.button if b.label == "Save plan")
    assert not save.disabled
    (editor,) = screen.text_area
    editor.set_value(editor.value.replace("<|end|>", "")).run()
    assert next(b for b in screen.button if b.label == "Save plan").disabled
    said = " ".join([*(m.value for m in screen.markdown), *(c.value for c in screen.caption)])
    assert "where an answer ends" in said and "eos" in said and "cannot be saved yet" in said
    next(b for b in screen.button if b.label == "Use the model's own").click().run()
    assert not next(b for b in screen.button if b.label == "Save plan").disabled
