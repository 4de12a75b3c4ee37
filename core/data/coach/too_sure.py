"""Validation loss up while the F1 is as good as at its best: still right, but too sure of itself (Guo et al. 2017)."""

from core.schemas.curves import in_a_sentence

from ._curves import Advice, Curves, Mark, Rule, learned
from .overfitting import memorising_since

FLAT = 0.01  # of F1, points that count as nothing


def run(curves: Curves) -> Advice | None:
    since = memorising_since(curves)
    scores = learned(curves.f1)
    # Of answers that can be right or wrong only: nothing is too sure about a number or a text.
    if since is None or len(scores) < 4 or scores[-1][1] < max(v for _, v in scores) - FLAT:
        return None
    by_f1 = curves.best_by == curves.f1_name
    name = in_a_sentence(curves.f1_name)
    what = f"The best checkpoint is chosen by {name} already" if by_f1 else f"Choose the best checkpoint by {name}"
    return Advice(
        kind="too_sure",
        severity="info",
        step=since,
        title=f"Still right, but too sure of itself since step {since}",
        text="The validation loss rises because its few mistakes are made with more confidence; the answers stay as good. "
        f"{what}; only do not take its percentages at face value.",
        marks=(
            Mark(step=since, label="too sure from here"),
            Mark(step=scores[-1][0], label="as good as ever", curve=curves.f1_name),
        ),
        action="" if by_f1 else f"best_by_{curves.f1_name}",
        now="stop",
    )


PLUGIN = Rule("too_sure", 50, run)
