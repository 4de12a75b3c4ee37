"""Blind review: answers of base and tuned for the same prompts, judged side by side, with an honest interval at the end."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from typing import Any

from core.data.statistics import bootstrap_mean, decisive_votes, sign_test
from core.schemas.base import Schema
from core.schemas.errors import UserError
from core.schemas.estimates import Estimate, Verdict
from core.schemas.families import FAMILIES
from core.schemas.jobs import JobKind
from core.schemas.predictor import Decoding
from core.store import jobs, records
from core.store.tables import Review, Run, SampleSet
from core.tasks import registry as tasks

from . import runs

VOTES = ("tuned", "base", "tie", "bad")
SCORES = {"coherence": "Coherence", "understanding": "Domain understanding"}
FEWEST_DECISIVE = 20  # votes below which no verdict is given
REPEATS = 0.1  # share of items shown twice with sides swapped, to see whether a rater agrees with themself


def own_prompts(text: str) -> list[str]:
    """One prompt a line."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def submit(run: Run, prompts: Sequence[str], decoding: Decoding) -> str:
    """Queue the generation. Without prompts of the person's own, validation prompts are used (never test rows)."""
    if FAMILIES[tasks()[run.task].family].reads:
        raise UserError(
            "This model writes no text.",
            "It gives labels or a number, so there is nothing to read and rate.",
            "Look at its mistakes on the Evaluation screen.",
        )
    payload = {"run_id": run.id, "prompts": list(prompts), "decoding": decoding.model_dump()}
    return jobs.submit(JobKind.GENERATE, run.project_id, payload)


def store(run: Run, decoding: Decoding, items: list[dict[str, Any]]) -> SampleSet:
    """Keep generated answers (called by the worker). Items: prompt, base, tuned, reference, and each one's end."""
    chosen = random.Random(run.id)
    repeated = chosen.sample(range(len(items)), round(REPEATS * len(items))) if len(items) >= 10 else []
    shown = [{**item, "repeat_of": None} for item in items]
    shown += [{**items[i], "repeat_of": i} for i in repeated]
    for item in shown:
        item["left"] = chosen.choice(("base", "tuned"))
        if item["repeat_of"] is not None:
            first = shown[item["repeat_of"]]["left"]
            item["left"] = "base" if first == "tuned" else "tuned"
    return records.add(SampleSet(project_id=run.project_id, run_id=run.id, decoding=decoding.model_dump(), items=shown))


def sets(run: Run) -> list[SampleSet]:
    """Newest first."""
    return records.find(SampleSet, run_id=run.id)


def reviews(sample_set: SampleSet, rater: str = "") -> dict[int, Review]:
    return {r.item: r for r in records.find(Review, sample_set_id=sample_set.id, rater=rater)}


def rate(sample_set: SampleSet, item: int, rater: str = "", **values: Any) -> None:
    """Keep a judgement at once: vote (tuned, base, tie, bad), scores, note, corrected."""
    if values.get("vote") not in (None, *VOTES):
        raise ValueError(f"a vote is one of {VOTES}")
    known = reviews(sample_set, rater).get(item)
    if known:
        records.change(Review, known.id, {**values, "updated_at": time.time()})
    else:
        left = sample_set.items[item]["left"]
        records.add(Review(sample_set_id=sample_set.id, item=item, rater=rater, left=left, **values))


def undo(sample_set: SampleSet, rater: str = "") -> int | None:
    """Take the newest vote back. Returns its item."""
    voted = [r for r in reviews(sample_set, rater).values() if r.vote]
    if not voted:
        return None
    last = max(voted, key=lambda r: r.updated_at)
    records.change(Review, last.id, {"vote": None, "updated_at": time.time()})
    return last.item


class ReviewResult(Schema):
    """`win_rate` counts a tie as half a win of each side; repeats are left out of it."""

    votes: int
    wins: int
    losses: int
    ties: int
    both_bad: int
    win_rate: Estimate | None
    p: float | None
    verdict: Verdict
    more_votes: int
    left_share: Estimate | None
    agreement: Estimate | None
    scores: dict[str, Estimate]


def result(sample_set: SampleSet, rater: str = "") -> ReviewResult:
    """Win rate with a bootstrap by prompt, sign test, and how many more votes would decide."""
    found = {i: r for i, r in reviews(sample_set, rater).items() if r.vote}
    first = {i: r for i, r in found.items() if sample_set.items[i]["repeat_of"] is None}
    votes = [r.vote for r in first.values()]
    wins, losses, ties, bad = (votes.count(v) for v in VOTES)
    points = {"tuned": 1.0, "base": 0.0, "tie": 0.5, "bad": 0.5}
    values = [points[r.vote or "tie"] for r in first.values()]
    prompts = [sample_set.items[i]["prompt"] for i in first]
    rate_ = bootstrap_mean(values, prompts) if len(values) > 1 else None
    p = sign_test(wins, losses) if wins + losses else None
    verdict = Verdict.NOT_ENOUGH_DATA
    if wins + losses >= FEWEST_DECISIVE and p is not None:
        verdict = Verdict.NO_EVIDENCE if p >= 0.05 else Verdict.BETTER if wins > losses else Verdict.WORSE
    share = max(wins, losses) / (wins + losses) if wins + losses else 0.7
    needed = decisive_votes(min(0.9, max(0.55, share)))
    sides = [float((r.vote == "tuned") == (r.left == "tuned")) for r in found.values() if r.vote in ("tuned", "base")]
    repeats = [(i, sample_set.items[i]["repeat_of"]) for i in found if sample_set.items[i]["repeat_of"] is not None]
    same = [float(found[i].vote == found[j].vote) for i, j in repeats if j in found]
    scores = {}
    for key in SCORES:
        given = [float(r.scores[key]) for r in first.values() if r.scores.get(key)]
        if len(given) > 1:
            scores[key] = bootstrap_mean(given)
    return ReviewResult(
        votes=len(votes),
        wins=wins,
        losses=losses,
        ties=ties,
        both_bad=bad,
        win_rate=rate_,
        p=p,
        verdict=verdict,
        more_votes=max(0, needed - wins - losses),
        left_share=bootstrap_mean(sides) if len(sides) > 1 else None,
        agreement=bootstrap_mean(same) if len(same) > 1 else None,
        scores=scores,
    )


def prompts_for(run: Run, count: int) -> list[Any]:
    """Validation prompts with their references, at most `count`, the same ones each time."""
    given = runs.inputs(run)
    rows = list(given.parts["validation"])
    random.Random(17).shuffle(rows)
    return rows[:count]
