"""More than 99% right on validation within the first epoch, or a single word that does as well: the answer may be leaking.

What is right is the accuracy, the micro-F1 of labels, or the share of the variance of numbers that is explained.
"""

from ._curves import Advice, Curves, Mark, Rule, learned

WHAT = {
    "accuracy": "it is right in {:.1f}% of the validation rows.",
    "micro_f1": "its micro-F1 on the validation rows is {:.1f}%.",
    "mae": "it explains {:.1f}% of the differences between the validation rows' numbers.",
}
FEWEST = 50  # validation rows: with fewer, 99% is easily luck


def run(curves: Curves) -> Advice | None:
    scores = learned(curves.right)
    if not scores or curves.held_out < FEWEST:
        return None
    early = [p for p in scores if p[0] <= max(1, curves.steps_per_epoch) and p[1] > 0.99]
    if early:
        why = "After one pass over the data " + WHAT[curves.right_name].format(100 * early[0][1])
    elif curves.one_word is not None and curves.one_word[1] >= max(v for _, v in scores) > 0.9:
        word, share = curves.one_word
        why = f"Whether “{word}” stands in the text or not gives the answer as often ({100 * share:.0f}%)."
    else:
        return None
    step = early[0][0] if early else scores[-1][0]
    return Advice(
        kind="too_good",
        severity="warning",
        step=step,
        title="This looks too good",
        text=f"{why} The answer may be written in the text, or validation rows may stand in the training rows too. Look at "
        "shortcuts and leakage in the health report before you trust the score.",
        marks=(Mark(step=step, label="too good?", curve=curves.right_name),),
        look="dataset",
    )


PLUGIN = Rule("too_good", 110, run)
