"""A rare label that is seldom found: let its rows count more in the next round, and collect more of them."""

from core.schemas.analysis import NextStep

from ._evidence import Evidence, Rule

RARE = 0.5  # of the rows that a label has on average
TOLD = 3  # labels named


def run(evidence: Evidence) -> list[NextStep]:
    if not evidence.train_rows or evidence.balance != "none":
        return []
    usual = sum(evidence.train_rows.values()) / len(evidence.train_rows)
    missed = []
    overall = [row["recall"]["value"] for row in evidence.result.per_class if row["recall"]]
    middle = sorted(overall)[len(overall) // 2] if overall else 0.0
    for row in evidence.result.per_class:
        recall = row["recall"]
        if recall is None or evidence.train_rows.get(row["label"], 0) >= RARE * usual:
            continue
        lost = round(row["n"] * (1 - recall["value"]))
        if lost >= 2 and recall["value"] < middle and recall["high"] is not None and recall["low"] < 0.9:
            missed.append((lost, row["label"]))
    if not missed:
        return []
    missed.sort(reverse=True)
    names = ", ".join(f"“{label}” ({evidence.train_rows.get(label, 0)} training rows)" for _, label in missed[:TOLD])
    return [
        NextStep(
            rule="rare_label",
            title=f"Rare categories are missed: {names}",
            text="Let rows of rare categories count more in the loss, and collect more examples of them. Frequent categories "
            "may lose a little: the next evaluation will show it.",
            button="Weight rare categories in the next round",
            target="recipe",
            settings={"recipe": {"balance": "weights"}},
            gain=float(sum(lost for lost, _ in missed)) * 0.8,
        )
    ]


PLUGIN = Rule("rare_label", run)
