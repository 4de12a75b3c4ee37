"""How quickly a file of 100,000 short texts goes through a classifier, and how much memory it takes: the whole job of the worker,
in a process of its own, with the starter model and rows of the ready-made sample.

    python -m benchmarks.batch_use [--rows 100000] [--storage FOLDER]

Prints one JSON object. `seconds` is the whole command with the start of worker and child; `rows_per_second` is the
predicting alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--storage", type=Path)
    options = parser.parse_args()
    os.environ["TUNEWELL_STORAGE"] = str(options.storage or tempfile.mkdtemp(prefix="batch-use-"))
    from core.cli._watch import wait_for
    from core.schemas.batch import BatchSpec
    from core.services import batch, datasets, samples
    from core.store.migrate import migrate

    migrate()
    project, run = samples.start("support")
    wait_for("train", lambda: str(run.job_id))
    version = datasets.get_version(run.dataset_version_id)
    texts = [str(text) for text in datasets.frame(version)[version.roles["text"]]]
    source = random.Random(0)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "text"])
    for n in range(options.rows):
        writer.writerow([f"{n:06d}", f"{source.choice(texts)} {n}"])
    began = time.monotonic()
    made = batch.add(run, "many.csv", io.BytesIO(out.getvalue().encode()))
    spec = batch.spec_of(made).model_copy(update={"columns": {"text": "text"}})
    wait_for("predict", lambda: batch.start(made, BatchSpec.model_validate(spec.model_dump())))
    seconds = time.monotonic() - began
    summary = batch.summary_of(batch.get(made.id))
    assert summary is not None and summary.predicted == options.rows
    print(
        json.dumps(
            {
                "rows": summary.rows,
                "seconds": round(seconds, 1),
                "predicting_seconds": summary.seconds,
                "rows_per_second": summary.rows_per_second,
                "peak_memory_mb": round(summary.peak_memory / 2**20),
                "file_mb": round(summary.bytes / 1e6, 1),
                "mean_characters": round(sum(map(len, texts)) / len(texts), 1),
                "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
                "project": project.id,
            }
        )
    )
    sys.stdout.flush()


if __name__ == "__main__":
    main()
