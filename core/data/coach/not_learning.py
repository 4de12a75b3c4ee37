"""After 20% of the steps the model still guesses: the loss is where guessing would be, or the accuracy is the majority's.

What guessing costs is known of classes, labels and numbers (`core/services/coaching.py`); of texts the loss of the untrained
model stands for it.
"""

from ..stats_proportions import wilson
from ._curves import Advice, Curves, Mark, Rule, known


def _guesses(curves: Curves) -> bool:
    """Whether the validation accuracy cannot be told from always naming the most frequent class."""
    scores = known(curves.right)
    if len(scores) < 3 or curves.majority is None or not curves.held_out:
        return False
    best = max(v for s, v in scores if s > 0)
    return (wilson(round(best * curves.held_out), curves.held_out).low or 0.0) <= curves.majority


def run(curves: Curves) -> Advice | None:
    points = known(curves.train)
    if len(points) < 3 or points[-1][0] < 0.2 * curves.total_steps or points[-1][0] == 0:
        return None
    first, now = points[0][1], min(v for _, v in points[1:])
    guessing = curves.guessing
    stuck = now > 0.97 * guessing if guessing else now > 0.995 * first
    if not stuck and not (guessing and now > 0.85 * guessing and _guesses(curves)):
        return None
    why = "The loss is where guessing would be." if guessing else "The loss is where it was at the start."
    return Advice(
        kind="not_learning",
        severity="warning",
        step=points[-1][0],
        title="It is not learning yet",
        text=f"{why} Use a learning rate three to ten times higher, and check the labels and "
        "what is trained on the Tokenization screen.",
        marks=(Mark(step=points[-1][0], label="still guessing" if guessing else "has not moved"),),
        action="raise_learning_rate",
        now="stop",
        look="tokens",
    )


PLUGIN = Rule("not_learning", 70, run, frozenset({"nan", "rate_too_high"}))
