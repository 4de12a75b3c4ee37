"""Full fine-tuning: every weight learns."""

from core.schemas.methods import Method

PLUGIN = Method(
    key="full",
    order=20,
    title="Full fine-tuning",
    help="Trains every weight: the strongest change, and the most memory.",
    adapter=False,
    flops=6,
)
