"""At the end both losses still fall by more than 1% in the last tenth of the steps.

A fall of less than 0.5% of what the loss was at the start does not count: near zero, 1% of it is nothing.
"""

from ._curves import Advice, Curves, Known, Mark, Rule, known, value_at


def run(curves: Curves) -> Advice | None:
    held, train = known(curves.validation), known(curves.train)
    if len(held) < 4 or not held[-1][0] >= curves.total_steps > 0:
        return None

    def falling(points: Known) -> bool:
        before = value_at(points, int(0.9 * curves.total_steps))
        return before is not None and before - points[-1][1] > max(0.01 * before, 0.005 * points[0][1])

    if not (falling(held) and train and falling(train)):
        return None
    return Advice(
        kind="underfitting",
        severity="info",
        step=held[-1][0],
        title="It stopped while still improving",
        text="Both losses were falling to the end. For the next round: half as many epochs again.",
        marks=(Mark(step=int(0.9 * curves.total_steps), label="still falling from here"),),
        action="more_epochs",
    )


PLUGIN = Rule("underfitting", 100, run, frozenset({"not_learning", "rate_too_low"}))
