"""DoRA: LoRA that learns the size of each weight column apart from its direction (Liu et al. 2024, arXiv 2402.09353)."""

from core.schemas.methods import Method

PLUGIN = Method(
    key="dora",
    order=30,
    title="DoRA adapter",
    help="Like LoRA, and learns size and direction of the change apart: often a little better at a low rank, and slower.",
    adapter=True,
    adapter_options={"use_dora": True},
)
