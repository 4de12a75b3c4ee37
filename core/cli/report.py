"""`python -m core report RUN`: the audit report of a round as one HTML file to print."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from core.atomic import write_file
from core.services import audit_report, runs
from core.store.migrate import migrate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", metavar="RUN", help="the id of an audited round (`python -m core rounds --json` prints it)"
    )
    parser.add_argument("--to", metavar="FILE", help="where to write it (default: its own name, in this folder)")
    parser.add_argument("--json", action="store_true", help="print the file's place as JSON")


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    target = Path(options.to or audit_report.filename(run)).expanduser().resolve()
    text = audit_report.report_html(run)
    write_file(target, lambda stream: stream.write(text.encode()))
    print(json.dumps({"file": str(target)}) if options.json else f"Written to {target}")
    return 0
