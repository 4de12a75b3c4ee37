"""After 20% of the steps the model still guesses: the loss is where guessing would be, or the accuracy is the majority's."""

import math

from ..stats_proportions import wilson
from ._curves import Advice, Curves, Rule, known


def _guesses(curves: Curves) -> bool:
    """Whether the validation accuracy cannot be told from always naming the most frequent class."""
    scores = known(curves.accuracy)
    if len(scores) < 3 or curves.majority is None or not curves.held_out:
        return False
    best = max(v for s, v in scores if s > 0)
    return (wilson(round(best * curves.held_out), curves.held_out).low or 0.0) <= curves.majority


def run(curves: Curves) -> Advice | None:
    points = known(curves.train)
    if len(points) < 3 or points[-1][0] < 0.2 * curves.total_steps or points[-1][0] == 0:
        return None
    first, now = points[0][1], min(v for _, v in points[1:])
    guessing = math.log(curves.classes) if curves.classes > 1 else None
    stuck = now > 0.97 * guessing if guessing else now > 0.995 * first
    if not stuck and not (guessing and now > 0.85 * guessing and _guesses(curves)):
        return None
    return Advice(
        kind="not_learning",
        severity="warning",
        step=points[-1][0],
        title="It is not learning yet",
        text="The loss is where guessing would be. Use a learning rate three to ten times higher, and check the labels and "
        "what is trained on the Tokenization screen.",
        action="raise_learning_rate",
        now="stop",
    )


PLUGIN = Rule("not_learning", 70, run, frozenset({"nan", "rate_too_high"}))
