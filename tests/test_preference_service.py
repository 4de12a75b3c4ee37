"""From votes to a model that was taught by them: real SQLite, and at the end real training through the worker's handlers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import stored
import tiny_training as tiny

from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.services import datasets, models, preparation, projects, recipes, reviews, runs, starting, teaching
from core.store.engine import engine
from core.store.migrate import migrate
from core.store.tables import Project, Run, SampleSet

SUMMARY = {
    "best_step": 1, "best_metric": "eval_loss", "best_value": 1.0, "seconds": 10.0, "train_tokens": 100, "ended": "done",
}  # fmt: skip


@pytest.fixture
def project(storage: Path, small_model: Path) -> Iterator[Project]:
    """A chat project with a split and a base model."""
    migrate()
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, 120)
    # A number in each, so that no two questions are alike.
    asked = [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)]
    rows = {"row_id": [e.row_id for e in examples], "question": asked, "answer": [e.reference for e in examples]}
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(
        made, pd.DataFrame(rows), roles=roles, title="chats", origin={"kind": "import", "task": "chat"}
    )
    projects.update(made, base_model_key=models.add_folder(str(small_model)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=72))
    yield projects.get(made)
    engine().dispose()


def finished_run(project: Project, recipe: Recipe | None = None) -> Run:
    run = runs.start(project.id, recipe or Recipe(method="full", batch_size=8, epochs=1))
    runs.store_summary(run.id, SUMMARY)
    return runs.get(run.id)


def sampled(run: Run, prompts: list[str], **texts: str) -> SampleSet:
    base, tuned = texts.get("base", "No idea about {0}."), texts.get("tuned", "Thank you for {0}.")
    items: list[dict[str, Any]] = [
        {
            "prompt": p,
            "turns": [],
            "base": base.format(p),
            "tuned": tuned.format(p),
            "reference": "",
            "finished": [True, True],
        }
        for p in prompts
    ]
    return reviews.store(run, Decoding(), items)


def questions(run: Run, part: str) -> list[str]:
    return [e.prompt[-1].content for e in runs.inputs(run).parts[part]]


def test_votes_and_corrections_become_pairs_and_the_test_set_stays_out(project: Project) -> None:
    run = finished_run(project)
    asked, locked = questions(run, "validation")[:4], questions(run, "test")[0]
    given = sampled(run, [*asked, locked])
    reviews.rate(given, 0, vote="tuned")
    reviews.rate(given, 1, vote="base", corrected="We are sorry.")
    reviews.rate(given, 2, vote="tie")
    reviews.rate(given, 3, vote="bad", corrected="It was sent today.")
    reviews.rate(given, 4, vote="tuned", corrected="Something better.")
    found = teaching.lesson(run)
    assert {(p.prompt, p.chosen, p.rejected, p.source) for p in found.pairs} == {
        (asked[0], f"Thank you for {asked[0]}.", f"No idea about {asked[0]}.", "vote"),
        (asked[1], f"No idea about {asked[1]}.", f"Thank you for {asked[1]}.", "vote"),
        (asked[1], "We are sorry.", f"Thank you for {asked[1]}.", "correction"),
        (asked[3], "It was sent today.", f"Thank you for {asked[3]}.", "correction"),
    }
    assert found.left_out == {"both answers were judged alike": 1, "they ask what the test set asks": 1}


def test_a_pair_that_was_judged_both_ways_teaches_nothing(project: Project) -> None:
    run = finished_run(project)
    asked = questions(run, "validation")[:1]
    first, second = sampled(run, asked), sampled(run, asked)
    reviews.rate(first, 0, vote="tuned")
    reviews.rate(second, 0, vote="base")
    assert teaching.lesson(run).pairs == ()


def test_too_few_votes_change_nothing(project: Project) -> None:
    run = finished_run(project)
    given = sampled(run, questions(run, "validation")[:3])
    for item in range(3):
        reviews.rate(given, item, vote="tuned")
    with pytest.raises(UserError, match="too few"):
        teaching.teach(project, run)
    assert projects.get(project.id).task == "chat"


def test_one_press_leads_to_the_next_round_and_back(project: Project) -> None:
    run, before = finished_run(project), project.dataset_version_id
    asked = [*questions(run, "validation"), *questions(run, "train")][:40]
    given = sampled(run, asked)
    for item in range(len(asked)):
        reviews.rate(given, item, vote="tuned")
    version = teaching.teach(project, run)
    now = projects.get(project.id)
    assert (now.task, now.dataset_version_id) == ("preference", version.id)
    assert version.lineage > datasets.get_version(str(before)).lineage
    plan = preparation.current(now)
    assert plan is not None
    assert PreparationPlan.model_validate(plan.config).max_length == 72
    parts = preparation.parts(plan, "preference")
    assert sum(map(len, parts.values())) == 40
    assert not {e.prompt for e in parts["train"]} & {e.prompt for e in parts["test"]}
    begins = starting.chosen(now)
    assert begins is not None
    assert begins.id == run.id
    following = runs.start(now.id, recipes.draft(now))
    assert (following.start_run_id, following.parent_id, following.task) == (run.id, run.id, "preference")
    datasets.go_back(now.id, str(before))
    assert projects.get(now.id).task == "chat"


def test_a_conversation_keeps_its_turns(project: Project) -> None:
    run = finished_run(project)
    turns = [
        {"role": r, "content": c} for r, c in (("user", "Hello"), ("assistant", "Good day"), ("user", "Where is it?"))
    ]
    item = {
        "prompt": "Hello\n\nGood day\n\nWhere is it?",
        "turns": turns,
        "base": "no",
        "tuned": "yes",
        "finished": [True, True],
    }
    given = reviews.store(run, Decoding(), [item])
    reviews.rate(given, 0, vote="tuned")
    (pair,) = teaching.lesson(run).pairs
    assert json.loads(pair.prompt) == turns


def test_preferences_learn_more_slowly_than_answers(project: Project) -> None:
    facts = models.get(project.base_model_key)
    large = facts.model_copy(update={"parameters": 7_000_000_000})
    assert recipes.preset("balanced", large, "causal-lm", 1000, preference=True).learning_rate == pytest.approx(5e-6)
    answers, weighed = (recipes.preset("balanced", facts, "causal-lm", 1000, preference=p) for p in (False, True))
    assert weighed.learning_rate == pytest.approx(answers.learning_rate / 20)


def test_the_form_shows_settings_of_preferences_only_where_they_matter() -> None:
    pairs = {"chosen": "a", "rejected": "b"}
    assert not {"beta", "preference_loss"} & set(recipes.unused("preference", pairs))
    assert "preference_loss" in recipes.unused("preference", {"response": "a", "rating": "b"})
    assert {"beta", "preference_loss"} <= set(recipes.unused("chat", {}))
    assert {"beta", "preference_loss"} <= set(recipes.unused("classification", {}))


def test_a_recipe_that_does_not_fit_preferences_is_refused() -> None:
    with pytest.raises(UserError, match="metric"):
        recipes.check(Recipe(best_metric="token_accuracy"), "preference")
    with pytest.raises(UserError, match="metric"):
        recipes.check(Recipe(best_metric="preference_accuracy"), "chat")
    recipes.check(Recipe(best_metric="preference_accuracy"), "preference")


def test_a_batch_of_one_rated_answer_is_refused_before_it_waits_in_the_queue(project: Project) -> None:
    stored.rated_answers(project.id, 60, max_length=72)
    with pytest.raises(UserError, match="batch"):
        runs.start(project.id, Recipe(batch_size=1))
