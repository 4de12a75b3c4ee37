"""Does cleaning suspicious labels help? Accuracy against the true labels before and after, over several seeds, paired.

    python -m benchmarks.label_noise [--seeds 20] [--starter 3] [--data ../shared/data/nasty/known_label_noise_30.csv]

The file's `label` column has 30% flipped labels, `true_label` holds the truth. For each seed a quarter of the rows is held out
and scored against `true_label` only; the rest is learned from with `label`, once as it is and once after each way of cleaning:

- drop: the rows whose own label the queue's guesses contradict are dropped, `relabel`: they get the suggested label (nobody
  looks: a blind application of the suggestions), `person`: they get the true label, as a careful person in the queue would
  decide, and agreeing rows are kept;
- control: as many rows as `drop` drops, chosen at random, are dropped;
- truth: all labels are true (the ceiling).

The quick classifier is the product's TF-IDF baseline. With --starter N the model that ships is trained for the first N seeds by
`python -m core run`, on "as it is", "drop", "relabel" and "control". Differences are per seed; their interval is Student's t with
the variance corrected for overlapping training sets (Nadeau and Bengio 2003, https://doi.org/10.1023/A:1024068626366).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import t as student

from core.data import fixes
from core.data.baselines import word_counts
from core.data.self_confidence import guesses
from core.schemas.examples import Example

ROOT = Path(__file__).resolve().parents[1]
HELD_OUT = 0.25
ROLES = {"text": "text", "label": "label"}
Cleaning = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


def examples(table: pd.DataFrame, label: str = "label") -> list[Example]:
    rows = zip(table["row_id"], table["text"], table[label], strict=True)
    return [Example(row_id=row, text=text, label=value) for row, text, value in rows]


def suspicious(table: pd.DataFrame) -> dict[str, str]:
    """Row id to suggested label, for the rows whose own label is less likely than another."""
    rows = examples(table)
    found = guesses(rows, range(len(rows)))
    return {rows[i].row_id: g.suggested for i, g in found.items() if g.suggested != rows[i].label}


def cleaned(table: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """The training rows after each way of cleaning, made with the product's own fixes."""
    found = suspicious(table)
    truth = dict(zip(table["row_id"], table["true_label"], strict=True))
    chance = np.random.default_rng(seed).choice(table["row_id"].to_numpy(), len(found), replace=False)
    return {
        "as it is": table,
        "drop": fixes.apply("drop_rows", table, ROLES, {"rows": list(found)})[0],
        "relabel": fixes.apply("relabel", table, ROLES, {"labels": found})[0],
        "person": fixes.apply("relabel", table, ROLES, {"labels": {row: truth[row] for row in found}})[0],
        "control": fixes.apply("drop_rows", table, ROLES, {"rows": chance.tolist()})[0],
        "truth": table.assign(label=table["true_label"]),
    }


def halves(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows to learn from, rows held out)."""
    order = np.random.default_rng(1000 + seed).permutation(len(table))
    cut = round(len(table) * HELD_OUT)
    return table.iloc[np.sort(order[cut:])].reset_index(drop=True), table.iloc[np.sort(order[:cut])].reset_index(
        drop=True
    )


def quick(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """Accuracy of the TF-IDF baseline against the true labels."""
    predicted = word_counts(examples(train), examples(test, "true_label"), seed=seed)
    return float(np.mean([item.predicted == item.gold for item in predicted.items]))


def starter(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> float:
    """Accuracy of the model that ships, fine-tuned by `python -m core run` in a storage of its own."""
    with tempfile.TemporaryDirectory(prefix="tunewell-label-noise-") as name:
        folder = Path(name)
        train[["text", "label"]].to_csv(folder / "train.csv", index=False)
        test[["text", "true_label"]].rename(columns={"true_label": "label"}).to_csv(folder / "test.csv", index=False)
        job = {
            "task": "classification",
            "data": {"train": "train.csv", "test": "test.csv"},
            "columns": ROLES,
            "preparation": {"split": {"seed": seed}},
            "recipe": {"preset": "quick", "learning_rate": 0.001, "epochs": 4, "seed": seed},
            "steps": ["train", "evaluate"],
        }
        (folder / "job.yaml").write_text(json.dumps(job), "utf-8")  # JSON is YAML
        variables = {**os.environ, "TUNEWELL_STORAGE": str(folder / "storage")}
        variables.pop("TUNEWELL_DATABASE_URL", None)
        command = [sys.executable, "-m", "core", "run", str(folder / "job.yaml"), "--json"]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stderr[-2000:])
        return accuracy_of(json.loads(done.stdout))


def accuracy_of(report: Mapping[str, object]) -> float:
    """The tuned model's accuracy on the test rows, from the report of `python -m core run --json`."""
    evaluation = report["evaluation"]
    assert isinstance(evaluation, dict)
    return float(evaluation["metrics"]["accuracy"]["tuned"]["value"])


def interval(differences: list[float], overlap: float) -> tuple[float, float, float]:
    """(mean, low, high) of a paired difference, 95%; `overlap` is held-out over learned rows."""
    n = len(differences)
    mean = float(np.mean(differences))
    spread = float(np.sqrt(np.var(differences, ddof=1) * (1 / n + overlap))) if n > 1 else float("nan")
    reach = float(student.ppf(0.975, n - 1)) * spread if n > 1 else float("nan")
    return mean, mean - reach, mean + reach


def compare(name: str, scores: Mapping[str, list[float]]) -> None:
    print(f"\n{name}: accuracy against the true labels, {len(scores['as it is'])} seeds")
    overlap = HELD_OUT / (1 - HELD_OUT)
    for arm, values in scores.items():
        line = f"  {arm:10s} {100 * np.mean(values):5.1f}%  (seeds from {100 * min(values):.1f} to {100 * max(values):.1f})"
        for other in ("as it is", "control"):
            if arm != other and other in scores:
                mean, low, high = interval([a - b for a, b in zip(values, scores[other], strict=True)], overlap)
                line += f"   against {other}: {100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f}) points"
        print(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--starter", type=int, default=0, help="seeds for which the model that ships is trained")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data" / "nasty" / "known_label_noise_30.csv"
    )
    options = parser.parse_args()
    table = pd.read_csv(options.data, dtype=str)
    table.insert(0, "row_id", [f"r{i}" for i in range(len(table))])
    fast: dict[str, list[float]] = {}
    real: dict[str, list[float]] = {}
    flagged, right = [], []
    for seed in range(options.seeds):
        learned, held = halves(table, seed)
        arms = cleaned(learned, seed)
        wrong = set(learned.loc[learned["label"] != learned["true_label"], "row_id"])
        found = set(suspicious(learned))
        flagged.append(len(found & wrong) / len(wrong))
        right.append(len(found & wrong) / len(found))
        for arm, rows in arms.items():
            fast.setdefault(arm, []).append(quick(rows, held, seed))
        if seed < options.starter:
            for arm in ("as it is", "drop", "relabel", "control"):
                began = time.monotonic()
                real.setdefault(arm, []).append(starter(arms[arm], held, seed))
                print(
                    f"starter, seed {seed}, {arm}: {real[arm][-1]:.3f} in {time.monotonic() - began:.0f} s", flush=True
                )
    print(
        f"suspicious rows: {np.mean(flagged):.1%} of the wrong labels found, {np.mean(right):.1%} of those found are wrong"
    )
    compare("TF-IDF and logistic regression", fast)
    if real:
        compare("The model that ships, fine-tuned", real)


if __name__ == "__main__":
    main()
