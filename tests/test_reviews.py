"""Blind review: who stands where, what is kept, what a model has seen, and what the votes say. Real SQLite, no model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import reviewing
from databases import migrated
from reviewing import compared, item, questions, sampled

from core.data import stopping
from core.data.direction import direction
from core.data.prompt_templates import combinations, filled
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.services import (
    datasets,
    health_inputs,
    preparation,
    projects,
    review_export,
    review_prompts,
    review_results,
    reviews,
    runs,
)
from core.store.engine import engine
from core.store.tables import Project, Run, SampleSet
from core.ui.reading import reading_html


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[Project]:
    """One project for the module: its tests add sets of samples to rounds of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNEWELL_STORAGE", str(tmp_path_factory.mktemp("reviews")))
        patch.delenv("TUNEWELL_DATABASE_URL", raising=False)
        migrated()
        yield reviewing.chat_project(reviewing.with_model(str(small_model)))
        engine().dispose()


@pytest.fixture
def run(project: Project) -> Run:
    return reviewing.finished_run(project)


def judged(run: Run, count: int, **texts: str) -> SampleSet:
    base, tuned = texts.get("base", "a long answer to {0}"), texts.get("tuned", "short {0}")
    return sampled(run, [item(f"question {n}", base=base.format(n), tuned=tuned.format(n)) for n in range(count)])


def vote_for(given: SampleSet, winner: str, rater: str = "", until: int | None = None) -> None:
    """Press the side on which this contender stands, in the order in which the items are shown."""
    for _ in range(until or len(given.items)):
        now = reviews.state(given, rater)
        if now.item is None:
            return
        left, _right = reviews.sides(given, now.item, rater)
        reviews.vote(given, now.item, "left" if left == winner else "right", rater)


# -- who stands where --------------------------------------------------------------------------------------------------


def test_sides_are_drawn_and_a_tenth_comes_again_with_sides_swapped(run: Run) -> None:
    given = judged(run, 100)
    first = [x for x in given.items if x["repeat_of"] is None]
    again = [x for x in given.items if x["repeat_of"] is not None]
    assert (len(first), len(again)) == (100, 10)
    assert 30 < sum(x["left"] == "tuned" for x in first) < 70
    for x in again:
        assert (x["left"], x["right"]) == (given.items[x["repeat_of"]]["right"], given.items[x["repeat_of"]]["left"])
    order = (given.config or {})["order"]
    assert sorted(order) == list(range(110))
    assert all(order.index(100 + n) > order.index(x["repeat_of"]) for n, x in enumerate(again))
    assert set(order[100:]) != set(range(100, 110)), "repeats come in between, not all at the end"


def test_each_rater_has_sides_of_their_own_and_their_repeats_stay_swapped(run: Run) -> None:
    given = judged(run, 40)
    mine, theirs = ([reviews.sides(given, i, name) for i in range(40)] for name in ("Ann", "Ben"))
    assert mine != theirs
    for i, x in enumerate(given.items):
        if x["repeat_of"] is not None:
            assert reviews.sides(given, i, "Ann") == reviews.sides(given, x["repeat_of"], "Ann")[::-1]


def test_equal_answers_are_not_asked_about_and_count_as_alike(run: Run) -> None:
    items = [item(f"q {n}", base="Same.", tuned=" same. " if n < 3 else "Other.") for n in range(8)]
    given = sampled(run, items)
    assert reviews.state(given).total == 5
    vote_for(given, "tuned")
    (against,) = review_results.result(given).against
    assert (against.wins, against.same) == (5, 3)
    assert against.win_rate is not None
    assert against.win_rate.value == pytest.approx((5 + 3 / 2) / 8)


def test_three_models_meet_equally_often_and_get_an_order(run: Run) -> None:
    spec = compared(run, "tuned", "base", "reference", pairs_each=1)
    items = [item(f"q {n}", tuned=f"b {n}", base=f"c {n}", **{"reference": f"a {n}"}) for n in range(60)]
    given = sampled(run, items, spec)
    met = [frozenset((x["left"], x["right"])) for x in given.items if x["repeat_of"] is None]
    assert [met.count(pair) for pair in set(met)] == [20, 20, 20]
    for i, x in enumerate(given.items):  # the reference beats the tuned one, which beats the base
        best = min((str(x[key]), key) for key in (x["left"], x["right"]))[1]
        reviews.rate(given, i, vote=best)
    found = review_results.result(given)
    assert [place.key for place in found.ranking] == ["reference", "tuned", "base"]
    assert all(place.wins.low is not None for place in found.ranking)
    assert [(a.key, a.verdict) for a in found.against] == [("base", Verdict.BETTER), ("reference", Verdict.WORSE)]


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_every_press_is_kept_and_undone_step_by_step(run: Run) -> None:
    given = judged(run, 6)
    order = [reviews.state(given).item]
    reviews.vote(given, 0, "left")
    reviews.skip(given, 1)
    reviews.vote(given, 2, "tie")
    now = reviews.state(given)
    assert (now.voted, now.skipped, now.item) == (2, 1, 3)
    assert [reviews.undo(given), reviews.undo(given), reviews.undo(given), reviews.undo(given)] == [2, 1, 0, None]
    now = reviews.state(given)
    assert (now.voted, now.skipped, [now.item]) == (0, 0, order)
    assert all(r.vote is None for r in reviews.reviews(given).values())


def test_skipped_ones_come_again_at_the_end_and_the_end_is_asked_for(run: Run) -> None:
    given = judged(run, 3)
    reviews.skip(given, 0)
    vote_for(given, "tuned", until=2)
    assert reviews.state(given).item == 0
    reviews.vote(given, 0, "bad")
    now = reviews.state(given)
    assert (now.item, now.ended) == (None, False)
    reviews.end(given)
    assert reviews.state(given).ended


def test_a_vote_that_does_not_fit_is_refused(run: Run) -> None:
    given = judged(run, 3)
    with pytest.raises(ValueError, match="vote"):
        reviews.vote(given, 0, "up")
    with pytest.raises(ValueError, match="vote"):
        reviews.rate(given, 0, vote="somebody")


def test_notes_and_ratings_are_kept_without_a_vote_and_do_not_count_as_one(run: Run) -> None:
    given = judged(run, 3)
    reviews.rate(given, 0, corrected="Better.", scores={"tuned": {"coherence": 4}})
    assert reviews.state(given).voted == 0
    reviews.vote(given, 0, "left")
    kept = reviews.reviews(given)[0]
    assert (kept.corrected, kept.scores) == ("Better.", {"tuned": {"coherence": 4}})


# -- what the votes say ------------------------------------------------------------------------------------------------


def test_a_clear_preference_is_better_and_a_small_one_is_not_enough(run: Run) -> None:
    few, many = judged(run, 12), judged(run, 40)
    for given in (few, many):
        vote_for(given, "tuned")
        reviews.end(given)
    assert review_results.result(few).verdict is Verdict.NOT_ENOUGH_DATA
    found = review_results.result(many)
    assert found.verdict is Verdict.BETTER
    assert found.consistency is not None
    assert (found.consistency.value, found.consistency.n) == (1.0, 4)
    assert found.left_share is not None
    assert found.left_share.low is not None
    assert 0 < found.left_share.value < 1
    assert "100 times in 100" in found.sentence
    assert found.more_votes == 0


def test_who_stops_early_is_held_to_a_stricter_test(run: Run) -> None:
    given = judged(run, 60)
    order = (given.config or {})["order"]
    for place, i in enumerate(order[:24]):
        reviews.rate(given, i, vote="base" if place % 4 == 0 else "tuned")
    whole = review_results._result(given, ("",)).against[0]
    assert whole.p is not None
    assert review_results.result(given).early
    assert whole.p == stopping.anytime_p(whole.wins, whole.losses)
    assert whole.p > 0.05, "18 of 24 is p = .02 for who had planned for 24, and no evidence for who chose the moment"
    assert review_results.result(given).verdict is not Verdict.BETTER


def test_peeking_at_every_vote_finds_a_difference_by_chance_in_one_case_of_twenty_at_most() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    found = 0
    for _ in range(1000):
        wins = np.cumsum(rng.random(120) < 0.5)
        found += any(stopping.anytime_p(int(w), n - int(w)) < 0.05 for n, w in enumerate(wins, start=1))
    assert found <= 50


def test_raters_see_only_their_own_votes_until_they_have_ended(run: Run) -> None:
    given = judged(run, 30)
    vote_for(given, "tuned", "Ann")
    vote_for(given, "base", "Ben", until=10)
    assert review_results.result(given, "Ben").against[0].losses == review_results.result(given, "Ben").votes
    reviews.end(given, "Ann")
    assert review_results.finished(given) == ["Ann"]
    assert review_results.combined(given).raters == ("Ann",)
    vote_for(given, "base", "Ben")
    reviews.end(given, "Ben")
    together = review_results.combined(given)
    assert together.raters == ("Ann", "Ben")
    assert together.agreement is not None
    assert together.agreement.value < 0, "they always disagree"
    assert together.verdict is Verdict.NOT_ENOUGH_DATA, "one vote against one for each prompt decides nothing"


def test_ratings_are_of_each_answer_by_itself(run: Run) -> None:
    given = judged(run, 6)
    for rater in ("Ann", "Ben"):
        for i in range(6):
            marks = {"tuned": {"coherence": 5 - i % 2}, "base": {"coherence": 2 - i % 2}}
            reviews.rate(given, i, rater, vote="tuned", scores=marks, reasons=["too long"])
        reviews.end(given, rater)
    found = review_results.combined(given)
    assert found.rubrics["tuned"]["coherence"].value == pytest.approx(4.5)
    assert found.rubrics["base"]["coherence"].value == pytest.approx(1.5)
    assert found.rubric_agreement["coherence"].value == pytest.approx(1.0)
    assert found.reasons == {"tuned": {"too long": 12}}


def test_thumbs_give_a_share_for_each_model(run: Run) -> None:
    spec = compared(run, "tuned", "base", mode="single")
    given = sampled(run, [item(f"q {n}", base=f"b {n}", tuned=f"t {n}") for n in range(80)], spec)
    for i, x in enumerate(given.items):
        reviews.vote(given, i, "up" if x["left"] == "tuned" else "down")
    found = review_results.result(given)
    assert (found.thumbs["tuned"].value, found.thumbs["base"].value) == (1.0, 0.0)
    assert found.verdict is Verdict.BETTER


# -- prompts -----------------------------------------------------------------------------------------------------------


def test_prompts_of_training_and_test_are_refused_and_near_ones_marked(project: Project, run: Run) -> None:
    train, test = questions(run, "train")[0], questions(run, "test")[0]
    near = f"{train.replace(' the ', '  THE ')}!"
    fresh = "Can I pay with a card in your shop?"
    spec = compared(run, "tuned", "base", source="own", texts=(train.upper(), test, near, fresh, fresh))
    chosen = review_prompts.choose(project, run, spec)
    assert [p.text for p in chosen.prompts] == [near, fresh]
    assert [p.near for p in chosen.prompts] == [chosen.prompts[0].near, ""]
    assert chosen.prompts[0].near
    assert dict(chosen.refused) == {train.upper(): review_prompts.IN_TRAINING, test: review_prompts.IN_TEST}


def test_nothing_left_says_why(project: Project, run: Run) -> None:
    spec = compared(run, "tuned", "base", source="own", texts=(questions(run, "test")[0],))
    with pytest.raises(UserError, match="test set"):
        review_prompts.choose(project, run, spec)


def test_a_new_review_never_asks_from_a_pool_what_was_judged_before(project: Project, run: Run) -> None:
    health_inputs.keep_real_texts(project.id, [f"Is shop number {n} open on day {n * 7}?" for n in range(30)])
    now = projects.get(project.id)
    spec = compared(run, "tuned", "base", source="real", count=10)
    first = review_prompts.choose(now, run, spec)
    sampled(run, [item(p.text, base="b", tuned="t") for p in first.prompts])
    second = review_prompts.choose(now, run, spec)
    assert len(first.prompts) == len(second.prompts) == 10
    assert not {p.text for p in first.prompts} & {p.text for p in second.prompts}
    health_inputs.keep_real_texts(project.id, [])


def test_the_pool_of_new_rows_holds_no_test_row_of_any_data(project: Project, run: Run) -> None:
    before = project.dataset_version_id
    rows = {
        "row_id": [f"n{i}" for i in range(40)],
        "q": [f"Tell me about thing {i * 37}" for i in range(40)],
        "a": ["x"] * 40,
    }
    roles = {"prompt": "q", "response": "a"}
    datasets.add_version(project.id, pd.DataFrame(rows), roles=roles, title="new", origin={"task": "chat"})
    plan = preparation.save(projects.get(project.id), PreparationPlan(max_length=72))
    locked = {e.prompt[0].content for e in preparation.parts(plan, "chat")["test"]}
    now = projects.get(project.id)
    assert "new" in review_prompts.offered(now, run)
    chosen = review_prompts.choose(now, run, compared(run, "tuned", "base", source="new", count=100))
    assert {p.text for p in chosen.prompts} == set(rows["q"]) - locked
    assert chosen.prompts[0].reference == "x"
    datasets.go_back(project.id, str(before))


def test_templates_are_filled_evenly_without_repeats_and_the_same_for_a_seed() -> None:
    templates = ["Write to a customer who {problem} in {tone} words.", "Say {tone} goodbye."]
    values = {"problem": ["waits", "complains", "pays late"], "tone": ["kind", "few"]}
    assert combinations(templates, values) == 8
    made = filled(templates, values, 100, 1)
    assert len(set(made)) == 8
    assert "Write to a customer who pays late in few words." in made
    assert filled(templates, values, 3, 5) == filled(templates, values, 3, 5)
    assert filled(templates, values, 3, 5) != filled(templates, values, 3, 6)
    with pytest.raises(UserError, match="tone"):
        filled(templates, {"problem": ["waits"]}, 3, 1)


def test_a_second_answer_of_the_same_model_needs_chance(run: Run) -> None:
    with pytest.raises(UserError, match="same"):
        reviews.submit(run, compared(run, "tuned", "again"), Decoding(temperature=0.0))


# -- export and reading ------------------------------------------------------------------------------------------------


def test_the_export_has_everything_and_no_formula(run: Run) -> None:
    given = judged(run, 3, tuned='=HYPERLINK("http://x", {0})', base="@SUM(A1) {0}")
    vote_for(given, "tuned", "Ann", until=1)
    reviews.rate(given, 0, "Ann", note="-1", corrected="+2", reasons=["wrong"], scores={"tuned": {"coherence": 4}})
    (row,) = csv.DictReader(io.StringIO(review_export.table(given)))
    assert all(not cell.startswith(review_export.FORMULA) for cell in row.values())
    left = reviews.sides(given, 0, "Ann")[0]
    assert row["side"] == ("left" if left == "tuned" else "right")
    assert row["vote"] == f"Round {run.number}"
    (line,) = [json.loads(text) for text in review_export.jsonl(given).splitlines()]
    assert line["note"] == "-1"
    assert line["correction"] == "+2"
    assert line["ratings"] == {f"Round {run.number}": {"coherence": 4}}
    assert line["decoding"]["max_new_tokens"] == 128
    assert {"prompt", "left_answer", "right_answer", "reasons", "rater", "voted", "first_seen"} <= set(line)


def test_nothing_in_a_sample_is_fetched_or_run() -> None:
    shown = reading_html(
        "![a](http://x/a.png) <img src=http://x/b.png> [c](http://x/c) <script>d()</script>\n\n**bold**"
    )
    assert "<img" not in shown
    assert "<script" not in shown
    assert "href" not in shown
    assert "src=" not in shown.replace("&lt;img src=", "")
    assert "<strong>bold</strong>" in shown
    assert "**bold**" in reading_html("**bold**", raw=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Hello", "ltr"), ("שלום עולם", "rtl"), ("iPhone 15 وصل اليوم إلى المتجر", "rtl"), ("123", "ltr"), ("", "ltr")],
)
def test_the_direction_is_that_of_most_letters(text: str, expected: str) -> None:
    assert direction(text) == expected


def test_a_set_from_before_there_was_a_choice_can_still_be_read(run: Run) -> None:
    from core.store import records

    items = [
        {"prompt": f"q {n}", "turns": [], "base": "b", "tuned": "t", "left": "base", "repeat_of": None}
        for n in range(25)
    ]
    old = records.add(SampleSet(project_id=run.project_id, run_id=run.id, decoding={}, items=items))
    vote_for(old, "tuned")
    assert reviews.state(old).ended
    assert review_results.combined(old).verdict is Verdict.BETTER
    assert runs.get(run.id).id == run.id
