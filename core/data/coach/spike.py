"""A batch loss far above the 50 before it (median + 6 MAD) that has not come back after 20 steps."""

from statistics import median

from ._curves import Advice, Curves, Mark, Rule, known

BEFORE, WAIT = 50, 20


def run(curves: Curves) -> Advice | None:
    points = known(curves.batch)
    for i in range(BEFORE, len(points)):
        window = [v for _, v in points[i - BEFORE : i]]
        middle = median(window)
        spread = median(abs(v - middle) for v in window)
        limit = middle + 6 * max(spread, 0.01 * abs(middle))
        after = [v for s, v in points if points[i][0] <= s <= points[i][0] + WAIT]
        passed = points[-1][0] - points[i][0] >= WAIT
        if passed and points[i][1] > limit and min(after) > limit:
            return Advice(
                kind="spike",
                severity="warning",
                step=points[i][0],
                title=f"The loss jumped at step {points[i][0]} and has not come back",
                text="Something in that batch, or too large a step, threw the model off. The best checkpoint before it is "
                "kept. Use half the learning rate in the next round, and look at very long or odd rows.",
                marks=(
                    Mark(step=points[i][0], label="jump"),
                    Mark(step=points[i][0] + WAIT, label="not back"),
                ),
                action="halve_learning_rate",
                now="stop",
            )
    return None


PLUGIN = Rule("spike", 30, run, frozenset({"nan", "rate_too_high"}))
