"""`python -m core unpack FILE`: an archive as a new project; with `--again` its newest round is trained again and compared."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from core.schemas.errors import UserError
from core.services import archive, reproduce, runs
from core.store.migrate import migrate

from ._watch import wait_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="an archive that was made with `pack` or on the Projects screen")
    parser.add_argument(
        "--again", action="store_true", help="train the newest finished round again and compare its weights"
    )
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def main(options: argparse.Namespace) -> int:
    migrate()
    source = Path(options.file).expanduser().resolve()
    if not source.is_file():
        raise UserError("The file was not found.", f"There is no file {source}.", "Check the path.")

    def submit() -> str:
        with open(source, "rb") as stream:
            return archive.submit_unpack(source.name, stream)

    made = dict(wait_for("unpack", submit).result or {})
    if options.again:
        made["again"] = _again(str(made["project_id"]))
    if options.json:
        print(json.dumps(made))
        return 0
    print(f"{made['name']} is project {made['project_id']} now, with {made['runs']} rounds.")
    for note in made["notes"]:
        print(note)
    if options.again:
        print(made["again"]["sentence"])
    return 0


def _again(project_id: str) -> dict[str, object]:
    finished = runs.finished(project_id)
    if not finished:
        raise UserError(
            "There is nothing to train again.", "No round of the project was finished.", "Leave out --again."
        )
    again = reproduce.train_again(finished[0])
    wait_for("train", lambda: str(again.job_id))
    repeat = reproduce.compared(finished[0], runs.get(again.id))
    return {
        "run_id": again.id,
        "same": repeat.same,
        "reasons": list(repeat.reasons),
        "sentence": reproduce.sentence(repeat),
    }
