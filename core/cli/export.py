"""`python -m core export RUN`: take a round's model away in one or several formats, each proven to answer as it was tested."""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

from core.services import exports, runs
from core.store.migrate import migrate
from core.store.tables import Export

from ._watch import wait_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the id of a finished round (`python -m core run --json` prints it)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a summary")
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        action="append",
        help="make an export in this format (several times for several); without it, list formats and exports",
    )


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    made = []
    for kind in options.format or []:
        done = wait_for("Export", partial(exports.submit, run, kind))
        made.append(exports.get(str((done.result or {})["export_id"])))
    formats = [_offer(o) for o in exports.offers(run)]
    found = [as_object(e) for e in (made if options.format else exports.of_run(run.id))]
    if options.json:
        print(json.dumps({"run": run.id, "formats": formats, "exports": found}, allow_nan=False))
        return 0
    if not options.format:
        for offer in formats:
            said = offer["refusal"] or f"{offer['audience']}, about {offer['bytes'] / 2**20:,.1f} MB"
            print(f"{offer['format']}: {offer['title']}. {said}")
    for export in found:
        print(f"{export['kind']}: {export['archive']}\n  {export['proof']}")
    return 0


def as_object(export: Export) -> dict[str, Any]:
    """JSON-ready."""
    return {
        "id": export.id,
        "kind": export.kind,
        "folder": export.folder,
        "archive": str(exports.archive(export.folder)),
        "parity": export.parity,
        "proof": exports.proof(export),
    }


def _offer(offer: exports.Offer) -> dict[str, Any]:
    form = offer.format
    return {
        "format": form.key,
        "title": form.title,
        "audience": form.audience,
        "bytes": offer.size,
        "refusal": offer.refusal,
    }
