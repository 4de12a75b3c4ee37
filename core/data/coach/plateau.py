"""Three evaluations in a row within 0.5% of one another, over a tenth of the steps or more and with a fifth to go, after real
learning."""

from ._curves import Advice, Curves, Mark, Rule, known, learned

FLAT = 0.005
OVER = 0.1  # of the steps: many evaluations in a row are always alike
TO_GO = 0.2  # a learning rate that falls to zero flattens the end of every curve


def run(curves: Curves) -> Advice | None:
    points, first = learned(curves.validation), known(curves.validation)
    if len(points) < 5 or points[-1][0] > (1 - TO_GO) * curves.total_steps:
        return None
    if points[-1][0] - points[-4][0] < OVER * curves.total_steps:
        return None
    last = [v for _, v in points[-4:]]
    if max(last) - min(last) >= FLAT * last[0] or first[0][1] - last[-1] < 0.1 * first[0][1]:
        return None
    return Advice(
        kind="plateau",
        severity="info",
        step=points[-4][0],
        title=f"Nothing has improved since step {points[-4][0]}",
        text="Training longer will not help: the data is the limit. You can stop now and keep the best checkpoint; more or "
        "better examples are the way on.",
        marks=(Mark(step=points[-4][0], label="flat from here"), Mark(step=points[-1][0], label="to here")),
        action="fewer_epochs",
        now="stop",
    )


PLUGIN = Rule("plateau", 90, run, frozenset({"nan", "rate_too_high"}))
