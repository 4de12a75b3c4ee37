"""`python -m core COMMAND`: the command line of Tunewell. See `python -m core --help`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from core.schemas.errors import UserError

COMMANDS = {
    "run": "run a whole job from a YAML file: import, train, evaluate, audit, export",
    "worker": "run the background worker until it is stopped",
    "status": "what the worker and the jobs are doing",
    "models": "list the base models of this machine",
    "doctor": "what this machine can do, and what is missing",
    "migrate": "bring the database to the newest schema",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 2 after an error that a person can mend (as JSON with --json)."""
    parser = argparse.ArgumentParser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    arguments = sys.argv[1:] if arguments is None else arguments
    module = None
    for name, help_text in COMMANDS.items():
        sub = commands.add_parser(name, help=help_text, description=help_text)
        if arguments[:1] == [name]:  # the others are not imported: `migrate` need not wait for pandas
            module = importlib.import_module(f"core.cli.{name}")
            module.add_arguments(sub)
    options = parser.parse_args(arguments)
    assert module is not None
    try:
        return int(module.main(options) or 0)
    except UserError as error:
        if getattr(options, "json", False):
            print(json.dumps({"error": {"title": error.title, "cause": error.cause, "fix": error.fix}}))
        else:
            print(f"{error.title}\n  Why: {error.cause}\n  What to do: {error.fix}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
