"""The training loss fell by less than 2% over the last 30% of the steps, and by less than 10% since the start."""

from ._curves import Advice, Curves, Mark, Rule, known, value_at


def run(curves: Curves) -> Advice | None:
    points = known(curves.train)
    if len(points) < 4 or curves.total_steps <= 0:
        return None
    step, now = points[-1]
    since = step - round(0.3 * curves.total_steps)
    before = value_at(points, since)
    if step < 0.3 * curves.total_steps or before is None:
        return None
    if before - now >= 0.02 * before or points[0][1] - now >= 0.1 * points[0][1]:
        return None
    return Advice(
        kind="rate_too_low",
        severity="warning",
        step=step,
        title="It learns very slowly",
        text="The loss has hardly moved over a third of the steps. Use three times the learning rate.",
        marks=(Mark(step=since, label="hardly moved from here"), Mark(step=step, label="to here")),
        action="raise_learning_rate",
        now="stop",
    )


PLUGIN = Rule("rate_too_low", 80, run, frozenset({"nan", "rate_too_high", "not_learning", "overfitting", "plateau"}))
