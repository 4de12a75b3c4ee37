"""An optional judge: a language model compares both answers in both orders; people's own votes say how far to trust it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence

from core.data import judge_prompt
from core.data.judge_prompt import Said
from core.data.statistics import bootstrap_mean, sign_test, wilson
from core.schemas.errors import UserError
from core.schemas.estimates import Verdict
from core.schemas.evaluation import EvaluationResult
from core.schemas.jobs import Job, JobKind
from core.schemas.judging import Agreement, Judgement, JudgeSettings, Pair, Winner
from core.schemas.predictions import TextPredictions
from core.store import jobs, records
from core.store.job_tokens import forget_tokens, leave_token
from core.store.tables import Evaluation, JudgeAnswer, Judging, Review, Run, SampleSet

from . import evaluation_rows, evaluations
from .reviews import right_of

FEWEST_DECISIVE = 20  # pairs with a winner below which no verdict is given
FEWEST_VOTES = 10  # pairs that a person voted on, below which agreement says little
READINGS = 3  # times that an answer which cannot be read is asked for again
Ask = Callable[[Sequence[dict[str, str]]], str]


def submit(run: Run, kept: Evaluation, settings: JudgeSettings, key: str) -> str:
    """Queue a judging. The key goes to a file that only this person can read, until the job is over."""
    if not pairs(evaluations.result(kept), settings.pairs):
        raise UserError(
            "There is nothing to judge.",
            "This evaluation has no answers of both models.",
            "Evaluate again with some answers written in full.",
        )
    forget_tokens()
    payload = {"run_id": run.id, "evaluation_id": kept.id, "settings": settings.model_dump()}
    return jobs.submit(JobKind.JUDGE, run.project_id, payload, prepare=lambda job_id: leave_token(job_id, key.strip()))


def pairs(found: EvaluationResult, most: int) -> list[Pair]:
    """The first `most` rows that base and tuned model answered in full."""
    if "base" not in found.contents:
        return []
    base, tuned = (evaluation_rows.predictions(found, name) for name in ("base", "tuned"))
    if not isinstance(base, TextPredictions) or not isinstance(tuned, TextPredictions):
        return []
    before = {item.row_id: item.text for item in base.items}
    both = ((item, before.get(item.row_id)) for item in tuned.items if item.text is not None)
    return [
        Pair(prompt=item.prompt, base=text, tuned=item.text or "", reference=item.reference)
        for item, text in both
        if text is not None
    ][:most]


def voted(run: Run) -> list[Pair]:
    """Pairs of base and tuned that people voted on at the Samples screen, with what most of them said (else a tie)."""
    out = []
    for kept in records.find(SampleSet, run_id=run.id):
        votes: dict[int, Counter[Winner]] = {}
        for review in records.find(Review, sample_set_id=kept.id):
            item = kept.items[review.item]
            shown = {item["left"], right_of(item)}
            if review.vote and shown == {"base", "tuned"} and item.get("repeat_of") is None:
                said: Winner = "tuned" if review.vote == "tuned" else "base" if review.vote == "base" else "tie"
                votes.setdefault(review.item, Counter())[said] += 1
        for place, counts in votes.items():
            item, ranked = kept.items[place], counts.most_common(2)
            vote: Winner = "tie" if len(ranked) == 2 and ranked[0][1] == ranked[1][1] else ranked[0][0]
            texts = {name: str(item.get(name) or "") for name in ("prompt", "base", "tuned", "reference")}
            out.append(Pair(**texts, vote=vote))
    return out


def requests_needed(run: Run, found: EvaluationResult, most: int) -> int:
    """How many questions a judging asks at most: two for each pair whose answers differ."""
    return 2 * sum(pair.base != pair.tuned for pair in [*voted(run), *pairs(found, most)])


def question(settings: JudgeSettings, messages: Sequence[dict[str, str]]) -> str:
    """The name under which an answer is kept: the same judge asked the same."""
    asked = json.dumps([settings.address, settings.model, list(messages)], ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()


def answer(project_id: str, settings: JudgeSettings, pair: Pair, turned: bool, ask: Ask) -> Said | None:
    """What the judge says, from the store where it said it before. None where its answers cannot be read."""
    messages = judge_prompt.messages(pair, settings.rubric, turned)
    name = question(settings, messages)
    known = records.find(JudgeAnswer, project_id=project_id, question=name, limit=1)
    if known:
        return known[0].winner  # type: ignore[return-value]
    said = None
    for _ in range(READINGS):
        said = judge_prompt.read(ask(messages))
        if said is not None:
            break
    winner, reason = said or (None, "")
    records.add(JudgeAnswer(project_id=project_id, question=name, winner=winner, reason=reason))
    return winner


def both_orders(first: Said | None, turned: Said | None) -> Winner | None:
    """The winner of a pair, asked with base first and then with tuned first. A disagreement is a tie, as is one tie; None
    where one could not be read."""
    if first is None or turned is None:
        return None
    before: Winner = {"first": "base", "second": "tuned", "tie": "tie"}[first]  # type: ignore[assignment]
    after: Winner = {"first": "tuned", "second": "base", "tie": "tie"}[turned]  # type: ignore[assignment]
    return before if before == after else "tie"


def summary(
    settings: JudgeSettings,
    compared: Sequence[tuple[Pair, Said | None, Said | None]],
    checked: Sequence[tuple[Pair, Said | None, Said | None]],
    same_text: int,
) -> Judgement:
    """From what was said of the evaluation's pairs (`compared`) and of those that people voted on (`checked`)."""
    decided = [(pair, both_orders(a, b)) for pair, a, b in compared]
    winners = [(pair, winner) for pair, winner in decided if winner is not None]
    counts = Counter(winner for _, winner in winners)
    wins, losses, ties = counts["tuned"], counts["base"], counts["tie"] + same_text
    points = [{"tuned": 1.0, "base": 0.0, "tie": 0.5}[winner] for _, winner in winners] + [0.5] * same_text
    prompts = [pair.prompt for pair, _ in winners] + [f"same text {i}" for i in range(same_text)]
    rate = bootstrap_mean(points, prompts, bounds=(0.0, 1.0)) if len(points) > 1 else None
    p = sign_test(wins, losses) if wins + losses else None
    verdict = Verdict.NOT_ENOUGH_DATA
    if wins + losses >= FEWEST_DECISIVE and p is not None:
        verdict = Verdict.NO_EVIDENCE if p >= 0.05 else Verdict.BETTER if wins > losses else Verdict.WORSE
    sides = [said for _, a, b in compared for said in (a, b) if said in ("first", "second")]
    made = Judgement(
        settings=settings,
        agreement=_agreement(checked),
        asked=len(compared),
        same_text=same_text,
        swayed=len([1 for _, a, b in compared if a is not None and a == b != "tie"]),
        unreadable=sum(winner is None for _, winner in decided),
        wins=wins,
        losses=losses,
        ties=ties,
        win_rate=rate,
        p=p,
        verdict=verdict,
        first_share=wilson(sides.count("first"), len(sides)) if sides else None,
        sentences=(),
    )
    return made.model_copy(update={"sentences": _sentences(made)})


def _agreement(checked: Sequence[tuple[Pair, Said | None, Said | None]]) -> Agreement | None:
    told = [
        (pair.vote, winner)
        for pair, a, b in checked
        if pair.vote is not None and (winner := both_orders(a, b)) is not None
    ]
    if not told:
        return None
    people, judge = Counter(vote for vote, _ in told), Counter(winner for _, winner in told)
    chance = sum(people[key] * judge[key] for key in people) / len(told) ** 2
    return Agreement(same=wilson(len([1 for vote, winner in told if vote == winner]), len(told)), by_chance=chance)


def _sentences(found: Judgement) -> tuple[str, ...]:
    """Agreement first: without it the verdict is the opinion of a stranger."""
    out = []
    if found.agreement is None:
        out.append(
            "Nobody has voted on answers of this round yet, so nothing is known of how far this judge agrees with you. Rate some "
            "pairs on the Samples screen, then judge again: only the new questions are asked."
        )
    else:
        same, chance = found.agreement.same, found.agreement.by_chance
        few = " That is too few to trust it." if same.n < FEWEST_VOTES else ""
        out.append(
            f"It says the same as your votes in {_share(same.value)} of {same.n:,} pairs ({_share(same.low)} to "
            f"{_share(same.high)}); by chance it would be {_share(chance)}.{few}"
        )
        if same.n >= FEWEST_VOTES and same.low is not None and same.low <= chance:
            out.append("So there is no sign that it judges as you do: do not decide by what it says.")
    total = found.wins + found.losses + found.ties
    if found.win_rate is not None:
        out.append(
            f"The judge prefers your model in {_share(found.win_rate.value)} of {total:,} pairs ({_share(found.win_rate.low)} to "
            f"{_share(found.win_rate.high)}, a tie counts half): {found.wins:,} won, {found.losses:,} lost, {found.ties:,} alike."
        )
    if found.verdict is Verdict.NOT_ENOUGH_DATA:
        out.append(f"Fewer than {FEWEST_DECISIVE} pairs have a winner: not enough for a verdict.")
    if found.swayed:
        out.append(
            f"In {found.swayed:,} of {found.asked:,} pairs it took the other answer when their order was turned: a tie."
        )
    if found.unreadable:
        out.append(f"{found.unreadable:,} pairs are left out, because its reply could not be read.")
    return tuple(out)


def _share(value: float | None) -> str:
    return "?" if value is None else f"{100 * value:.0f}%"


def store(project_id: str, evaluation_id: str, made: Judgement) -> Judging:
    """Keep the result (called by the worker)."""
    return records.add(Judging(project_id=project_id, evaluation_id=evaluation_id, result=made.model_dump(mode="json")))


def of_evaluation(evaluation_id: str) -> list[Judgement]:
    """Newest first."""
    return [Judgement.model_validate(row.result) for row in records.find(Judging, evaluation_id=evaluation_id)]


def active(project_id: str) -> Job | None:
    """The judging that waits or runs, if there is one."""
    from . import status

    return next((job for job in status.active_jobs(project_id) if job.kind is JobKind.JUDGE), None)
