"""How long an import, a page of rows and the health report take, and how much memory: beside pandas and `datasets`.

    python -m benchmarks.data [--rows 10000 100000 1000000] [--only import page report] [--json results.json]

Makes CSV files of short labelled texts (every tenth with commas and quotation marks in it). Each figure comes from a process
of its own, which measures what it does after the libraries are loaded: wall seconds, processor seconds (user and system;
a busy machine does not change them much) and the peak of its resident memory, libraries included.
- `import`: ours copies the upload, reads it, gives every row an id, describes the columns and keeps the table; pandas does
  `read_csv` and `to_parquet`; datasets does `load_dataset("csv")` into a fresh cache and `to_parquet`.
- `page`: milliseconds for 50 rows of the kept table, the median of five different requests: pages, searches, labels, orders.
- `report`: the health report of that table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

WORDS = (
    "the room was clean and our staff very kind but my parcel came late again food cold hotel night morning driver price "
    "quick help delivered wrong order refund garden window breakfast station lovely noisy bright broken dull calm"
).split()
LABELS = ("good", "bad", "neither")
REPEATS = 5
SECONDS = 590


def make(path: Path, rows: int) -> None:
    draw = random.Random(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for n in range(rows):
            text = " ".join(draw.choices(WORDS, k=draw.randint(4, 16)))
            writer.writerow([text if n % 10 else f'{text}, "so" they say', draw.choice(LABELS)])


# -- what a process of its own does ------------------------------------------------------------------------------------


@contextmanager
def measured(into: dict[str, Any]) -> Iterator[None]:
    def processor() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    began, before = time.perf_counter(), processor()
    yield
    into["seconds"], into["processor"] = time.perf_counter() - began, processor() - before
    into["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << 20 if sys.platform == "darwin" else 1 << 10
    )


def by_us(path: Path) -> dict[str, Any]:
    from core.services import datasets, projects
    from core.store.migrate import migrate

    migrate()
    project = projects.create("benchmark", "classification", "")
    found: dict[str, Any] = {}
    with measured(found):
        with path.open("rb") as file:
            upload = datasets.keep_upload(project.id, path.name, file)
        roles = {"text": "text", "label": "label"}
        payload = {"files": [{"upload_id": upload.id}], "roles": roles, "task": "classification"}
        version = datasets.import_files(project.id, payload)
    return {**found, "version": version.id}


def by_pandas(path: Path) -> dict[str, Any]:
    import pandas
    import pyarrow.parquet

    found: dict[str, Any] = {"with": f"pandas {pandas.__version__}, pyarrow {pyarrow.__version__}"}
    with measured(found):
        pandas.read_csv(path).to_parquet(path.with_suffix(".pandas.parquet"))
    return found


def by_datasets(path: Path) -> dict[str, Any]:
    import datasets

    found: dict[str, Any] = {"with": f"datasets {datasets.__version__}"}
    with tempfile.TemporaryDirectory() as cache, measured(found):
        made = datasets.load_dataset("csv", data_files=str(path), cache_dir=cache, split="train")
        made.to_parquet(str(path.with_suffix(".datasets.parquet")))
    return found


def pages(version_id: str) -> dict[str, Any]:
    from core.services import datasets
    from core.store.rows import RowFilter

    version, text = datasets.get_version(version_id), ("text", "label")

    def ask(offset: int, **wanted: Any) -> None:
        chosen = RowFilter(columns=text, **wanted)
        count = datasets.count(version, chosen)
        datasets.page(version, min(offset, max(0, count - 50)), 50, None, chosen)

    far = version.rows * 7 // 10
    words = ["kind but my", "REFUND", "noisy bright", '"so" they', "garden window b"]
    requests: dict[str, Callable[[int], None]] = {
        "first page": lambda n: ask(50 * n),
        "page far behind": lambda n: ask(far + 50 * n),
        "search": lambda n: ask(0, search=words[n]),
        "search, next page": lambda n: ask(50 * n, search=words[4]),
        "label": lambda n: ask(500, equal=(("label", LABELS[n % 3]),), search=""),
        "label and search": lambda n: ask(0, equal=(("label", LABELS[n % 3]),), search=WORDS[n]),
        "longest first": lambda n: ask(0, order="longest", search=" " * n),
        "counts of labels": lambda n: datasets.values(version, "label") and None,
    }
    found: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    with measured(whole):
        for name, request in requests.items():
            times, processor = [], []
            for n in range(REPEATS):
                one: dict[str, Any] = {}
                with measured(one):
                    request(n)
                times.append(1000 * one["seconds"])
                processor.append(1000 * one["processor"])
            found[name] = {
                "ms": statistics.median(times),
                "worst": max(times),
                "processor_ms": statistics.median(processor),
            }
    return {"requests": found, "megabytes": whole["megabytes"]}


def report(version_id: str) -> dict[str, Any]:
    from core.services import datasets, health

    version = datasets.get_version(version_id)
    found: dict[str, Any] = {}
    with measured(found):
        made = health.check(version)
    slowest = sorted(made.timings.items(), key=lambda item: -item[1])[:5]
    return {**found, "slowest": dict(slowest)}


CHILDREN: dict[str, Callable[[Any], dict[str, Any]]] = {
    "ours": lambda value: by_us(Path(value)),
    "pandas": lambda value: by_pandas(Path(value)),
    "datasets": lambda value: by_datasets(Path(value)),
    "pages": pages,
    "report": report,
}


# -- the table ---------------------------------------------------------------------------------------------------------


def child(what: str, value: str, storage: Path) -> dict[str, Any]:
    environment = {**os.environ, "TUNEWELL_STORAGE": str(storage), "HF_HUB_OFFLINE": "1"}
    environment.pop("TUNEWELL_DATABASE_URL", None)
    command = [sys.executable, "-m", "benchmarks.data", "--child", what, value]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {SECONDS} seconds"}
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200] if done.stderr.strip() else str(done.returncode)}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def line(name: str, found: dict[str, Any]) -> str:
    if "failed" in found:
        return f"  {name:<22}{found['failed']}"
    return f"  {name:<22}{found['seconds']:>9.2f} s {found['processor']:>9.2f} s {found['megabytes']:>9.0f} MB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=["import", "page", "report"], default=["import", "page", "report"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(CHILDREN[given.child[0]](given.child[1])))
        return
    results: dict[str, Any] = {}
    for rows in given.rows:
        with tempfile.TemporaryDirectory(prefix="tunewell-benchmark-") as name:
            folder = Path(name)
            path = folder / "rows.csv"
            make(path, rows)
            print(
                f"{rows:,} rows, {path.stat().st_size / 1e6:,.1f} MB           wall  processor       peak", flush=True
            )
            found = results[str(rows)] = {"ours": child("ours", str(path), folder / "storage")}
            print(line("import: ours", found["ours"]), flush=True)
            if "import" in given.only:
                for other in ("pandas", "datasets"):
                    found[other] = child(other, str(path), folder / "storage")
                    print(line(f"import: {other}", found[other]), flush=True)
            version = found["ours"].get("version", "")
            if "page" in given.only and version:
                found["pages"] = child("pages", version, folder / "storage")
                for request, took in found["pages"].get("requests", {}).items():
                    numbers = f"{took['ms']:>8.0f} ms{took['processor_ms']:>9.0f} ms   worst {took['worst']:.0f} ms"
                    print(f"  {'rows: ' + request:<22} {numbers}", flush=True)
                print(f"  {'rows: peak':<22}{found['pages'].get('megabytes', 0):>32.0f} MB", flush=True)
            if "report" in given.only and version:
                found["report"] = child("report", version, folder / "storage")
                print(line("health report", found["report"]), flush=True)
    if given.json:
        given.json.write_text(json.dumps(results, indent=1), "utf-8")


if __name__ == "__main__":
    main()
