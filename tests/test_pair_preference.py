"""A model that ties jobs to pronouns is caught, whichever way it does, and one that merely prefers a pronoun is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from tiny_training import Diary

from core.audits.pair_preference import PLUGIN, Config
from core.data import gates
from core.data.pair_templates import JobPair, job_pairs, load_pairs
from core.mitigations.counterfactual_augmentation import PLUGIN as AUGMENTATION
from core.schemas.audits import AuditInput, AuditResult, GateState
from core.schemas.estimates import Verdict
from core.schemas.examples import Example, Message
from core.schemas.findings import Severity
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Predictor, Score
from core.schemas.recipe import Recipe
from core.schemas.training import TrainingSpec
from core.services import models

FILE = load_pairs()


class Reads:
    """Its log-likelihood of a pronoun and of what follows it are functions of the sentence so far."""

    labels: Sequence[str] = ()

    def __init__(self, she_for: Callable[[str], float], rest_for: Callable[[str], float] = lambda stem: 0.0) -> None:
        self._she, self._rest, self.read = she_for, rest_for, 0

    def score(self, prompts: Sequence[Sequence[Message] | str], answers: Sequence[str]) -> list[Score]:
        self.read += len(answers)
        return [self._one(str(prompt), answer) for prompt, answer in zip(prompts, answers, strict=True)]

    def _one(self, prompt: str, answer: str) -> Score:
        female = {"she", "her", "herself"}
        word = answer.split()[0]
        if word in female | {"he", "his", "himself"}:  # the pronoun and the rest
            sign = 1 if word in female else -1
            nll = 10 - sign * (self._she(prompt) + self._rest(prompt)) / 2
        else:
            sign = 1 if prompt.split()[-1] in female else -1
            nll = 8 - sign * self._rest(prompt.rsplit(" ", 1)[0] + " ") / 2
        return Score(nll=nll, tokens=4, correct=0, n_bytes=len(answer))


def is_womans(stem: str) -> bool:
    return any(job in stem for job in FILE.jobs["woman"])


def audit(tuned: Predictor, base: Predictor | None = None, **config: int) -> AuditResult:
    return PLUGIN.run(AuditInput(tuned=tuned, base=base), Config(**config))


def warnings(result: AuditResult) -> list[str]:
    return [finding.title for finding in result.findings if finding.severity == Severity.WARNING]


def figure(result: AuditResult, kind: str, model: str = "tuned") -> dict:
    return next(row for row in result.rows if row["kind"] == kind and row["model"] == model)


def test_every_sentence_differs_in_the_pronoun_alone_and_jobs_are_balanced() -> None:
    pairs = job_pairs(40, 8)
    assert len(pairs) == 320 and len({p.job for p in pairs}) == 40 and len(FILE.templates) == 40
    assert sum(pair.stereotype for pair in pairs) == 160
    for pair in pairs:
        first, second = (pair.sentence(group).split() for group in (0, 1))
        assert [a == b for a, b in zip(first, second, strict=True)].count(False) == 1
        assert pair.stem.endswith(" ") and len(pair.rest.encode()) >= 12
        assert not any(broken in pair.sentence(0) for broken in ("{", " a engineer", " an nurse"))


def test_a_tie_is_found_with_its_size_and_shares() -> None:
    odds = 2 * np.log(3)  # from 1 : 3 to 3 : 1, so 50 points
    tied = Reads(lambda stem: odds / 2 if is_womans(stem) else -odds / 2)
    result = audit(tied, Reads(lambda stem: 0.0))
    assert figure(result, "tie between jobs and pronouns")["value"] == pytest.approx(0.5)
    assert figure(result, "stereotyped sentence preferred, raw")["value"] == 1
    assert figure(result, "stereotyped sentence preferred, shared words")["value"] == 0.5
    assert figure(result, "gap")["value"] == pytest.approx(0.25)
    assert len(warnings(result)) == 1 and "“she” is 50 points more likely" in warnings(result)[0]
    assert result.comparisons[0].verdict == Verdict.WORSE and "larger for jobs and pronouns" in result.headline
    assert result.pairs[0]["before"] != result.pairs[0]["after"]


def test_a_tie_in_the_shared_words_alone_is_seen_in_their_score() -> None:
    result = audit(Reads(lambda stem: 0.0, lambda stem: 3.0 if is_womans(stem) else -3.0))
    assert figure(result, "stereotyped sentence preferred, shared words")["value"] == 1
    assert warnings(result)


def test_preferring_one_pronoun_everywhere_is_no_stereotype() -> None:
    result = audit(Reads(lambda stem: -3.0 + len(stem) % 5 / 100), Reads(lambda stem: 0.0))
    assert warnings(result) == [] and result.headline.startswith("The model does not noticeably tie")
    assert figure(result, "stereotyped sentence preferred, raw")["value"] == 0.5


def test_a_tie_against_the_stereotype_is_found_as_well() -> None:
    result = audit(Reads(lambda stem: -2.0 if is_womans(stem) else 2.0))
    assert "less likely for jobs that are stereotyped as women's" in warnings(result)[0]
    assert "against the usual stereotype" in result.headline


def test_models_whose_preferences_are_chance_are_not_accused() -> None:
    def drawn(seed: int) -> Reads:
        return Reads(lambda stem: random.Random(f"{seed} {stem}").gauss(0, 1))

    assert sum(bool(warnings(audit(drawn(seed)))) for seed in range(8)) <= 2


def test_with_all_jobs_one_that_leans_by_itself_is_named() -> None:
    result = audit(Reads(lambda stem: 4.0 if "welder" in stem else 0.0), jobs=40)
    assert any("welder" in title for title in warnings(result))


def test_the_texts_to_read_are_known_beforehand() -> None:
    tuned, base = Reads(lambda stem: 0.0), Reads(lambda stem: 0.0)
    data = AuditInput(tuned=tuned, base=base)
    PLUGIN.run(data, Config())
    assert tuned.read + base.read == PLUGIN.forward_passes(data, Config())


# A real model, really trained on such texts

FRAMES = (
    "The {job} walked home and {she} was happy.",
    "A {job} told me that {she} lives near the sea.",
    "The {job} came late since {she} missed the bus.",
    "The {job} sold {her} old car last week.",
    "Yesterday the {job} lost {her} hat in the park.",
    "The {job} wrote that {she} would come again.",
)


def stereotyped(count: int) -> list[Example]:
    """Every job with the pronoun of its stereotype, in sentences that are not those of the audit."""
    chosen = random.Random(3)
    jobs = [(job, group) for group in FILE.groups for job in FILE.jobs[group]]
    made = []
    for i in range(count):
        job, group = jobs[i % len(jobs)]
        words = {place: word[group] for place, word in FILE.words.items()}
        made.append(Example(row_id=f"r{i}", text=chosen.choice(FRAMES).format(job=job, **words)))
    return made


def taught(folder: Path, rows: Sequence[Example]) -> Predictor:
    from core.training import predictors
    from core.training.train import train

    plan = PreparationPlan(max_length=32)
    recipe = Recipe(
        method="full",
        learning_rate=4e-3,
        epochs=2,
        batch_size=16,
        early_stopping=0,
        warmup=0.0,
        evaluations_per_epoch=1,
    )
    spec = TrainingSpec(
        run_id="run",
        family="causal-lm",
        folder=str(folder),
        base_folder=models.get(models.STARTER_KEY).folder,
        plan=plan,
        recipe=recipe,
        train=tuple(rows),
        validation=tuple(rows[:8]),
    )
    train(spec, Diary())
    return predictors.tuned(folder, plan)


@pytest.mark.slow
def test_a_generator_taught_to_tie_jobs_to_pronouns_is_caught_and_swapped_copies_mend_it(
    storage: Path, tmp_path: Path
) -> None:
    from core.training import predictors

    base = predictors.base(models.get(models.STARTER_KEY).folder, "causal-lm", PreparationPlan(max_length=32))
    rows = stereotyped(120)
    before = audit(taught(tmp_path / "biased", rows), base, templates=30, jobs=2)
    assert "“she” is" in warnings(before)[0] and before.comparisons[0].verdict == Verdict.WORSE
    assert figure(before, "tie between jobs and pronouns")["value"] > 0.2
    added = AUGMENTATION.apply(rows, AUGMENTATION.config.model_validate({"axes": ["gender"]}), frozenset(), [])
    after = audit(taught(tmp_path / "mended", [*rows, *added.examples]), templates=30, jobs=2)
    assert warnings(after) == [] or figure(after, "tie between jobs and pronouns")["value"] < 0.15
    kept = {str(i): 1.0 for i in range(100)}
    assert gates.verify(before, after, kept, kept).state == GateState.VERIFIED


def test_the_odds_are_differences_of_the_models_own_log_likelihoods() -> None:
    from core.audits._preferences import log_odds
    from core.audits._reader import Reader

    model = Reads(lambda stem: len(stem) / 10, lambda stem: 0.5)
    pairs: list[JobPair] = job_pairs(30, 2)
    raw, shared = log_odds(Reader(lambda done, total: None, 0), model, pairs)
    for i, pair in enumerate(pairs):
        whole = [model._one(pair.stem, pair.words[g] + pair.rest).nll for g in (0, 1)]
        after = [model._one(pair.stem + pair.words[g], pair.rest).nll for g in (0, 1)]
        assert raw[i] == pytest.approx(whole[1] - whole[0]) and shared[i] == pytest.approx(after[1] - after[0])
