"""`python -m core push EXPORT --repo NAME`: an export to the Hugging Face hub, private unless said otherwise."""

from __future__ import annotations

import argparse
import json
import os

from core.services import exports, hub_push
from core.store.migrate import migrate

from ._watch import wait_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("export", metavar="EXPORT", help="the id of an export")
    parser.add_argument(
        "--repo", metavar="NAME", required=True, help="owner/name on the hub; without an owner it is yours"
    )
    parser.add_argument("--public", action="store_true", help="everybody may read it (default: only you)")
    parser.add_argument(
        "--replace", action="store_true", help="replace what the repository holds, where it holds something"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would be uploaded, and upload nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    """The token comes from HF_TOKEN alone, so that it stands in no command line and no history of a shell."""
    migrate()
    export, name = exports.get(options.export), hub_push.check_name(options.repo)
    found = hub_push.pieces(export)
    if options.dry_run:
        listed = [{"path": piece.name, "bytes": piece.size} for piece in found]
        about = {"repo": name, "private": not options.public, "files": listed}
        print(json.dumps(about) if options.json else _told(name, found, options.public))
        return 0
    token = hub_push.check_token(os.environ.get("HF_TOKEN", ""))
    job = wait_for(
        "Push",
        lambda: hub_push.submit(export, name, token, private=not options.public, replace=options.replace),
    )
    made = hub_push.as_json(job)
    print(json.dumps(made) if options.json else f"Pushed to {made['url']}, commit {made['commit'][:12]}")
    return 0


def _told(name: str, found: list[hub_push.Piece], public: bool) -> str:
    lines = [f"Would go to {hub_push.address(name)}, {'public' if public else 'private'}:"]
    return "\n".join([*lines, *(f"  {piece.name}  {piece.size:,} bytes" for piece in found)])
