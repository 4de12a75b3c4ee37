"""Validation loss up while macro-F1 is as good as at its best: still right, but too sure of itself (Guo et al. 2017)."""

from ._curves import Advice, Curves, Rule, learned
from .overfitting import memorising_since

FLAT = 0.01  # macro-F1 points that count as nothing


def run(curves: Curves) -> Advice | None:
    since = memorising_since(curves)
    scores = learned(curves.macro_f1)
    if since is None or len(scores) < 4 or scores[-1][1] < max(v for _, v in scores) - FLAT:
        return None
    return Advice(
        kind="too_sure",
        severity="info",
        step=since,
        title=f"Still right, but too sure of itself since step {since}",
        text="The validation loss rises because its few mistakes are made with more confidence; the answers stay as good. "
        "Choose the best checkpoint by macro-F1, and do not take its percentages at face value.",
        action="best_by_f1",
        now="stop",
    )


PLUGIN = Rule("too_sure", 50, run)
