"""Any batch loss that is no number."""

import math

from ._curves import Advice, Curves, Mark, Rule


def run(curves: Curves) -> Advice | None:
    bad = next((s for s, v in curves.batch if v is None or not math.isfinite(v)), None)
    if bad is None:
        return None
    return Advice(
        kind="nan",
        severity="error",
        step=bad,
        title=f"The loss is not a number at step {bad}",
        text="A step was so large that the weights ran away. Use a learning rate three times lower or more warm-up, and "
        "look for rows with nothing to learn from.",
        marks=(Mark(step=bad, label="no number"),),
        action="lower_learning_rate",
        look="tokens",
    )


PLUGIN = Rule("nan", 10, run)
