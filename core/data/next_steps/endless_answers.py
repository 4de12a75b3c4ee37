"""Answers that do not end by themselves, or that repeat themselves: usually a matter of too little training."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

ENDS, REPEATS = 0.9, 0.2
"""Share of answers that should end, and of repeated runs of four words from which it is told (house defaults)."""


def run(evidence: Evidence) -> list[NextStep]:
    ends, repeats = evidence.figure("finished"), evidence.figure("repeated_4grams")
    unfinished = ends is not None and ends < ENDS
    if not unfinished and (repeats is None or repeats < REPEATS):
        return []
    title = f"{repeats or 0.0:.0%} of what it writes repeats itself"
    if unfinished and ends is not None:
        title = f"{1 - ends:.0%} of its answers do not end by themselves"
    return [
        NextStep(
            rule="endless_answers",
            title=title,
            text="Small models learn to stop late: train longer, on shorter answers, or allow longer ones where they are cut. "
            "Check on the Tokenization screen that no answer loses its ending.",
            button="Train half as long again",
            target="recipe",
            settings={"action": "more_epochs"},
            gain=0.3 * evidence.result.n * (1 - ends if ends is not None else repeats or 0.0),
        )
    ]


PLUGIN = Rule("endless_answers", run)
