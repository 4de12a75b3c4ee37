"""A model that is surer than it should be: its percentages mislead, although its answers may be right."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

WORTH_IT = 0.03
"""A calibration error that is worth an action, where chance is ruled out (house default)."""


def run(evidence: Evidence) -> list[NextStep]:
    found = evidence.calibration
    if found is None or found.error_before is None or (found.error_before.low or 0.0) < WORTH_IT:
        return []
    if not found.fitted_on or found.temperature <= 1.1:
        return []
    after = ""
    if found.error_after:
        after = f" With a temperature of {found.temperature:.2f} it would be {found.error_after.value:.0%}."
    return [
        NextStep(
            rule="too_sure",
            title=f"Too sure of itself: its percentages are off by {found.error_before.value:.0%} on average",
            text=f"Do not take its percentages at face value.{after} In the next round, label smoothing keeps it from being "
            "too sure; the answers themselves hardly change.",
            button="Next round with label smoothing",
            target="recipe",
            settings={"recipe": {"label_smoothing": 0.1}},
            gain=0.15 * max(evidence.wrong, 1),
        )
    ]


PLUGIN = Rule("too_sure", run)
