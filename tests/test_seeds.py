"""Seeds repeated: the queue of runs, the spread of their results, and when a difference is more than luck."""

from __future__ import annotations

import random
import statistics

import pytest
import studying

from core.data.seed_luck import difference, spread
from core.schemas.errors import UserError
from core.schemas.recipe import Recipe
from core.services import runs, seeds
from core.store import jobs
from core.store.tables import Project

RECIPE = Recipe(method="full", seed=17, evaluations_per_epoch=2, epochs=2, best_metric="eval_loss")


def test_the_spread_is_that_of_the_textbook() -> None:
    values = [0.40, 0.44, 0.38, 0.42]
    found = spread(values)
    assert found is not None and found.sd is not None and found.low is not None and found.luck is not None
    assert found.n == 4
    assert found.mean == pytest.approx(statistics.mean(values))
    assert found.sd == pytest.approx(statistics.stdev(values))
    assert (found.least, found.most) == (0.38, 0.44)
    assert found.mean - found.low == pytest.approx(3.182 * found.sd / 2, rel=1e-3)  # t with 3 degrees of freedom
    assert found.luck == pytest.approx(3.182 * found.sd * 2**0.5, rel=1e-3)
    assert spread([]) is None
    one = spread([0.4])
    assert one is not None and one.sd is None and one.luck is None


def test_two_single_runs_lie_further_apart_than_the_luck_in_one_case_of_twenty() -> None:
    """2,000 pairs of runs, each held against the spread of five others: the promise of the sentence on the screen."""
    source, beyond = random.Random(1), 0
    for _ in range(2000):
        found = spread([source.gauss(0.5, 0.02) for _ in range(5)])
        assert found is not None and found.luck is not None
        beyond += abs(source.gauss(0.5, 0.02) - source.gauss(0.5, 0.02)) > found.luck
    assert 0.03 < beyond / 2000 < 0.07


def test_equal_settings_are_called_different_in_one_case_of_twenty_and_really_different_ones_are_found() -> None:
    source, called = random.Random(2), 0
    for _ in range(400):
        a, b = ([source.gauss(0.5, 0.02) for _ in range(5)] for _ in range(2))
        found = difference(a, b)
        assert found is not None
        called += found.real
    assert 0.02 < called / 400 < 0.07
    far = difference([0.50, 0.52, 0.49], [0.70, 0.71, 0.69])
    assert far is not None and far.real and far.value == pytest.approx(0.197, abs=1e-3)
    assert difference([0.5], [0.6, 0.7]) is None


def test_the_runs_differ_in_their_seed_alone_and_wait_in_a_queue(small_project: Project) -> None:
    study = seeds.start(small_project, RECIPE, 4)
    found = seeds.read(study)
    recipes = [look.run.recipe for look in found.looks]
    assert [r["seed"] for r in recipes] == [17, 18, 19, 20]
    assert len({str({**r, "seed": 0}) for r in recipes}) == 1
    assert [j.id for j in jobs.waiting()] == [look.run.job_id for look in found.looks]
    assert found.active and found.spread is None
    with pytest.raises(UserError):
        seeds.start(small_project, RECIPE, 1)


def test_the_spread_grows_with_the_runs_and_stopping_keeps_it(small_project: Project) -> None:
    study = seeds.start(small_project, RECIPE, 4)
    for _ in range(3):
        studying.work(lambda recipe: 0.5 + 0.01 * (recipe.seed - 17))
    seeds.stop(study)
    found = seeds.read(study)
    assert not found.active
    assert found.scores == pytest.approx([0.50, 0.51, 0.52])
    assert found.spread is not None and found.spread.n == 3
    assert studying.take() is None
    last = runs.of_project(small_project.id)[0]
    assert seeds.luck(small_project.id, last.id, "eval_loss") == found.spread
    assert seeds.luck(small_project.id, last.id, "accuracy") is None, "another figure has another luck"


def test_two_recipes_are_compared_on_the_same_rows(small_project: Project) -> None:
    studying_of = []
    for rate, level in ((1e-4, 0.9), (1e-3, 0.5)):
        study = seeds.start(small_project, RECIPE.model_copy(update={"learning_rate": rate}), 3)
        while studying.work(lambda recipe, level=level: level + 0.01 * (recipe.seed % 3)):  # type: ignore[misc]
            pass
        studying_of.append(seeds.read(study))
    first, second = studying_of
    assert seeds.comparable(first, second)
    changed = {"learning_rate": (1e-4, 1e-3)}
    assert seeds.changed(first.study, second.study) == changed
    del first.study.recipe["compiling"]
    assert seeds.changed(first.study, second.study) == changed, "an older recipe is no other recipe"
    found = seeds.compare(first, second)
    assert found is not None and found.real and found.value == pytest.approx(-0.4)
