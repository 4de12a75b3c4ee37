"""QLoRA: LoRA beside a base that is kept in 4 bits a weight (Dettmers et al. 2023, arXiv 2305.14314)."""

from core.schemas.methods import Method

PLUGIN = Method(
    key="qlora",
    order=50,
    title="QLoRA adapter",
    help="Like LoRA, with the base model squeezed to 4 bits a weight: a quarter of its memory, a little slower.",
    adapter=True,
    base_bits=4,
    needs_gpu=True,
    needs_module="bitsandbytes",
)
