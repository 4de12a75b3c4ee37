"""The adapter alone: what was learned, for whoever has the base model."""

from core.schemas.exports import Exportable, ExportFormat

from ._sizes import tokenizer


def _unfit(model: Exportable) -> str:
    return "" if model.adapter else "This round trained all weights of the model, so there is no adapter."


PLUGIN = ExportFormat(
    key="adapter",
    order=60,
    title="Adapter only",
    audience="For whoever has the base model already",
    help="Only what was learned, as a small folder for the peft library. The base model is needed beside it.",
    tolerance=1e-3,
    why="The same numbers in the same precision; only the order of sums may differ.",
    size=lambda model: model.learned + tokenizer(model),
    unfit=_unfit,
)
