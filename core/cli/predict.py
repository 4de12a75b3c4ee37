"""`python -m core predict RUN FILE --out FILE`: the rows of a file with what a round's model says about each."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import get_args

from core.atomic import write_file
from core.schemas.batch import BatchSpec, BatchSummary, OutputFormat
from core.schemas.errors import UserError
from core.services import batch, runs
from core.store.migrate import migrate
from core.store.tables import Batch, Run

from ._watch import wait_for

ENDINGS: dict[str, OutputFormat] = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".xlsx": "xlsx", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="the id of a finished round (`python -m core rounds --json` prints it)"
    )
    parser.add_argument(
        "file", metavar="FILE", help="a table: CSV, Excel, JSON, JSON lines, Parquet, or one in a zip or gzip"
    )
    parser.add_argument("--out", metavar="FILE", required=True, help="where to write it; its ending says the format")
    parser.add_argument("--column", metavar="NAME", help="the column with the texts (default: as in the training)")
    parser.add_argument("--format", choices=get_args(OutputFormat), help="the format, where the ending does not say it")
    parser.add_argument("--probabilities", action="store_true", help="a column with the probability of each label")
    parser.add_argument(
        "--as-it-is", action="store_true", help="no apostrophe before what a spreadsheet takes for a formula"
    )
    parser.add_argument("--length", type=int, default=128, help="most tokens of a written answer (default: 128)")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    source, target = (Path(path).expanduser().resolve() for path in (options.file, options.out))
    if not source.is_file():
        raise UserError("The file was not found.", f"There is no file {source}.", "Check the path.")
    kind = options.format or ENDINGS.get(target.suffix.lower())
    if kind is None:
        raise UserError(
            "The format is not known.",
            f"{target.name} ends in no ending of a table that can be written.",
            f"Use one of {', '.join(ENDINGS)}, or give --format.",
        )
    with open(source, "rb") as stream:
        made = batch.add(run, source.name, stream)
    try:
        summary = _predicted(run, made, options, kind, target)
    finally:
        batch.delete(made)  # whoever asked has the file
    if options.json:
        print(json.dumps({**summary.model_dump(mode="json"), "file": str(target)}))
        return 0
    print(
        f"{summary.predicted:,} of {summary.rows:,} rows were predicted, {summary.rows_per_second:,.0f} a second: {target}"
    )
    for hint in summary.hints:
        print(f"{hint.title} {hint.text}")
    return 0


def _predicted(run: Run, made: Batch, options: argparse.Namespace, kind: OutputFormat, target: Path) -> BatchSummary:
    columns = batch.guess(run, batch.inspect(made))
    if options.column:
        columns[batch.reads(run.task)] = options.column
    spec = batch.spec_of(made).model_dump() | {
        "columns": columns,
        "format": kind,
        "probabilities": options.probabilities,
        "protect": not options.as_it_is,
        "decoding": {"max_new_tokens": options.length},
    }
    wait_for("predict", lambda: batch.start(made, BatchSpec.model_validate(spec)))
    done = batch.get(made.id)
    with open(batch.result_path(done), "rb") as result:
        write_file(target, lambda stream: shutil.copyfileobj(result, stream))
    found = batch.summary_of(done)
    assert found is not None
    return found
