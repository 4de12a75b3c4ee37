"""Make it hard to tell from what the model has understood of a text which group the text is about (adversarial debiasing).

Ganin et al. 2016, "Domain-adversarial training of neural networks" (JMLR 17); Zhang, Lemoine and Mitchell 2018 for fairness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from pydantic import Field

from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Given, Preview
from core.schemas.terms import TermSpec

from ._action import NO_FIT, Action, GroupConfig, groups_of

FEWEST = 10  # rows of a group from which a second head can learn to tell it (house default)


class Config(GroupConfig):
    strength: float = Field(
        1.0,
        title="Strength",
        description="How strongly the model works against the head that looks for the group. It rises during the training.",
        ge=0,
        le=100,
        json_schema_extra={"level": "basic"},
    )


class GradientReversal(Action):
    key = "gradient_reversal"
    title = "Hide the group from the model (adversarial)"
    help = (
        "A second, small head tries to tell the group from what the model has understood, and the model learns to make it fail. "
        "Two that learn against each other are not steady: the model may end by giving every text the same answer, which looks "
        "perfectly fair. Such a result is refused."
    )
    cost = "Hardly more time. Often needs several tries with other strengths."
    helps = "For experts, where logit pairing and swapped copies were not enough or texts cannot be swapped."
    expert = True
    order = 60
    unfit = {
        "causal-lm": "It needs a head that sorts texts into categories to work against, and this model writes text.",
        "seq2seq": NO_FIT,
        "multi-label": NO_FIT,
        "regression": NO_FIT,
    }
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        groups = self._groups(examples, config, given)
        counts = Counter(groups.values())
        return Preview(
            says=(f"The second head learns from {len(groups):,} of {len(examples):,} training rows.",),
            rows=tuple({"group": group, "rows": n} for group, n in counts.most_common()),
        )

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        groups = self._groups(examples, config, given)
        return Deed(
            summary=f"The model learns to hide {len(set(groups.values()))} groups, at strength {config.strength:g}.",
            term=TermSpec(key=self.key, config={"strength": config.strength}, groups=groups),
        )

    def _groups(self, examples: Sequence[Example], config: Config, given: Given) -> dict[str, str]:
        groups = groups_of(examples, config, given)
        counts = Counter(groups.values())
        kept = {row: group for row, group in groups.items() if counts[group] >= FEWEST}
        if len(set(kept.values())) < 2:
            raise UserError(
                "There are too few rows to tell groups apart.",
                f"A second head needs two groups or more with at least {FEWEST} training rows each.",
                "Choose other kinds of groups, or another corrective action.",
            )
        return kept


PLUGIN = GradientReversal()
