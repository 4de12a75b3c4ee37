"""`python -m core pack PROJECT --out FILE`: a project as one archive, to keep or to open on another machine."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

from core.atomic import write_file
from core.services import archive
from core.store.migrate import migrate

from ._watch import wait_for
from .rounds import find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="its id, or its name where only one has it")
    parser.add_argument(
        "--out", metavar="FILE", required=True, help="where to write it, for example project.tunewell.zip"
    )
    parser.add_argument(
        "--models", action="store_true", help="with the finished models (default: they are trained again)"
    )
    parser.add_argument(
        "--base", action="store_true", help="with the base model, where its licence lets you hand it on"
    )
    parser.add_argument("--json", action="store_true", help="print what was packed as JSON")


def main(options: argparse.Namespace) -> int:
    migrate()
    project = find(options.project)
    target = Path(options.out).expanduser().resolve()
    print(
        "This archive contains the texts of the project: hand it on only to people who may read them.", file=sys.stderr
    )
    job = wait_for("pack", lambda: archive.submit_pack(project.id, with_models=options.models, with_base=options.base))
    made = archive.archive_path(job.id)
    try:
        with open(made, "rb") as source:
            write_file(target, lambda stream: shutil.copyfileobj(source, stream))
    finally:
        archive.remove(job.id)
    found = {**(job.result or {}), "file": str(target)}
    print(json.dumps(found) if options.json else f"{project.name}: {found['bytes'] / 1e6:,.1f} MB in {target}")
    return 0
