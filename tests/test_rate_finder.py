"""The learning-rate finder: what it makes of a curve, and a real short training that draws one."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
import tiny_training as tiny

from core.data import rate_curve
from core.schemas.jobs import Desired, JobKind, JobState
from core.schemas.rate_search import RateCurve
from core.schemas.recipe import Recipe
from core.schemas.recorder import Interrupted
from core.services import projects, rate_finder
from core.store import jobs
from core.store.tables import Project
from core.training.rate_finder import find_rate
from core.worker.handlers import find_rate_job
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread")
RATES = rate_curve.rates()


def valley(best: float, noise: float, seed: int, depth: float = 1.0) -> RateCurve:
    """A loss of 2 that falls by `depth`, is lowest at the rate `best`, then runs away; with noise from batch to batch."""
    source = random.Random(seed)
    losses: list[float] = []
    ended, stop = "complete", rate_curve.Stop()
    for rate in RATES:
        place = math.log10(rate / best)
        clean = 2 - depth / (1 + math.exp(-4 * (place + 1))) + max(0.0, place) ** 2 * 40 * depth
        losses.append(clean + source.gauss(0, noise))
        if ended := stop.see(losses[-1]):
            break
    return RateCurve(rates=tuple(RATES[: len(losses)]), losses=tuple(losses), ended=ended or "complete")  # type: ignore[arg-type]


@pytest.mark.parametrize("best", [1e-4, 3e-3, 3e-2])
@pytest.mark.parametrize("noise", [0.0, 0.05, 0.15])
def test_the_suggestion_is_a_tenth_of_the_rate_with_the_lowest_loss(best: float, noise: float) -> None:
    for seed in range(10):
        advice = rate_curve.read(valley(best, noise, seed))
        assert advice.valley == "clear"
        assert advice.suggestion is not None
        assert abs(math.log10(advice.suggestion / (best / 10))) < 0.45, "within half a decade, whatever the noise"


def test_noise_alone_is_no_valley() -> None:
    suggested = 0
    for seed in range(200):
        source = random.Random(seed)
        losses = tuple(2 + source.gauss(0, 0.3) for _ in RATES)
        suggested += (
            rate_curve.read(RateCurve(rates=tuple(RATES), losses=losses, ended="complete")).suggestion is not None
        )
    assert suggested <= 4, "at most one in fifty"


def test_a_loss_that_only_rises_and_one_that_never_turns_give_no_suggestion() -> None:
    rising = tuple(2 + 5 * i / 100 for i in range(len(RATES)))
    falling = tuple(2 - i / 100 for i in range(len(RATES)))
    up = rate_curve.read(RateCurve(rates=tuple(RATES), losses=rising, ended="complete"))
    down = rate_curve.read(RateCurve(rates=tuple(RATES), losses=falling, ended="complete"))
    assert (up.valley, up.suggestion) == ("only rises", None)
    assert (down.valley, down.suggestion) == ("no end", None)
    for advice in (up, down):
        assert "No rate is suggested" in rate_curve.words(advice, RATES)


def test_the_test_ends_at_four_times_the_best_smoothed_loss_or_at_no_number() -> None:
    stop = rate_curve.Stop()
    assert {stop.see(1.0) for _ in range(30)} == {""}
    seen = [stop.see(20.0) for _ in range(5)]
    assert "diverged" in seen
    assert seen[0] == "", "one odd batch is not the end"
    assert rate_curve.Stop().see(math.nan) == "not a number"
    assert rate_curve.Stop().see(math.inf) == "not a number"


@pytest.mark.parametrize("kind", ["classifier, full", "classifier, LoRA", "completion, full, packed"])
def test_a_real_short_training_finds_a_rate_that_learns(kind: str, small_model: Path, tmp_path: Path) -> None:
    diary = tiny.Diary()
    spec = tiny.spec_of(kind, tmp_path / "run", small_model, rows=60, batch_size=4)
    curve = find_rate(spec, diary, steps=60)
    advice = rate_curve.read(curve)
    assert advice.valley == "clear"
    assert advice.suggestion is not None
    by_hand = spec.recipe.learning_rate
    assert by_hand / 30 < advice.suggestion < by_hand * 30
    assert not (tmp_path / "run").exists(), "nothing of it is kept"
    assert not diary.points and not diary.checkpoints


def test_it_can_be_cancelled_in_the_middle(small_model: Path, tmp_path: Path) -> None:
    class Impatient(tiny.Diary):
        def phase(self, name: str, done: float = 0, total: float = 0) -> None:
            super().phase(name, done, total)
            self.step = int(done)

    diary = Impatient(tiny.wish_at(5, Desired.CANCEL))
    with pytest.raises(Interrupted):
        find_rate(tiny.spec_of("classifier, full", tmp_path, small_model, rows=30), diary)
    assert diary.phases.count("Trying learning rates") == 5


def test_the_job_keeps_its_curve_and_says_when_it_no_longer_fits(small_project: Project) -> None:
    recipe = Recipe(method="full", batch_size=8, epochs=2)
    job_id = rate_finder.submit(small_project, recipe)
    claimed = jobs.claim([JobKind.FIND_RATE], "me")
    assert claimed is not None
    recorder = JobRecorder(job_id, claimed[1], None, lost=lambda: None)
    jobs.finish(job_id, claimed[1], JobState.DONE, find_rate_job.run(claimed[0], recorder))
    project = projects.get(small_project.id)
    found = rate_finder.of(project, recipe)
    assert found is not None
    assert found.fits
    assert len(found.curve.losses) > 30
    other_rate = rate_finder.of(project, recipe.model_copy(update={"learning_rate": 1e-5, "epochs": 5.0}))
    assert other_rate is not None and other_rate.fits, "the test replaces the rate"
    other_batch = rate_finder.of(project, recipe.model_copy(update={"batch_size": 32}))
    assert other_batch is not None and not other_batch.fits
