"""Test rows that stand in training too: the score may be memory."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

SHARE = 0.01


def run(evidence: Evidence) -> list[NextStep]:
    honest = evidence.result.honest
    if honest is None or honest.exact + honest.near <= SHARE * evidence.result.n:
        return []
    return [
        NextStep(
            rule="repeats",
            title=f"{honest.exact + honest.near:,} of {evidence.result.n:,} rows repeat a training row",
            text="Keep nearly equal texts together when the data is split, so that no part of the test can be known by heart. "
            "That is a new test set, whose scores are not compared with those before.",
            button="Go to the split",
            target="tokens",
            gain=0.5 * (honest.exact + honest.near),
        )
    ]


PLUGIN = Rule("repeats", run)
