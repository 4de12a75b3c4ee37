"""The whole model as it was tested: safetensors in 32 bits."""

from core.schemas.exports import ExportFormat

from ._sizes import of_weights

PLUGIN = ExportFormat(
    key="merged",
    order=10,
    title="Whole model",
    audience="For Python programs, the hub and most servers",
    help="A folder that `from_pretrained` of transformers loads, with every weight exactly as it was tested (32 bits).",
    tolerance=1e-3,
    why="The same numbers in the same precision; only the order of sums may differ.",
    size=of_weights(4),
)
