"""Errors whose nearest training row says the same wrong thing: perhaps that training row carries the wrong label."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

ALIKE, FEWEST = 0.5, 3
"""Cosine from which two texts are alike enough for this, and errors from which it is told (house defaults)."""


def run(evidence: Evidence) -> list[NextStep]:
    taught = [n for n in evidence.near if n.similarity >= ALIKE and n.label == n.said != n.gold]
    rows = tuple(dict.fromkeys(n.train_id for n in taught))
    if len(taught) < FEWEST:
        return []
    return [
        NextStep(
            rule="wrong_teachers",
            title=f"{len(taught)} errors repeat what a very similar training row says",
            text="Either that training row carries the wrong label, or the two categories overlap. Go through these training "
            "rows; every decision can be undone.",
            button=f"Go through {len(rows)} training row{'s' * (len(rows) != 1)}",
            target="dataset",
            settings={"queue": list(rows), "title": "Training rows behind errors"},
            gain=0.7 * len(taught),
            row_ids=tuple(n.row_id for n in taught),
        )
    ]


PLUGIN = Rule("wrong_teachers", run)
