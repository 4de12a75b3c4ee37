"""What the coach read in the curves of the training: half as many epochs again, a lower rate, stronger regularisation."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

PART = {"error": 0.5, "warning": 0.3, "info": 0.1}
"""The part of the errors that such advice is ranked by (house defaults: an order, not a promise)."""


def run(evidence: Evidence) -> list[NextStep]:
    size = evidence.wrong or 0.1 * evidence.result.n
    return [
        NextStep(
            rule="curves",
            title=advice.title,
            text=advice.text,
            button="Prepare the next round with it",
            target="recipe",
            settings={"action": advice.action},
            gain=PART.get(advice.severity, 0.1) * size,
        )
        for advice in evidence.advice
        if advice.action
    ]


PLUGIN = Rule("curves", run)
