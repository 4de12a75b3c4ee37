"""The worst answers are about things that training does not cover: examples of that kind are missing."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

FAR, FEWEST = 0.25, 5
"""Cosine to the most similar training row below which a prompt is new ground, and how many are told (house defaults)."""


def run(evidence: Evidence) -> list[NextStep]:
    far = [n for n in evidence.near if n.similarity < FAR]
    if len(far) < FEWEST or len(far) < 0.2 * len(evidence.near):
        return []
    return [
        NextStep(
            rule="far_from_training",
            title=f"{len(far)} of {len(evidence.near)} failures resemble no training row",
            text="No training row is much like them, so the model had nothing to learn them from. Add examples like these.",
            button="Add examples",
            target="dataset",
            gain=0.6 * len(far),
            row_ids=tuple(n.row_id for n in far),
        )
    ]


PLUGIN = Rule("far_from_training", run)
