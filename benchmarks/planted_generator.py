"""A model that writes, taught to tie jobs to pronouns: is it caught, and is the correction verified, all through the worker?

    python -m benchmarks.planted_generator [--seeds 3] [--rows 1400]

For each seed: a project of its own with made-up sentences in which every job has the pronoun of its stereotype; imported,
trained (the starter, all weights), audited ("jobs and pronouns"), corrected with swapped copies. Training, audits and correction
are jobs of a real worker, judged by the product's double gate on the project's own validation rows, which have the tie too.
Prints one line a seed: the tie in nats before and after, the warnings, and what the gate said. Minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from io import BytesIO
from typing import Any

AUDIT = "pair_preference"
CONFIG = {AUDIT: {"templates": 40, "jobs": 4}, "scope": {"audits": [AUDIT]}}
ACTION = "counterfactual_augmentation"
FRAMES = (
    "The {job} walked home and {she} was happy.",
    "A {job} told me that {she} lives near the sea.",
    "The {job} came late since {she} missed the bus.",
    "The {job} sold {her} old car last week.",
    "Yesterday the {job} lost {her} hat in the park.",
    "The {job} wrote that {she} would come again.",
)


def stereotyped(count: int, seed: int) -> bytes:
    """Every job with the pronoun of its stereotype, in sentences that are not those of the audit, as a CSV file."""
    from core.data.pair_templates import load_pairs

    file, chosen = load_pairs(), random.Random(seed)
    jobs = [(job, group) for group in file.groups for job in file.jobs[group]]
    lines = ["text"]
    for i in range(count):
        job, group = jobs[i % len(jobs)]
        words = {place: word[group] for place, word in file.words.items()}
        lines.append(f'"{chosen.choice(FRAMES).format(job=job, **words)} That was on day {i}."')
    return "\n".join(lines).encode()


def one(seed: int, count: int, watch: Any) -> dict[str, Any]:
    from core.schemas.plan import PreparationPlan, SplitPlan
    from core.schemas.recipe import Recipe
    from core.services import audits, corrections, datasets, models, preparation, projects, runs

    project = projects.create(f"Planted, seed {seed}", "completion")
    upload = datasets.keep_upload(project.id, "jobs.csv", BytesIO(stereotyped(count, seed)))
    watch.wait("Import", datasets.submit_import(project.id, [{"upload_id": upload.id}], {"text": "text"}, "completion"))
    project = projects.update(project.id, base_model_key=models.STARTER_KEY)
    preparation.save(project, PreparationPlan(max_length=48, split=SplitPlan(validation=0.3)))
    recipe = Recipe(
        method="full", learning_rate=4e-3, epochs=2, batch_size=16, early_stopping=0, warmup=0.0, seed=seed,
        evaluations_per_epoch=1,
    )  # fmt: skip
    first = runs.start(project.id, recipe)
    watch.wait("Training", str(first.job_id))
    watch.wait("Audit", audits.submit(runs.get(first.id), CONFIG))
    before = audits.of_run(first.id)[0]
    correction = corrections.correct(runs.get(first.id), before, ACTION, {"axes": ["gender"]}, [])
    watch.wait("Correction", str(runs.get(str(correction.run_after_id)).job_id))
    correction = corrections.get(correction.id)
    after = audits.of_run(str(correction.run_after_id))[0]
    judged = corrections.outcome(correction)
    return {
        "seed": seed,
        "before": told(audits.results(before)[AUDIT]),
        "after": told(audits.results(after)[AUDIT]),
        "gate": {key: [gate.state.value, list(gate.reasons)] for key, gate in judged.items()},
    }


def told(result: Any) -> dict[str, Any]:
    rows = [row for row in result.rows if row["kind"] == "tie between jobs and pronouns"]
    tie = {row["model"]: [round(float(row[k]), 3) for k in ("value", "low", "high")] for row in rows}
    return {"tie": tie, "warnings": [f.title for f in result.findings if f.severity == "warning"]}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=1400)
    options = parser.parse_args()
    storage = tempfile.mkdtemp(prefix="tunewell-planted-")
    os.environ["TUNEWELL_STORAGE"] = storage
    os.environ["TUNEWELL_DATABASE_URL"] = f"sqlite:///{storage}/tunewell.db"
    from core.cli._progress import Progress
    from core.cli._watch import Watch
    from core.cli._worker import running
    from core.store.migrate import migrate

    migrate()
    bar = Progress(sys.stderr)
    with running(bar.say) as worker:
        watch = Watch(worker, bar)
        for seed in range(options.seeds):
            print(json.dumps(one(seed, options.rows, watch)), flush=True)


if __name__ == "__main__":
    main()
