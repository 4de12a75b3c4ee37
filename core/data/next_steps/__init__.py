"""What to do next: rules that read an evaluation and name one action each, with the setting that prepares it.

One file a rule, found by itself. A rule says nothing where the evidence is too thin.
"""

from core.discovery import discover
from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

__all__ = ["Evidence", "Rule", "rank", "rules"]


def rules() -> dict[str, Rule]:
    """Every rule by its key."""
    return discover(__name__)


def rank(evidence: Evidence) -> tuple[NextStep, ...]:
    """What every rule says, the most gain first."""
    said = [step for rule in rules().values() for step in rule.run(evidence)]
    return tuple(sorted(said, key=lambda step: -step.gain))
