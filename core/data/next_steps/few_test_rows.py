"""Too few test rows: a verdict that cannot be given, or labels that cannot be judged."""

from core.schemas.analysis import NextStep
from core.schemas.estimates import Verdict

from ._evidence import Evidence, Rule

TOLD = 4


def run(evidence: Evidence) -> list[NextStep]:
    result = evidence.result
    if result.split != "test":
        return []
    undecided = result.verdict in (Verdict.NO_EVIDENCE, Verdict.NOT_ENOUGH_DATA)
    few = sorted((row["n"], row["label"]) for row in result.per_class if row["few"] and row["n"])
    if undecided and evidence.rows_to_decide:
        title = f"About {evidence.rows_to_decide:,} more test rows would settle the verdict"
        gain = 0.6 * max(evidence.wrong, 0.1 * result.n)
    elif len(few) and len(few) < len(result.per_class):
        names = ", ".join(f"“{label}” ({n})" for n, label in few[:TOLD]) + (" and others" if len(few) > TOLD else "")
        title, gain = f"Too few test rows to judge {names}", 0.2 * max(evidence.wrong, 1)
    elif len(few):
        title, gain = "Every category has too few test rows to be judged by itself", 0.2 * max(evidence.wrong, 1)
    else:
        return []
    return [
        NextStep(
            rule="few_test_rows",
            title=title,
            text="Add examples with their right answers; a part of them becomes test rows. Scores on a changed test set are "
            "not compared with those before.",
            button="Add examples",
            target="dataset",
            gain=gain,
        )
    ]


PLUGIN = Rule("few_test_rows", run)
