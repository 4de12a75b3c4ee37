"""Counting words does as well: the base model brings little that this task needs."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule


def run(evidence: Evidence) -> list[NextStep]:
    if evidence.result.worth_it is not False or "tfidf" not in evidence.result.contents:
        return []
    return [
        NextStep(
            rule="simpler_way",
            title="Counting words does as well or better",
            text="A larger base model knows more of the language, which word counts cannot. Where that changes nothing, the "
            "simple way is enough for this task.",
            button="Choose another base model",
            target="model",
            gain=0.25 * max(evidence.wrong, 1),
        )
    ]


PLUGIN = Rule("simpler_way", run)
