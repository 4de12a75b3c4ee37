"""The whole model in the 16-bit format that its base model came in: half the size, weights rounded."""

from core.schemas.exports import Exportable, ExportFormat

from ._sizes import of_weights

HALVES = ("bfloat16", "float16")


def dtype_of(model: Exportable) -> str:
    """The format of the base model's weights, as its description says."""
    return str(model.config.get("dtype") or model.config.get("torch_dtype") or "float32")


def _unfit(model: Exportable) -> str:
    own = dtype_of(model)
    return "" if own in HALVES else f"The base model came in {own}: the whole model above is in its own format already."


PLUGIN = ExportFormat(
    key="merged-16",
    order=20,
    title="Whole model, half the size",
    audience="For servers with little memory",
    help="The same folder in the 16-bit format that the base model came in. Weights are rounded, so answers can differ a little.",
    tolerance=0.05,
    why="Rounding to bfloat16 keeps 8 bits of each weight.",
    size=of_weights(2),
    unfit=_unfit,
)
