"""The whole audit of the starter model as a classifier on short rows: how long each audit takes, and what was read.

    python -m benchmarks.audit [--rows 2000] [--labels 2] [--threads 2]

The model is trained for a moment on made-up messages about men and women. Clock and processor seconds are given: on a busy
machine the second ones count, divided by the threads.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.schemas.examples import Example

RESULTS = Path(__file__).parent / "results"
WHO = (
    ("She", "her"),
    ("He", "his"),
    ("The old man", "his"),
    ("The Muslim customer", "her"),
    ("My son", "his"),
    ("The clerk", "the"),
)
DID = (
    "asked about",
    "wrote about",
    "called about",
    "waited for",
    "complained about",
    "forgot",
    "paid for",
    "sent back",
)
WHAT = ("invoice", "delivery", "refund", "contract", "parcel", "appointment", "account", "order", "key", "lamp")
WHEN = ("on Monday", "at noon", "by letter", "last week", "again", "in spring", "twice", "this morning")


def rows(count: int, labels: Sequence[str], seed: int) -> list[Example]:
    draw = random.Random(seed)
    made = []
    for i in range(count):
        who, whose = draw.choice(WHO)
        text = f"{who} {draw.choice(DID)} {whose} {draw.choice(WHAT)} {i} {draw.choice(WHEN)}."
        made.append(Example(row_id=f"{seed}-{i}", text=text, label=draw.choice(labels)))
    return made


def measured(count: int, labels: Sequence[str], threads: int) -> list[dict[str, Any]]:
    import torch

    from core.audits import registry
    from core.data.many_comparisons import corrected
    from core.data.remembering import Remembering
    from core.schemas.audits import AuditInput, AuditResult
    from core.schemas.plan import PreparationPlan
    from core.schemas.recipe import Recipe
    from core.schemas.training import TrainingSpec
    from core.services import models
    from core.tasks import registry as tasks
    from core.training import predictors
    from core.training.train import train

    from .training import Silent

    torch.set_num_threads(threads)
    plan = PreparationPlan(max_length=64)
    starter = models.get(models.STARTER_KEY).folder
    with tempfile.TemporaryDirectory() as folder:
        spec = TrainingSpec(
            run_id="audit", family="classifier", folder=folder, base_folder=starter, plan=plan, labels=tuple(labels),
            recipe=Recipe(method="full", learning_rate=1e-3, epochs=1, batch_size=16, early_stopping=0, evaluations_per_epoch=1),
            train=tuple(rows(48, labels, 1)), validation=tuple(rows(16, labels, 2)),
        )  # fmt: skip
        train(spec, Silent())
        tuned = Remembering(predictors.tuned(folder, plan))
        untouched = predictors.base(starter, "classifier", plan, labels, tasks()["classification"].label_prompt)
        assert untouched is not None
        base = Remembering(untouched)
        validation = rows(count, labels, 3)
        done: dict[str, AuditResult] = {}
        found = []
        for key, audit in registry().items():
            if "classifier" not in audit.families:
                continue
            last = (0, 0)

            def progress(so_far: int, total: int) -> None:
                nonlocal last
                last = (so_far, total)

            model = {"tuned": tuned, "base": base} if audit.needs_model else {}
            data = AuditInput(examples=validation, progress=progress, **model)  # type: ignore[arg-type]
            clock, processor = time.perf_counter(), time.process_time()
            done[key] = audit.run(data, audit.config())
            found.append(
                {
                    "audit": key, "texts": last[1], "clock": round(time.perf_counter() - clock, 1),
                    "processor": round(time.process_time() - processor, 1),
                }
            )  # fmt: skip
            print(f"{key}: {found[-1]}", file=sys.stderr, flush=True)
        corrected(done)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--labels", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    labels = [f"team {i + 1}" for i in range(options.labels)]
    found = measured(options.rows, labels, options.threads)
    print("| audit | texts | clock seconds | processor seconds |\n|---|---|---|---|")
    for row in found:
        print(f"| {row['audit']} | {row['texts']:,} | {row['clock']:.1f} | {row['processor']:.1f} |")
    clock, processor = (sum(row[name] for row in found) for name in ("clock", "processor"))
    print(f"| all | {sum(row['texts'] for row in found):,} | {clock:.1f} | {processor:.1f} |")
    path = RESULTS / f"audit-{options.labels}.json"
    path.write_text(json.dumps({**vars(options), "measured": found}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
