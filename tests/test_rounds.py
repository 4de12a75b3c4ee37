"""Rounds as a lineage: what each changed, its scores, who its twins are, and what an opening of the test set costs."""

from __future__ import annotations

import json

import pytest
import stored_rounds as made

from core.__main__ import main
from core.data.in_words import differences
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.recipe import Recipe
from core.services import (
    audits,
    datasets,
    evaluations,
    next_round,
    openings,
    preparation,
    projects,
    recipes,
    round_changes,
    round_compare,
    rounds,
    runs,
    starting,
)
from core.store.tables import Project, Run

FASTER = made.RECIPE.model_copy(update={"learning_rate": 5e-4})


def listed(project: Project) -> list[rounds.Round]:
    return rounds.of_project(projects.get(project.id))


def texts(one: rounds.Round) -> list[str]:
    return [change.text for change in one.changes]


# -- what a round changed ----------------------------------------------------------------------------------------------


def test_a_setting_is_said_in_the_words_of_the_form() -> None:
    before = Recipe(learning_rate=2e-4, scheduler="linear").model_dump(mode="json")
    after = Recipe(learning_rate=5e-4, scheduler="cosine").model_dump(mode="json")
    said = differences(Recipe, before, after)
    assert said["learning_rate"] == "Learning rate 2e-4 → 5e-4" and set(said) == {"learning_rate", "scheduler"}
    assert differences(Recipe, {}, Recipe().model_dump(mode="json")) == {}, (
        "a recipe of an older version has its defaults"
    )


def test_settings_without_effect_are_no_change(small_project: Project) -> None:
    first = made.trained(small_project)
    second = made.trained(small_project, made.RECIPE.model_copy(update={"lora_rank": 64}), first)
    assert texts(listed(small_project)[1]) == [], "an adapter's rank means nothing where all weights learn"
    third = made.trained(small_project, made.RECIPE.model_copy(update={"method": "lora", "lora_rank": 64}), second)
    assert [c.name for c in listed(small_project)[2].changes] == ["method"] and third.parent_id == second.id


def test_data_that_was_mended_is_counted_along_the_versions(small_project: Project) -> None:
    first = made.trained(small_project)
    made.mended(small_project, 3)
    made.mended(small_project, 2)
    made.trained(small_project, FASTER, first)
    assert texts(listed(small_project)[1]) == [
        "dataset version 3 instead of 1: 5 rows fixed", "Learning rate 2e-4 → 5e-4",
    ]  # fmt: skip
    back = round_changes.changes(*(round_changes.basis(one.run) for one in listed(small_project)[::-1]))
    assert back[0].text == "dataset version 1 instead of 3: without: 5 rows fixed"


def test_a_round_without_a_parent_is_held_against_the_one_before(small_project: Project) -> None:
    made.trained(small_project)
    made.trained(small_project, FASTER)
    second = listed(small_project)[1]
    assert second.parent is None and second.against == 1 and texts(second) == ["Learning rate 2e-4 → 5e-4"]


# -- the next round ----------------------------------------------------------------------------------------------------


def test_the_next_round_copies_recipe_and_parent_and_says_what_the_form_changes(small_project: Project) -> None:
    first = made.trained(small_project, FASTER)
    recipes.keep_draft(small_project, made.RECIPE)
    next_round.prepare(small_project, first)
    project = projects.get(small_project.id)
    assert recipes.draft(project) == FASTER
    found = next_round.difference(project, FASTER)
    assert found is not None and found[0].id == first.id and found[1] == []
    found = next_round.difference(project, FASTER.model_copy(update={"epochs": 5.0}))
    assert found is not None and [c.name for c in found[1]] == ["epochs"]
    run = next_round.start(project, FASTER)
    assert run.parent_id == first.id and run.start_run_id is None
    assert next_round.parent(projects.get(project.id)) is None, "the one after that has no parent by itself"


def test_it_takes_the_data_of_now_or_of_the_round_as_the_person_says(small_project: Project) -> None:
    first = made.trained(small_project)
    second = made.mended(small_project)
    project = projects.get(small_project.id)
    newer = next_round.newer_data(project, first)
    assert newer is not None and newer.id == second.id
    next_round.prepare(project, first, data="now")
    assert projects.get(project.id).dataset_version_id == second.id
    next_round.prepare(project, first, data="same")
    assert projects.get(project.id).dataset_version_id == first.dataset_version_id


def test_it_can_go_on_from_the_weights_of_a_round_of_the_same_labels(small_project: Project) -> None:
    first = made.trained(small_project)
    made.mended(small_project)
    run = made.trained(small_project, FASTER, first, begin="round")
    assert run.start_run_id == first.id
    given = runs.inputs(run)
    assert given.start_folder == str(starting.folder_of(run)) and given.base_folder == runs.inputs(first).base_folder
    assert runs.training_spec(run, None).base_folder == given.start_folder
    one = listed(small_project)[1]
    assert one.start == 1 and "goes on from the model of round 1" in texts(one)


def test_a_round_that_learned_rows_of_the_test_set_cannot_be_gone_on_from(small_project: Project) -> None:
    first = made.trained(small_project)
    plan = preparation.current(small_project)
    assert plan is not None and next_round.can_go_on(small_project, first)
    config = preparation.PreparationPlan.model_validate(plan.config)
    split = config.split.model_copy(update={"seed": 99})
    preparation.new_split(small_project, config.model_copy(update={"split": split}))
    project = projects.get(small_project.id)
    assert not next_round.can_go_on(project, first)
    next_round.prepare(project, first, begin="round")
    assert starting.chosen(projects.get(project.id)) is None


# -- scores ------------------------------------------------------------------------------------------------------------


def test_a_round_shows_its_newest_score_and_whatever_test_was_opened(small_project: Project) -> None:
    first = made.trained(small_project)
    made.trained(small_project, FASTER, first)
    made.measured(first, 0.5)
    made.measured(first, 0.75)
    made.measured(first, 0.9, "test", reason=openings.REASONS[0])
    one, other = listed(small_project)
    assert one.validation is not None and one.validation.score.value == 0.75 and one.validation.score.low is not None
    assert one.test is not None and one.test.score.n == preparation.get_plan(first.plan_id).counts["test"]
    assert one.verdict is one.test.verdict
    assert other.validation is None and other.verdict is None and other.best is not None and other.best.n == 12


def test_a_failed_round_stays_in_the_list_with_its_reason(small_project: Project) -> None:
    made.trained(small_project)
    made.failed(small_project)
    second = listed(small_project)[1]
    assert not second.finished and second.error == "The training became unstable." and second.seconds is not None


def test_notes_are_kept(small_project: Project) -> None:
    run = made.trained(small_project)
    rounds.note(run.id, "  more rows helped ")
    assert listed(small_project)[0].run.note == "more rows helped"


def test_equal_rounds_are_pointed_out_and_those_that_differ_in_the_seed(small_project: Project) -> None:
    first = made.trained(small_project)
    made.trained(small_project, made.RECIPE, first)
    made.trained(small_project, FASTER, first)
    assert rounds.twins(listed(small_project)) == [rounds.Twins((1, 2), same_seed=True)]
    made.trained(small_project, made.RECIPE.model_copy(update={"seed": 5}), first)
    assert rounds.twins(listed(small_project)) == [rounds.Twins((1, 2, 4), same_seed=False)]
    made.mended(small_project)
    made.trained(small_project, made.RECIPE, first)
    assert rounds.twins(listed(small_project))[0].numbers == (1, 2, 4), "other rows are no twin"


def test_the_marks_say_what_it_takes_to_train_it_again(small_project: Project) -> None:
    run = made.trained(small_project)
    found = rounds.marks(listed(small_project)[0])
    version = datasets.get_version(run.dataset_version_id)
    assert found.seed == made.RECIPE.seed and version.content.startswith(found.rows) and found.versions == made.VERSIONS
    assert found.threads == 2


# -- the tree ----------------------------------------------------------------------------------------------------------


def test_branches_get_lanes_of_their_own_and_no_line_runs_through_another_round(small_project: Project) -> None:
    first = made.trained(small_project)
    second = made.trained(small_project, FASTER, first)
    made.trained(small_project, FASTER, first)
    made.trained(small_project, FASTER)
    made.trained(small_project, FASTER, second)
    made.trained(small_project, FASTER, first)
    nodes = rounds.tree(listed(small_project))
    assert [n.lane for n in nodes[:3]] == [0, 0, 1] and nodes[4].lane == 0
    for node in nodes:
        if node.parent is not None:
            between = nodes[node.parent + 1 : node.place]
            assert node.lane not in {n.lane for n in between}, f"round {node.round.number}'s line runs through another"


def test_tries_of_a_sweep_are_left_out_until_they_are_wanted(small_project: Project) -> None:
    from core.services import seeds

    first = made.trained(small_project)
    seeds.start(projects.get(small_project.id), made.RECIPE, 2)
    found = listed(small_project)
    assert [bool(one.study) for one in found] == [False, True, True]
    assert [one.number for one in rounds.shown(found, tries=False)] == [1]
    assert len(rounds.shown(found, tries=True)) == 3 and first.number == 1


# -- two rounds --------------------------------------------------------------------------------------------------------


def pair(project: Project) -> tuple[rounds.Round, rounds.Round]:
    one, other = listed(project)[:2]
    return one, other


def test_two_rounds_are_paired_on_the_same_rows(small_project: Project) -> None:
    first = made.trained(small_project)
    second = made.trained(small_project, FASTER, first)
    assert "round 1 and round 2" in round_compare.why_not(*pair(small_project), "validation")
    made.measured(first, 0.25)
    made.measured(second, 1.0)
    found = round_compare.paired(*pair(small_project), "validation")
    assert found is not None
    validation = preparation.get_plan(first.plan_id).counts["validation"]
    accuracy = found.comparison("accuracy")
    assert found.n == validation and accuracy is not None
    assert (accuracy.base.value, accuracy.tuned.value) == (0.25, 1.0) and accuracy.change.low is not None
    gained, rows = round_compare.examples(found, "second")
    assert gained == round(0.75 * validation) and all(row.second == row.right != row.first for row in rows)
    assert round_compare.examples(found, "first") == (0, [])


def test_rows_whose_right_answer_was_mended_in_between_do_not_count(small_project: Project) -> None:
    first = made.trained(small_project)
    made.measured(first, 0.5)
    version, plan = datasets.current(small_project), preparation.current(small_project)
    assert version is not None and plan is not None
    frame = datasets.frame(version).copy()
    row = next(r for r, part in preparation.assignment(plan).items() if part == "validation")
    was = frame.loc[frame["row_id"] == row, "label"].item()
    frame.loc[frame["row_id"] == row, "label"] = "refund" if was != "refund" else "praise"
    after = datasets.add_version(
        small_project.id, frame, roles=version.roles, title="mended", origin={"kind": "fix"}, parent=version
    )
    preparation.carry_over(small_project.id, version, after)
    made.measured(made.trained(small_project, FASTER, first), 0.5)
    found = round_compare.paired(*pair(small_project), "validation")
    assert found is not None and found.other_answer == 1 and found.n == plan.counts["validation"] - 1


def test_scores_of_different_test_sets_are_never_paired(small_project: Project) -> None:
    first = made.trained(small_project)
    made.measured(first, 0.8, "test")
    plan = preparation.current(small_project)
    assert plan is not None
    preparation.new_split(small_project, preparation.PreparationPlan.model_validate(plan.config))
    second = made.trained(small_project, FASTER)
    made.measured(second, 0.9, "test")
    one, other = pair(small_project)
    assert one.lineage != other.lineage
    assert "different test sets" in round_compare.why_not(one, other, "test")
    assert round_compare.paired(one, other, "test") is None


# -- openings ----------------------------------------------------------------------------------------------------------


def test_every_opening_is_listed_with_its_round_and_reason(small_project: Project) -> None:
    first = made.trained(small_project)
    second = made.trained(small_project, FASTER, first)
    made.measured(first, 0.6)
    made.measured(first, 0.6, "test", reason="to see")
    made.measured(second, 0.7, "test", reason="asked for on the command line")
    audits.store(second, {}, {}, {}, "test")
    audits.store(second, {}, {}, {})
    found = openings.of_lineage(small_project.id, 1)
    assert [(o.run_id, o.reason) for o in found] == [
        (first.id, "to see"), (second.id, "asked for on the command line"), (second.id, openings.AUDIT),
    ]  # fmt: skip
    wear = openings.wear(found)
    assert (wear.openings, wear.rounds, wear.worn) == (3, 2, False)
    assert "opened 3 times, for 2 rounds" in openings.sentence(
        wear
    ) and "points better than it is" in openings.sentence(wear)


def test_looking_again_at_one_round_adds_no_luck_and_four_rounds_wear_it_out(small_project: Project) -> None:
    run: Run | None = None
    for number in range(4):
        run = made.trained(small_project, FASTER, run)
        made.measured(run, 0.6 + number / 20, "test")
        made.measured(run, 0.6 + number / 20, "test")
        wear = openings.wear(openings.of_lineage(small_project.id, 1))
        assert wear.rounds == number + 1 and wear.openings == 2 * (number + 1) and wear.worn == (number == 3)
        assert wear.optimism == 0 if number == 0 else (wear.optimism or 0) > 0


def test_an_evaluation_keeps_the_reason_that_was_asked_for(small_project: Project) -> None:
    from core.schemas.jobs import JobKind
    from core.store import jobs

    run = made.trained(small_project)
    evaluations.submit(run, "test", reason="  a   final check ")
    [job] = jobs.find(kinds=[JobKind.EVALUATE])
    assert job.payload["reason"] == "a final check"


# -- the command line --------------------------------------------------------------------------------------------------


def test_the_command_line_prints_the_rounds(small_project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    first = made.trained(small_project)
    second = made.trained(small_project, FASTER, first)
    for run, right in ((first, 0.4), (second, 1.0)):
        made.measured(run, right)
        made.measured(run, right, "test")
    made.failed(small_project)
    assert main(["rounds", small_project.id, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["number"] for one in found["rounds"]] == [1, 2, 3]
    one = found["rounds"][1]
    assert one["parent"] == 1 and one["changes"][0]["text"] == "Learning rate 2e-4 → 5e-4"
    assert one["verdict"] == Verdict.NOT_ENOUGH_DATA.value, "16 test rows say nothing"
    assert one["validation"]["tuned"]["n"] == one["validation"]["base"]["n"] == 12
    assert found["rounds"][2]["error"] and found["test_sets"]["1"]["rounds"] == 2
    assert main(["rounds", small_project.name]) == 0
    said = capsys.readouterr().out
    assert (
        "after 1: Learning rate 2e-4 → 5e-4. validation accuracy 100%" in said and "opened twice, for 2 rounds" in said
    )


def test_the_command_line_names_the_projects_where_it_knows_none(small_project: Project) -> None:
    from core.cli.rounds import find

    with pytest.raises(UserError, match=r"does not exist") as error:
        find("nothing")
    assert small_project.id in error.value.fix
