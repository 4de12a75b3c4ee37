"""Do our figures agree with scikit-learn, sacrebleu and rouge-score on the predictions that a person can export?

    python -m benchmarks.agreement RUN [RUN ...] [--split test]

Run by hand after `python -m core run benchmarks/jobs/NAME.yaml` (or `python -m core evaluation RUN --again`). For each round the
exported JSONL is read back and every figure is worked out anew by the other library, for every contender. Prints a table in
Markdown; the last column is the largest difference. The table of the last run is in `benchmarks/results/agreement.md`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from typing import Any

from core.schemas.families import FAMILIES
from core.services import evaluations, prediction_files, projects, runs

Row = dict[str, Any]


def of_labels(rows: Sequence[Row], name: str) -> dict[str, Callable[[], float]]:
    """Metric to the figure by scikit-learn. Probabilities are left out where a contender gives none for a right answer."""
    from sklearn import metrics

    right = [row["right"] for row in rows]
    said = [row[name]["answer"] for row in rows]
    found = {
        "accuracy": lambda: float(metrics.accuracy_score(right, said)),
        "macro_f1": lambda: float(
            metrics.f1_score(right, said, average="macro", labels=sorted(set(right)), zero_division=0)
        ),
    }
    labels = sorted(rows[0][name].get("probabilities") or {})
    if labels and set(right) <= set(labels):
        likely = [[row[name]["probabilities"][label] for label in labels] for row in rows]
        found["log_loss"] = lambda: float(metrics.log_loss(right, likely, labels=labels))
        if set(right) == set(labels):
            more = (
                {"y_score": [row[1] for row in likely]}
                if len(labels) == 2
                else {"y_score": likely, "multi_class": "ovr", "average": "macro", "labels": labels}
            )
            found["roc_auc"] = lambda: float(metrics.roc_auc_score(right, **more))
    return found


def of_texts(rows: Sequence[Row], name: str) -> dict[str, Callable[[], float]]:
    """Metric to the figure by sacrebleu or rouge-score, over the rows that were answered."""
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu import corpus_bleu, sentence_chrf

    both = [(row[name]["text"], row["right"]) for row in rows if row[name]["text"] is not None and row["right"].strip()]
    if not both:
        return {}
    scorer = RougeScorer(["rougeL"])
    return {
        "bleu": lambda: float(corpus_bleu([t for t, _ in both], [[r for _, r in both]]).score),
        "chrf": lambda: sum(sentence_chrf(t, [r]).score for t, r in both) / len(both),
        "rouge_l": lambda: 100 * sum(scorer.score(r, t)["rougeL"].fmeasure for t, r in both) / len(both),
    }


def lines(run_id: str, split: str) -> list[str]:
    kept = evaluations.of_run(run_id, split)[0]
    result = evaluations.result(kept)
    project = projects.get(kept.project_id)
    rows = [json.loads(line) for line in prediction_files.jsonl(kept)]
    again = of_labels if FAMILIES[result.family].reads else of_texts
    worst: dict[str, tuple[int, float, float]] = {}
    for name in result.contents:
        for key, figure in again(rows, name).items():
            ours = result.metric(key)
            if ours is None or name not in ours.values:
                continue
            gap = abs(ours.values[name].value - figure())
            contenders, most, _ = worst.get(key, (0, 0.0, 0.0))
            worst[key] = (contenders + 1, max(most, gap), ours.values["tuned"].value)
    return [
        f"| {project.name} | {len(rows):,} | {key} | {tuned:.4f} | {contenders} | {gap:.1e} |"
        for key, (contenders, gap, tuned) in worst.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--split", choices=("test", "validation"), default="test")
    options = parser.parse_args()
    print("| data | rows | figure | tuned model | contenders | largest difference |")
    print("|---|---|---|---|---|---|")
    for run_id in options.runs:
        print("\n".join(lines(runs.get(run_id).id, options.split)))


if __name__ == "__main__":
    main()
