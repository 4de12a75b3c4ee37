"""From votes to a model that was taught by them: real SQLite, and at the end real training through the worker's handlers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import reviewing
import stored
from databases import migrated
from reviewing import finished_run, questions

from core.schemas.errors import UserError
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.services import datasets, models, preparation, projects, recipes, reviews, runs, starting, teaching, versions
from core.store.engine import engine
from core.store.tables import Project, Run, SampleSet


@pytest.fixture
def project(storage: Path, small_model: Path) -> Iterator[Project]:
    """A chat project with a split and a base model."""
    migrated()
    yield reviewing.chat_project(reviewing.with_model(str(small_model)))
    engine().dispose()


def sampled(run: Run, prompts: list[str], **texts: str) -> SampleSet:
    base, tuned = texts.get("base", "No idea about {0}."), texts.get("tuned", "Thank you for {0}.")
    return reviewing.sampled(run, [reviewing.item(p, base=base.format(p), tuned=tuned.format(p)) for p in prompts])


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


def judged_by_thumbs(run: Run, prompts: list[str]) -> None:
    spec = reviewing.compared(run, "tuned", mode="single")
    given = reviewing.sampled(run, [reviewing.item(p, tuned=f"Answer to {p}") for p in prompts], spec)
    for place in range(len(prompts)):
        reviews.vote(given, place, "up" if place % 2 else "down")


def test_thumbs_and_pairs_judged_alike_become_liked_and_disliked_answers(project: Project) -> None:
    run = finished_run(project)
    asked = questions(run, "validation")[:4]
    given = sampled(run, asked)
    reviews.rate(given, 0, vote="bad")
    reviews.rate(given, 1, vote="tie", scores={"tuned": {"coherence": 5, "factuality": 4}, "base": {"coherence": 3}})
    reviews.rate(given, 2, vote="tuned")
    reviews.rate(given, 3, corrected="We are sorry.")
    found = {(t.response, t.liked, t.source) for t in teaching.lesson(run).thumbs}
    assert found == {
        (f"No idea about {asked[0]}.", False, "both bad"),
        (f"Thank you for {asked[0]}.", False, "both bad"),
        (f"Thank you for {asked[1]}.", True, "rated"),
        (f"Thank you for {asked[2]}.", True, "vote"),
        (f"No idea about {asked[2]}.", False, "vote"),
        ("We are sorry.", True, "correction"),
    }


def test_thumbs_teach_the_next_round_by_thumbs(project: Project) -> None:
    run = finished_run(project)
    judged_by_thumbs(run, [f"a new question {n}" for n in range(40)])
    version = teaching.teach(project, run, "thumbs")
    now = projects.get(project.id)
    plan = preparation.current(now)
    assert plan is not None
    for part, rows in preparation.parts(plan, "preference").items():
        assert {e.liked for e in rows} == {True, False}, part
    assert version.roles["rating"] == "rating"
    following = runs.start(now.id, recipes.draft(now))
    assert following.start_run_id == run.id


def test_corrections_join_the_training_part_and_test_rows_stay(project: Project) -> None:
    run = finished_run(project)
    before = runs.inputs(run).parts
    fresh, watched = "What does a new lamp cost?", before["validation"][0]
    given = sampled(run, [fresh, watched.prompt[-1].content, questions(run, "test")[0]])
    for place in range(3):
        reviews.rate(given, place, corrected=f"Corrected {place}.")
    version = teaching.teach(project, run, "answers")
    now = projects.get(project.id)
    assert (now.task, now.dataset_version_id) == ("chat", version.id)
    plan = preparation.current(now)
    assert plan is not None
    after = preparation.parts(plan, "chat")
    assert after["test"] == before["test"]
    assert [e.row_id for e in after["validation"]] == [e.row_id for e in before["validation"] if e != watched]
    added = {(e.prompt[0].content, e.reference) for e in after["train"]} - {
        (e.prompt[0].content, e.reference) for e in before["train"]
    }
    assert added == {(fresh, "Corrected 0."), (watched.prompt[-1].content, "Corrected 1.")}
    assert version.lineage == datasets.get_version(str(project.dataset_version_id)).lineage
    saved = preparation.save(now, PreparationPlan(max_length=72))
    assert preparation.assignment(saved) == preparation.assignment(plan), "a later plan brings no judged row back"
    versions.undo(now)
    assert projects.get(now.id).dataset_version_id == project.dataset_version_id


def test_corrections_that_changed_since_they_were_taught_are_taught_as_they_stand(project: Project) -> None:
    run = finished_run(project)
    given = sampled(run, [f"a new question {n}" for n in range(4)])
    for place in range(3):
        reviews.rate(given, place, corrected=f"Corrected {place}.")
    teaching.teach(project, run, "answers")
    reviews.rate(given, 0, corrected="")  # taken back
    reviews.rate(given, 1, corrected="Bettered.")
    reviews.rate(given, 3, corrected="New.")
    teaching.teach(projects.get(project.id), run, "answers")
    plan = preparation.current(projects.get(project.id))
    assert plan is not None
    taught = [e.reference for e in preparation.parts(plan, "chat")["train"] if e.row_id.startswith("vote-")]
    assert sorted(taught) == ["Bettered.", "Corrected 2.", "New."]


def test_a_second_review_adds_its_pairs_to_training_and_leaves_the_pairs_of_the_test(project: Project) -> None:
    first = finished_run(project)
    given = sampled(first, [f"a new question {n}" for n in range(40)])
    for place in range(40):
        reviews.rate(given, place, vote="tuned")
    teaching.teach(project, first)
    second = finished_run(projects.get(project.id), recipes.draft(projects.get(project.id)))
    before = runs.inputs(second).parts
    again = sampled(second, [f"another thing {n}" for n in range(12)])
    for place in range(12):
        reviews.rate(again, place, vote="base")
    version = teaching.teach(projects.get(project.id), second)
    plan = preparation.current(projects.get(project.id))
    assert plan is not None
    after = preparation.parts(plan, "preference")
    assert {part: rows for part, rows in after.items() if part != "train"} == {
        "validation": before["validation"],
        "test": before["test"],
    }
    assert len(after["train"]) == len(before["train"]) + 12
    assert version.lineage == datasets.get_version(second.dataset_version_id).lineage
    began = reviews.came_from(second)
    assert began is not None
    assert began.id == first.id
    assert [c.key for c in reviews.usual(second)] == ["tuned", "base"]


def test_the_majority_of_several_people_decides_what_is_taught(project: Project) -> None:
    run = finished_run(project)
    given = sampled(run, questions(run, "validation")[:1])
    for rater, vote in (("Ann", "tuned"), ("Ben", "base"), ("Cleo", "tuned")):
        reviews.rate(given, 0, rater, vote=vote)
    (pair,) = teaching.lesson(run).pairs
    assert pair.chosen.startswith("Thank you")


def test_the_advice_goes_by_what_there_is(project: Project) -> None:
    run = finished_run(project)
    given = sampled(run, [f"question {n}" for n in range(110)])
    assert teaching.advice(teaching.lesson(run))[0] is None
    for place in range(12):
        reviews.rate(given, place, vote="tuned")
    assert teaching.advice(teaching.lesson(run))[0] == "pairs"
    reviews.rate(given, 0, corrected="Better.")
    assert teaching.advice(teaching.lesson(run))[0] == "answers"
    for place in range(12, 110):
        reviews.rate(given, place, vote="tuned")
    assert teaching.advice(teaching.lesson(run))[0] == "pairs"


def test_rated_answers_cannot_choose_the_best_by_a_figure_that_only_pairs_have(project: Project) -> None:
    """The training would run to its end and then find no best checkpoint."""
    stored.rated_answers(project.id, 60, max_length=72)
    with pytest.raises(UserError, match="metric"):
        runs.start(project.id, Recipe(best_metric="preference_accuracy"))
