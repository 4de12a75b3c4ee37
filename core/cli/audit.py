"""`python -m core audit RUN`: the bias audit of a round as its screen shows it, or a new one, with files of your own."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError
from core.services import audit_scope, audits, runs
from core.services.audit_summary import summary
from core.store.migrate import migrate
from core.store.tables import Audit

from ._evaluation import finite
from ._watch import wait_for


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="the id of a finished round (`python -m core run --json` prints it)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a summary")
    parser.add_argument("--again", action="store_true", help="audit now, even where there is an audit already")
    parser.add_argument(
        "--only", action="append", metavar="AUDIT", help="run this audit only (may be given several times)"
    )
    parser.add_argument(
        "--benchmark",
        action="append",
        metavar="NAME=PATH",
        default=[],
        help="a published file for bbq, crows_pairs, stereoset or winobias (several times for several files); implies --again",
    )
    parser.add_argument(
        "--scorer", metavar="FOLDER", help="a text classifier that judges written answers; implies --again"
    )


def main(options: argparse.Namespace) -> int:
    migrate()
    run = runs.get(options.run)
    if options.again or options.benchmark or options.scorer or options.only or not audits.of_run(run.id):
        _audit(options.run, config_of(options, audit_scope.family_of(run)))
    kept = audits.of_run(run.id)[0]
    if options.json:
        print(json.dumps(finite(as_object(kept)), allow_nan=False))
    else:
        print("\n".join(as_lines(kept)))
    return 0


def config_of(options: argparse.Namespace, family: str) -> dict[str, dict[str, Any]]:
    """The audit's config. Raises UserError where an audit or a file is not known."""
    known = audits.available(family)
    files: dict[str, list[dict[str, str]]] = {}
    for given in options.benchmark:
        key, _, path = given.partition("=")
        if key not in known or not audit_scope.needs_file(known[key]):
            names = ", ".join(k for k, a in known.items() if audit_scope.needs_file(a)) or "none for this kind of model"
            raise UserError("This benchmark is not known.", f"{key or given} was asked for.", f"There is: {names}.")
        if not Path(path).is_file():
            raise UserError(
                "The file of the benchmark is not there.", f"{path} is no file.", "Give its path after the name."
            )
        files.setdefault(key, []).append({"name": Path(path).name, "path": str(Path(path).resolve())})
    for key in options.only or ():
        if key not in known:
            raise UserError("This audit is not known.", f"{key} was asked for.", f"There is: {', '.join(known)}.")
    scope: dict[str, Any] = {"files": files, "scorer": str(Path(options.scorer).resolve()) if options.scorer else ""}
    if options.only or options.scorer:
        default = [key for key, audit in known.items() if not audit_scope.is_optional(audit)]
        scope["audits"] = list(options.only) if options.only else [*default, "written_answers"]
    return {audit_scope.KEY: scope}


def _audit(run_id: str, config: dict[str, dict[str, Any]]) -> None:
    wait_for("Bias audit", lambda: audits.submit(runs.get(run_id), config))


def as_object(kept: Audit) -> dict[str, Any]:
    """Everything that was measured, with the summary of the screen."""
    found = audits.results(kept)
    return {
        "summary": summary(found).model_dump(mode="json"),
        "audits": {key: result.model_dump(mode="json") for key, result in found.items()},
        "refused": audits.refusals(kept),
        "ids": {"audit": kept.id, "run": kept.run_id, "project": kept.project_id},
        "created_at": kept.created_at,
    }


def as_lines(kept: Audit) -> list[str]:
    found = audits.results(kept)
    told = summary(found)
    lines = [told.title, *(f"  - {line}" for line in told.found), *([told.change] if told.change else [])]
    lines += [f"What to do: {line}" for line in told.to_do]
    lines += [f"{result.title}: {result.headline}" for result in found.values()]
    lines += [f"{key}: not done. {why['cause']}" for key, why in audits.refusals(kept).items()]
    return lines
