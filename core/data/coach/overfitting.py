"""Two evaluations past the best, now at least 2% above it, and the training loss still falling."""

from ._curves import Advice, Curves, Mark, Rule, known, learned, lowest


def memorising_since(curves: Curves) -> int | None:
    """The step of the best validation loss where all three signs are there, else None."""
    points = learned(curves.validation)
    if len(points) < 4:
        return None
    best = lowest(points)
    train = learned(curves.train)
    until_best = [v for s, v in known(train) if s <= points[best][0]]
    falling = bool(until_best) and train[-1][1] < min(until_best)
    if len(points) - 1 - best < 2 or points[-1][1] < 1.02 * points[best][1] or not falling:
        return None
    return points[best][0]


def run(curves: Curves) -> Advice | None:
    since = memorising_since(curves)
    if since is None:
        return None
    return Advice(
        kind="overfitting",
        severity="warning",
        step=since,
        title=f"Overfitting since step {since}",
        text="It is memorising the training rows: the loss on training still falls, on validation it rises. The best "
        "checkpoint is kept. For the next round: fewer epochs, or more and more varied examples.",
        marks=(Mark(step=since, label="overfitting from here"),),
        action="fewer_epochs",
        now="stop",
    )


PLUGIN = Rule("overfitting", 40, run, frozenset({"too_sure"}))
