"""How quickly a file of 100,000 short texts goes through a classifier, and how much memory it takes: the whole job of the worker,
in a process of its own, with the starter model and the beginnings of rows of the sample.

    python -m benchmarks.batch_use [--rows 100000] [--words 8] [--storage FOLDER]

Prints one JSON object. `seconds` is the whole command with the start of worker and child; `rows_per_second` is the predicting
alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--words", type=int, default=8, help="words of each row, from its beginning")
    parser.add_argument("--storage", type=Path, help="a storage folder; a finished round in it is used")
    options = parser.parse_args()
    os.environ["TUNEWELL_STORAGE"] = str(options.storage or tempfile.mkdtemp(prefix="batch-use-"))
    from core.cli._watch import wait_for
    from core.services import batch, datasets, projects, runs, samples
    from core.store.migrate import migrate

    migrate()
    if not any(runs.finished(project.id) for project in projects.all_projects()):
        wait_for("train", lambda: str(samples.start("support")[1].job_id))
    run = next(run for project in projects.all_projects() for run in runs.finished(project.id))
    version = datasets.get_version(run.dataset_version_id)
    words = [str(text).split() for text in datasets.frame(version)[version.roles["text"]]]
    texts = [" ".join(row[: options.words]) for row in words]
    source = random.Random(0)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "text"])
    writer.writerows([f"{n:06d}", f"{source.choice(texts)} {n}"] for n in range(options.rows))
    began = time.monotonic()
    made = batch.add(run, "many.csv", io.BytesIO(out.getvalue().encode()))
    spec = batch.spec_of(made).model_copy(update={"columns": {"text": "text"}})
    wait_for("predict", lambda: batch.start(made, spec))
    summary = batch.summary_of(batch.get(made.id))
    assert summary is not None and summary.predicted == options.rows
    said = {
        "rows": summary.rows,
        "seconds": round(time.monotonic() - began, 1),
        "predicting_seconds": summary.seconds,
        "rows_per_second": summary.rows_per_second,
        "peak_memory_mb": round(summary.peak_memory / 2**20),
        "file_mb": round(summary.bytes / 1e6, 1),
        "mean_characters": round(sum(map(len, texts)) / len(texts), 1),
        "threads": os.environ.get("TUNEWELL_THREADS"),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
