"""Test rows whose own label is probably wrong: they make the score lower than the model deserves."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule


def run(evidence: Evidence) -> list[NextStep]:
    found = evidence.suspects
    if not found:
        return []
    many = len(found) != 1
    return [
        NextStep(
            rule="label_errors",
            title=f"{len(found)} test row{'s' * many} may carry a wrong label",
            text="Judge them one by one. What you decide about rows of the locked test set is noted and listed, never applied: "
            "else scores before and after could not be compared.",
            button="Judge these labels",
            target="dataset",
            settings={
                "suspects": [
                    {
                        "row_id": s.row_id,
                        "confidence": s.confidence,
                        "suggested": s.suggested,
                        "suggested_confidence": s.probability,
                    }
                    for s in found
                ],
                "title": "Labels of the test set that may be wrong",
            },
            gain=0.5 * len(found),
            row_ids=tuple(s.row_id for s in found),
        )
    ]


PLUGIN = Rule("label_errors", run)
