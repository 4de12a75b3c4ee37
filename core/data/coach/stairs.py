"""The batch loss falls by more than a tenth from the end of one epoch to the start of the next: rows are recognised."""

from statistics import fmean

from ._curves import Advice, Curves, Mark, Rule, known

FEWEST = 20  # points an epoch


def run(curves: Curves) -> Advice | None:
    points, epoch = known(curves.batch), curves.steps_per_epoch
    if epoch < FEWEST or len(points) < 2 * FEWEST:
        return None
    found = []
    for boundary in range(epoch, points[-1][0], epoch):
        before = [v for s, v in points if boundary - epoch // 5 < s <= boundary]
        after = [v for s, v in points if boundary < s <= boundary + epoch // 5]
        within = [v for s, v in points if boundary - epoch < s <= boundary - epoch + epoch // 5]
        if len(before) < 4 or len(after) < 4 or len(within) < 4:
            continue
        # A stair is flat: what fell within the epoch is learning, what falls at its edge is recognition.
        drop, slope = fmean(before) - fmean(after), (fmean(within) - fmean(before)) / 4
        if drop > 0.1 * fmean(before) and drop > 2 * max(0.0, slope):
            found.append(boundary)
    if len(found) < 2:  # once is chance
        return None
    return Advice(
        kind="stairs",
        severity="info",
        step=found[0],
        title="The loss falls in stairs, one for each pass",
        text="It recognises rows that it saw in the pass before. One or two epochs are usually enough here.",
        marks=tuple(Mark(step=step, label="stair") for step in found),
        action="fewer_epochs",
    )


PLUGIN = Rule("stairs", 120, run, frozenset({"overfitting", "nan"}))
