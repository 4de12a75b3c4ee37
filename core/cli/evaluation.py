"""`python -m core evaluation RUN`: all that the Evaluation screen shows of a round, newest evaluation first, or a new one."""

from __future__ import annotations

import argparse
import json

from core.schemas.errors import UserError
from core.services import evaluations, runs
from core.store.migrate import migrate
from core.store.tables import Evaluation

from . import _evaluation
from ._watch import wait_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the id of a finished round (`python -m core run --json` prints it)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a summary")
    parser.add_argument("--split", choices=("test", "validation"), default="test", help="which rows (default: test)")
    parser.add_argument(
        "--again", action="store_true", help="evaluate now; on the test set this is one more opening, and counted"
    )


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    if options.again:
        _evaluate(options.run, options.split)
    found = evaluations.of_run(run.id, options.split)
    if not found:
        raise UserError(
            "This round has not been evaluated.",
            f"There is no evaluation of {run.name} on its {options.split} rows.",
            "Add --again to evaluate it now, or do it on the Evaluation screen.",
        )
    kept: Evaluation = found[0]
    if options.json:
        print(json.dumps(_evaluation.as_object(kept), allow_nan=False))
    else:
        print("\n".join(_evaluation.as_lines(kept)))
    return 0


def _evaluate(run_id: str, split: str) -> None:
    wait_for("Evaluation", lambda: evaluations.submit(runs.get(run_id), split))
