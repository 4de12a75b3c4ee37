"""NEFTune: a little random noise on what the model reads while it learns. Robustness, which is not fairness.

Jain et al. 2024, "NEFTune: noisy embeddings improve instruction finetuning" (arXiv 2310.05914).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field

from core.schemas.base import Schema
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Given, Preview

from ._action import NO_FIT, Action
from .adversarial_embeddings import NOT_FAIRNESS


class Config(Schema):
    alpha: float = Field(
        5.0,
        title="Noise",
        description="How much noise (the paper's alpha). 5 is usual.",
        gt=0,
        le=50,
        json_schema_extra={"level": "basic"},
    )


class Neftune(Action):
    key = "neftune"
    title = "Train with a little noise (NEFTune)"
    help = f"While it learns, the model reads every text with a little random noise, against memorising. {NOT_FAIRNESS}"
    cost = "No more time than before."
    helps = "The model memorises the training rows."
    claim = "robustness"
    order = 90
    families = ("classifier", "causal-lm")
    unfit = {"seq2seq": NO_FIT, "multi-label": NO_FIT, "regression": NO_FIT}
    config = Config

    def look(self, examples: Sequence[Example], config: Config, given: Given) -> Preview:
        return Preview(says=(f"All {len(examples):,} training rows are used as they are. {NOT_FAIRNESS}",))

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        return Deed(summary=f"The training adds noise of {config.alpha:g}.", recipe={"neftune_alpha": config.alpha})


PLUGIN = Neftune()
