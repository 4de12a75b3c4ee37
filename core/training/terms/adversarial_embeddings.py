"""FGM: train also on what the model reads, moved a little in the direction that hurts it most.

Goodfellow et al. 2015 (arXiv 1412.6572) for the mix of both losses, Miyato et al. 2017 (arXiv 1605.07725) for moving embeddings
by r = eps * g / |g|, g being the gradient of a row's loss at its embedded tokens. The shift is added by a hook on the embedding's
**output**: no weight is touched, so that nothing has to be put back, and it works with an adapter, with gradient
accumulation and where embeddings are frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from core.schemas.terms import TermSpec

from ._term import Known, Step, Term


class AdversarialEmbeddings(Term):
    def __init__(self, spec: TermSpec, known: Known) -> None:
        self.size = float(spec.config.get("size", 0.1))
        self.mix = float(spec.config.get("mix", 0.5))
        self.seen: torch.Tensor | None = None
        self.shift: torch.Tensor | None = None

    @contextmanager
    def watching(self, model: Any) -> Iterator[None]:
        if not self.mix:
            yield
            return
        handle = model.get_input_embeddings().register_forward_hook(self._embedded)
        try:
            yield
        finally:
            handle.remove()
            self.seen = self.shift = None

    def _embedded(self, module: Any, inputs: Any, output: torch.Tensor) -> torch.Tensor:
        if self.shift is not None:
            return output + self.shift
        if self.seen is not None:  # another term reads other texts
            return output
        if not output.requires_grad:  # a frozen table below an adapter
            output = output.detach().requires_grad_()
        self.seen = output
        return output

    def extra(self, step: Step) -> torch.Tensor | None:
        if not self.mix:
            return None
        assert self.seen is not None
        (gradient,) = torch.autograd.grad(step.loss, self.seen, retain_graph=True)
        self.shift = self.shifted(gradient, step.model.get_input_embeddings().weight)
        hurt = step.again()
        self.shift = None
        return self.mix * (hurt - step.loss)

    def shifted(self, gradient: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        """r of the shape of `gradient` (rows, tokens, width); eps is `size` times the mean norm of the table's rows."""
        with torch.no_grad():
            length = self.size * table.float().norm(dim=-1).mean()
            norm = gradient.float().flatten(1).norm(dim=1).clamp(min=1e-12)[:, None, None]
            return (length * gradient.float() / norm).to(gradient.dtype)


class Kind:
    key = "adversarial_embeddings"
    families = ("classifier", "causal-lm")

    def make(self, spec: TermSpec, known: Known) -> Term:
        return AdversarialEmbeddings(spec, known)


PLUGIN = Kind()
