"""`python -m core project-report RUN`: the report of the whole project, with this round in full."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from core.atomic import write_file
from core.services import project_report, runs
from core.store.migrate import migrate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="the id of a finished round (`python -m core rounds --json` prints it)"
    )
    parser.add_argument("--out", metavar="FILE", help="where to write it (default: its own name, in this folder)")
    parser.add_argument(
        "--json", action="store_true", help="print the file's place and what it says was not done, as JSON"
    )


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    target = Path(options.out or project_report.filename(run)).expanduser().resolve()
    text = project_report.report_html(run)
    write_file(target, lambda stream: stream.write(text.encode()))
    gaps = [what for what, _ in project_report.missing(run)]
    print(json.dumps({"file": str(target), "not_done": gaps}) if options.json else f"Written to {target}")
    return 0
