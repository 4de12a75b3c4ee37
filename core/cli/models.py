"""`python -m core models`: base models of this machine."""

from __future__ import annotations

import argparse
import json

from core.services import models
from core.store.migrate import migrate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--add", metavar="FOLDER", help="register a model folder")


def main(options: argparse.Namespace) -> int:
    migrate()
    if options.add:
        models.add_folder(options.add)
    found = models.all_models()
    if options.json:
        print(json.dumps([m.model_dump(mode="json") for m in found]))
        return 0
    for m in found:
        size = f"{m.parameters / 1e6:,.1f} M parameters"
        print(f"{m.key}  {m.title}  {size}, context {m.context_length}, licence {m.licence or 'not stated'}")
    return 0
