"""After warm-up the smoothed loss is above that of the start, or a gradient is ten times the median.

The start is the mean of the first 20 points or the loss before the first step, whichever is lower: with a rate far too
high the first points are the worst of all.
"""

from statistics import fmean, median

from ._curves import Advice, Curves, Mark, Rule, known

FIRST, RECENT = 20, 10


def run(curves: Curves) -> Advice | None:
    points = known(curves.batch)
    late = [p for p in points if p[0] > curves.warmup_steps]
    if len(points) < FIRST + RECENT or len(late) < RECENT:
        return None
    start = min([fmean(v for _, v in points[:FIRST]), *(v for s, v in known(curves.train) if s == 0)])
    now = fmean(v for _, v in late[-RECENT:])
    norms = [v for _, v in known(curves.grad_norm)]
    wild = len(norms) >= FIRST + RECENT and norms[-1] > 10 * median(norms) and now > start
    if now <= 1.05 * start and not wild:
        return None
    return Advice(
        kind="rate_too_high",
        severity="warning",
        step=late[-1][0],
        title="The learning rate looks too high",
        text="The loss is higher than at the start. Use a third of the learning rate and more warm-up.",
        marks=(Mark(step=late[-RECENT][0], label="above the start"),)
        + ((Mark(step=known(curves.grad_norm)[-1][0], label="sudden gradient", curve="grad_norm"),) if wild else ()),
        action="lower_learning_rate",
        now="stop",
    )


PLUGIN = Rule("rate_too_high", 20, run, frozenset({"nan"}))
