"""The result of a review in one sentence that a person can repeat."""

from __future__ import annotations

from collections.abc import Sequence

from core.schemas.estimates import Estimate, Verdict
from core.schemas.reviews import Against, Contender, ReviewSpec

FEWEST_DECISIVE = 20  # decisive votes below which no verdict is given


def sentence(first: Contender, against: Sequence[Against], early: bool, raters: int) -> str:
    """What a person can repeat."""
    main = against[0]
    who = f"{raters} people" if raters > 1 else "You"
    name, other = first.title, main.title
    if main.win_rate is None or not (main.decisive + main.ties + main.both_bad):
        return f"There are no votes yet on {name} and {other}."
    low, high = main.win_rate.low, main.win_rate.high
    between = f" (between {100 * low:.0f} and {100 * high:.0f})" if low is not None and high is not None else ""
    said = (
        f"{who} preferred {name} to {other} {100 * main.win_rate.value:.0f} times in 100{between}, a tie counting half"
    )
    ends = {
        Verdict.BETTER: "It is preferred, and not by chance.",
        Verdict.WORSE: f"{other} is preferred, and not by chance.",
        Verdict.NO_EVIDENCE: "That could be chance.",
        Verdict.NOT_ENOUGH_DATA: f"That is too little to say anything: {FEWEST_DECISIVE} votes for one side or the other are "
        f"the least, and there are {main.decisive}.",
    }
    note = " Stopped before the number of votes that was fixed, so a stricter test was used." if early else ""
    return f"{said}. {ends[main.verdict]}{note}"


def thumb_sentence(thumbs: dict[str, Estimate], spec: ReviewSpec, verdict: Verdict | None) -> str:
    said = [f"{100 * thumbs[c.key].value:.0f} in 100 of {c.title}" for c in spec.contenders if c.key in thumbs]
    if not said:
        return "There are no votes yet."
    ends = {
        Verdict.BETTER: f" {spec.contenders[0].title} is better, and not by chance.",
        Verdict.WORSE: f" {spec.contenders[0].title} is worse, and not by chance.",
        Verdict.NO_EVIDENCE: " The difference could be chance.",
        Verdict.NOT_ENOUGH_DATA: " There are too few to compare.",
    }
    return f"Answers that were found good: {', '.join(said)}." + (ends[verdict] if verdict else "")


def chosen_sentence(votes: Sequence[str]) -> str:
    """Of answers that a person chose to judge while chatting."""
    if not votes:
        return "There are no votes yet."
    return (
        f"Judged while chatting: {votes.count('up')} good and {votes.count('down')} not good. These answers were chosen and not "
        "drawn, so they can teach the model, but say nothing about how often it is right."
    )
