"""NEFTune: a little random noise on what the model reads while it learns. Robustness, which is not fairness.

Jain et al. 2024, "NEFTune: noisy embeddings improve instruction finetuning" (arXiv 2310.05914).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field

from core.schemas.base import Schema
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Given

from ._action import NOT_FAIRNESS, Robustness


class Config(Schema):
    alpha: float = Field(
        5.0,
        title="Noise",
        description="How much noise (the paper's alpha). 5 is usual.",
        gt=0,
        le=50,
        json_schema_extra={"level": "basic"},
    )


class Neftune(Robustness):
    key = "neftune"
    title = "Train with a little noise (NEFTune)"
    help = f"While it learns, the model reads every text with a little random noise, against memorising. {NOT_FAIRNESS}"
    cost = "No more time than before."
    helps = "The model memorises the training rows."
    order = 90
    config = Config

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        return Deed(summary=f"The training adds noise of {config.alpha:g}.", recipe={"neftune_alpha": config.alpha})


PLUGIN = Neftune()
