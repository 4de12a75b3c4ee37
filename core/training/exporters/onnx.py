"""ONNX through torch's own exporter, with any number of texts of any length."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from core.schemas.errors import UserError

from ._writer import Given, Writer

FILE = "model.onnx"
ONE_FILE = 1_800_000_000  # bytes; protobuf ends at 2 GiB, larger weights lie in a file beside it
NAMES = ("input_ids", "attention_mask")


class _Figures(torch.nn.Module):
    """Ids and mask of shape (texts, tokens) to the head's figures of shape (texts, outputs)."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        figures: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return figures


def _write(given: Given, folder: Path) -> None:
    model = given.merged().float()
    model.config.use_cache = False
    ids = torch.full((2, 7), 3)
    free = {name: {0: "texts", 1: "tokens"} for name in NAMES}
    try:
        program = torch.onnx.export(
            _Figures(model).eval(),
            (ids, torch.ones_like(ids)),
            dynamo=True,
            verbose=False,
            dynamic_shapes=free,
            input_names=list(NAMES),
            output_names=["logits"],
        )
    except (torch.onnx.errors.OnnxExporterError, torch._dynamo.exc.TorchDynamoException) as error:
        raise UserError(
            "This model cannot be written as ONNX.",
            f"Its architecture ({model.config.model_type}) does something that the exporter cannot translate.",
            "Export the whole model instead.",
        ) from error
    assert program is not None
    given.obey()
    size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
    program.save(str(folder / FILE), external_data=size > ONE_FILE)


PLUGIN = Writer("onnx", _write, readers=("onnx",))
