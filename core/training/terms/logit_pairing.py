"""Counterfactual logit pairing (Garg et al. 2019, arXiv 1809.10610): the model is to say the same of a row and of its twin.

Added to the loss is strength * mean |z(x) - z(x')| over rows with a twin and over classes, z being the logits. From the first
step at full strength it is easiest for a model to say the same of everything; so the strength rises over the first half.
"""

from __future__ import annotations

import torch

from core.schemas.examples import Example
from core.schemas.terms import TermSpec

from ._term import Known, Step, Term

RAMPED_OVER = 0.5  # share of the training in which the strength rises from 0


class LogitPairing(Term):
    needs_outputs = True
    needs_places = True

    def __init__(self, spec: TermSpec, known: Known) -> None:
        self.strength = float(spec.config.get("strength", 1.0))
        self.ramp = bool(spec.config.get("ramp", True))
        texts = [spec.twins.get(e.row_id, ()) for e in known.examples]
        flat = [Example(row_id="twin", text=text) for several in texts for text in several]
        encoded = iter(known.codec.encode_all(flat))
        self.twins = [[list(next(encoded).ids) for _ in several] for several in texts]

    def at(self, done: float) -> float:
        """The strength when this share of the training is over."""
        return self.strength * (min(1.0, done / RAMPED_OVER) if self.ramp else 1.0)

    def extra(self, step: Step) -> torch.Tensor | None:
        assert step.places is not None
        strength = self.at(step.done)
        places = step.places.tolist()
        paired = [i for i, place in enumerate(places) if self.twins[place]]
        if not strength or not paired:
            return None
        # Another twin in each epoch, the same after a resume.
        chosen = [self.twins[p][(step.epoch + p) % len(self.twins[p])] for p in (places[i] for i in paired)]
        others = step.model(**step.collate(chosen)).logits
        logits = step.outputs.logits[torch.tensor(paired, device=others.device)]
        return strength * step.share * (logits - others).float().abs().mean()


class Kind:
    key = "logit_pairing"
    families = ("classifier",)

    def make(self, spec: TermSpec, known: Known) -> Term:
        return LogitPairing(spec, known)


PLUGIN = Kind()
