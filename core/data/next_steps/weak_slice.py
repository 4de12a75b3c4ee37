"""A kind of text that fails far more often than the others: collect examples of that kind."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

TOLD = 2


def run(evidence: Evidence) -> list[NextStep]:
    return [
        NextStep(
            rule="weak_slice",
            title=f"It fails on {slice_.title}: {slice_.confirmed.value:.0%} wrong, {slice_.others.value:.0%} elsewhere",
            text=f"Found on one half of the rows and confirmed on the other ({slice_.confirmed.n:,} rows). Add training examples "
            "of this kind, or check their labels.",
            button="Add examples",
            target="dataset",
            gain=max(0.0, (slice_.confirmed.value - slice_.others.value) * (slice_.found.n + slice_.confirmed.n)),
            row_ids=slice_.row_ids,
        )
        for slice_ in list(evidence.slices)[:TOLD]
    ]


PLUGIN = Rule("weak_slice", run)
