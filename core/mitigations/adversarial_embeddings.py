"""FGM: train also on inputs that are moved a little in the worst direction. Robustness, which is not fairness.

Goodfellow et al. 2015 (arXiv 1412.6572), Miyato et al. 2017 (arXiv 1605.07725). In a trial on a planted bias it left the gap
as it was or destroyed the model, so it claims nothing: what it does to the gap is measured like for any other action.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pydantic import Field

from core.schemas.base import Schema
from core.schemas.examples import Example
from core.schemas.mitigations import Deed, Given
from core.schemas.terms import TermSpec

from ._action import NOT_FAIRNESS, Robustness


class Config(Schema):
    size: float = Field(
        0.1,
        title="Size of the shift",
        description="How far the input is moved, as a share of the mean length of the model's word vectors. 0.1 is usual.",
        gt=0,
        le=5,
        json_schema_extra={"level": "basic"},
    )
    mix: float = Field(
        0.5,
        title="Weight of the shifted input",
        description="Which share of the loss comes from the shifted input; the rest from the text as it is.",
        ge=0,
        le=1,
        json_schema_extra={"level": "advanced"},
    )


class AdversarialEmbeddings(Robustness):
    key = "adversarial_embeddings"
    title = "Train against worst-case noise (FGM)"
    help = (
        f"Each step also trains on the text moved a little in the direction that hurts the model most. {NOT_FAIRNESS}"
    )
    cost = "About two and a half times the training time."
    helps = "Spelling mistakes and small changes of wording throw the model off."
    time = 2.5
    expert = True
    order = 80
    config = Config

    def act(
        self, examples: Sequence[Example], config: Config, given: Given, struck: Collection[str] = frozenset()
    ) -> Deed:
        return Deed(
            summary=f"The training also reads every text moved by {config.size:g} of a word vector's length.",
            term=TermSpec(key=self.key, config=config.model_dump(mode="json")),
        )


PLUGIN = AdversarialEmbeddings()
