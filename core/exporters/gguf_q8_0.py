"""GGUF with weights in 8 bits: half of the 16-bit file, for small machines."""

from core.schemas.exports import ExportFormat

from . import _gguf
from ._sizes import of_weights

PLUGIN = ExportFormat(
    key="gguf-q8_0",
    order=40,
    title="GGUF, 8 bits",
    audience="For LM Studio, Ollama and llama.cpp on a small laptop",
    help="The same in half the size and quicker to answer. Weights are rounded more coarsely, so answers can differ a little.",
    tolerance=0.10,
    why="Blocks of 32 weights share a scale and keep 8 bits each.",
    size=of_weights(34 / 32),
    families=_gguf.FAMILIES,
    needs=_gguf.NEEDS,
    unfit=_gguf.fits,
)
