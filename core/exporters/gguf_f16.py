"""GGUF with 16-bit weights: for llama.cpp, Ollama and LM Studio."""

from core.schemas.exports import ExportFormat

from . import _gguf
from ._sizes import of_weights

PLUGIN = ExportFormat(
    key="gguf-f16",
    order=30,
    title="GGUF, 16 bits",
    audience="For LM Studio, Ollama and llama.cpp on a laptop",
    help="One file with weights, tokenizer, chat template and stop tokens, and a Modelfile for Ollama. Nearly exact.",
    tolerance=0.01,
    why="Rounding to float16 keeps 11 bits of each weight.",
    size=of_weights(2),
    families=_gguf.FAMILIES,
    needs=_gguf.NEEDS,
    unfit=_gguf.fits,
)
