"""The coach: rules that read the curves of a run and say in words what they mean. One file a rule, found by itself.

Thresholds marked as house defaults stand in EVALUATION-AND-BIAS, "Coach: rules on the curves"; each file names its own.
"""

from core.discovery import discover

from ._curves import Advice, Curves, Mark, Points, Rule

__all__ = ["Advice", "Curves", "Mark", "Points", "Rule", "read", "rules"]


def rules() -> dict[str, Rule]:
    """Every rule by its key, in the order in which their advice is shown."""
    return discover(__name__)


def read(curves: Curves) -> list[Advice]:
    """What every rule says of the curves. A rule that another one explains better stays silent (`silenced_by`)."""
    said = {key: advice for key, rule in rules().items() if (advice := rule.run(curves)) is not None}
    return [advice for key, advice in said.items() if not said.keys() & rules()[key].silenced_by]
