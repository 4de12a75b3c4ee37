"""Families of models: what kind of head a task trains, which base models it can start from, and what training measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Family = Literal["classifier", "multi-label", "regression", "causal-lm", "seq2seq"]


@dataclass(frozen=True)
class FamilyFacts:
    """`reads`: it judges a text with a head of its own and writes none. `labels`: it has named labels. `pairs`: an
    encoder-decoder that reads one text and writes another. `packs`: several short examples may share a sequence.

    `figures` are measured on validation beside the loss (keys of `core/metrics`), `best` is the preset's choice for the
    best checkpoint, `hopes` are metrics that a person can set a hope for. `pipeline` is what transformers and the hub
    call it.
    """

    reads: bool
    figures: tuple[str, ...]
    best: str
    hopes: tuple[str, ...]
    pipeline: str
    labels: bool = False
    pairs: bool = False
    packs: bool = False


MOST_ASKED = 30
"""Labels that a base model is asked about one by one; beyond it the comparison with the base model is left out."""

FAMILIES: dict[str, FamilyFacts] = {
    "classifier": FamilyFacts(
        reads=True,
        labels=True,
        figures=("accuracy", "macro_f1"),
        best="macro_f1",
        hopes=("accuracy", "macro_f1"),
        pipeline="text-classification",
    ),
    "multi-label": FamilyFacts(
        reads=True,
        labels=True,
        figures=("micro_f1", "macro_f1"),
        best="micro_f1",
        hopes=("micro_f1", "macro_f1", "subset_accuracy"),
        pipeline="text-classification",
    ),
    "regression": FamilyFacts(
        reads=True, figures=("mae",), best="eval_loss", hopes=("mae", "r2"), pipeline="text-classification"
    ),
    "causal-lm": FamilyFacts(
        reads=False,
        packs=True,
        figures=("token_accuracy",),
        best="eval_loss",
        hopes=("token_accuracy", "chrf"),
        pipeline="text-generation",
    ),
    "seq2seq": FamilyFacts(
        reads=False,
        pairs=True,
        figures=("token_accuracy",),
        best="eval_loss",
        hopes=("chrf", "rouge_l", "exact_match"),
        pipeline="text2text-generation",
    ),
}


def unfit(family: str, *, writes: bool, pairs: bool) -> str:
    """Why a base model cannot be trained for this family, in one sentence; empty where it can.

    `writes` says that the model can write text (a decoder), `pairs` that it is an encoder-decoder.
    """
    wanted = FAMILIES[family]
    if wanted.pairs and not pairs:
        return "This task needs an encoder-decoder model (such as T5 or BART), and this is another kind."
    if pairs and not wanted.pairs:
        return "This is an encoder-decoder model (such as T5 or BART): it fits only the task that turns one text into another."
    if family == "causal-lm" and not writes:
        return "It can sort texts, but it cannot write them."
    return ""
