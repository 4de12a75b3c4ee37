"""LoRA: a small adapter of low rank beside frozen weights (Hu et al. 2021, arXiv 2106.09685)."""

from core.schemas.methods import Method

PLUGIN = Method(
    key="lora",
    order=10,
    title="LoRA adapter",
    help="Trains a small adapter beside frozen weights: light and hard to break.",
    adapter=True,
)
