"""The validation loss is more than 1.3 times the training loss, and by more than noise would explain."""

from ._curves import Advice, Curves, Mark, Rule, known, learned

RATIO = 1.3
LEAST = 0.1  # of the loss at the start: near zero a ratio means nothing


def run(curves: Curves) -> Advice | None:
    held, train, first = learned(curves.validation), learned(curves.train), known(curves.validation)
    if len(held) < 3 or not train:
        return None
    gap = held[-1][1] - train[-1][1]
    if held[-1][1] <= RATIO * train[-1][1] or gap <= LEAST * first[0][1]:
        return None
    return Advice(
        kind="large_gap",
        severity="info",
        step=held[-1][0],
        title="It is much better on training rows than on new ones",
        text=f"The loss is {train[-1][1]:.2f} on training and {held[-1][1]:.2f} on validation. More varied examples help "
        "most; a stronger weight decay, more dropout or a smaller adapter, and removing duplicates, help too.",
        marks=(Mark(step=held[-1][0], label=f"gap {gap:.2g}"),),
        action="regularise",
    )


PLUGIN = Rule("large_gap", 60, run, frozenset({"overfitting", "too_sure", "rate_too_high", "nan"}))
