"""rsLoRA: LoRA scaled by alpha over the root of the rank, so that high ranks learn too (Kalajdzievski 2023, 2312.03732)."""

from core.schemas.methods import Method

PLUGIN = Method(
    key="rslora",
    order=40,
    title="rsLoRA adapter",
    help="Like LoRA, for high ranks (64 and more): the strength does not fade as the rank grows.",
    adapter=True,
    adapter_options={"use_rslora": True},
)
