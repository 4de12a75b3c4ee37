"""`python -m core COMMAND`: the command line of Tunewell. See `python -m core --help`."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import traceback
from typing import NoReturn

from core.schemas.errors import UserError

COMMANDS = {
    "run": "run a whole job from a YAML file: import, train, evaluate, audit, export",
    "evaluation": "what the Evaluation screen shows of a round; with --again evaluate it anew",
    "audit": "the bias audit of a round: what was found and what to do; with --again audit it anew",
    "export": "take a round's model away in formats that are proven to answer as it was tested; without --format list them",
    "worker": "run the background worker until it is stopped",
    "status": "what the worker and the jobs are doing",
    "rounds": "the rounds of a project: what each changed, its scores, and how often a test set was opened",
    "report": "the audit report of a round as one HTML file to print",
    "project-report": "the report of a whole project with one of its rounds, as one HTML file to print",
    "push": "an export to the Hugging Face hub, private unless said otherwise; the token comes from HF_TOKEN",
    "predict": "a file goes through a round's model: the same rows with what it says about each",
    "pack": "a project as one archive: data, settings, results, and the models if wanted",
    "unpack": "an archive as a new project; with --again train its newest round again and compare the weights",
    "models": "list the base models of this machine",
    "doctor": "what this machine can do, and what is missing",
    "migrate": "bring the database to the newest schema",
}


class Parser(argparse.ArgumentParser):
    """A wrong command line is an error like any other: with a cause, a fix and the same exit status."""

    def error(self, message: str) -> NoReturn:
        raise UserError("The command cannot be understood.", f"{message}.", f"See `{self.prog} --help`.")


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 2 after an error that a person can mend (as JSON with --json)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return command(arguments)
    except UserError as failure:
        error = failure
    except KeyboardInterrupt:
        error = UserError("You ended the command.", "Ctrl-C was pressed.", "Run it again.")
    except Exception as fault:
        error = unforeseen(fault)
    if "--json" in arguments:
        print(json.dumps({"error": {"title": error.title, "cause": error.cause, "fix": error.fix}}))
    else:
        print(f"{error.title}\n  Why: {error.cause}\n  What to do: {error.fix}", file=sys.stderr)
    return 2


def command(arguments: list[str]) -> int:
    """Import the one command that is asked for and run it: `migrate` need not wait for pandas."""
    parser = Parser(prog="python -m core", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    module = None
    for name, help_text in COMMANDS.items():
        sub = commands.add_parser(name, help=help_text, description=help_text)
        if arguments[:1] == [name]:
            module = importlib.import_module(module_of(name))
            module.add_arguments(sub)
    options = parser.parse_args(arguments)
    assert module is not None
    return int(module.main(options) or 0)


def module_of(name: str) -> str:
    """The module of a command."""
    return f"core.cli.{name.replace('-', '_')}"


def unforeseen(fault: Exception) -> UserError:
    """What is said of a fault that nobody foresaw; the traceback goes to a log."""
    from core.store.files import folder

    try:
        log = folder("logs") / "command-line.log"
        with open(log, "a", encoding="utf-8") as stream:
            traceback.print_exception(fault, file=stream)
        fix = f"The details are in {log}. `python -m core doctor` shows what this machine has."
    except OSError as refused:
        fix = f"Make sure that the storage folder can be written to ({refused})."
    said = " ".join(str(fault).splitlines()[:1])[:300]
    return UserError("Something went wrong that we did not foresee.", f"{type(fault).__name__}: {said}", fix)


if __name__ == "__main__":
    sys.exit(main())
