"""`python -m core rounds PROJECT`: the rounds of a project as a lineage, and how often its test sets were opened."""

from __future__ import annotations

import argparse
import json
from typing import Any

from core.schemas.errors import UserError
from core.services import openings, projects, rounds
from core.services.rounds import Measured, Round
from core.store.migrate import migrate
from core.store.tables import Project


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help="its id, or its name where only one has it")
    parser.add_argument("--json", action="store_true", help="print JSON")


def main(options: argparse.Namespace) -> int:
    migrate()
    project = find(options.project)
    found, opened = rounds.of_project(project), openings.of_project(project.id)
    if options.json:
        print(json.dumps(as_object(project, found, opened)))
        return 0
    print(f"{project.name} ({project.id}): {len(found)} round{'s' * (len(found) != 1)}")
    for one in found:
        print(_line(one))
    for lineage in sorted({o.lineage for o in opened}):
        wear = openings.wear([o for o in opened if o.lineage == lineage])
        print(f"Test set {lineage}: {openings.sentence(wear)}{' It is worn.' if wear.worn else ''}")
    return 0


def find(said: str) -> Project:
    """By id, else by name. Raises UserError where there is none, or more than one of the name."""
    named = [p for p in projects.all_projects() if said in (p.id, p.name)]
    exact = [p for p in named if p.id == said] or named
    if len(exact) == 1:
        return exact[0]
    if exact:
        ids = ", ".join(p.id for p in exact)
        raise UserError("Several projects have this name.", f"{said!r} is the name of {ids}.", "Give the id instead.")
    known = ", ".join(f"{p.id} ({p.name})" for p in projects.all_projects()[:10]) or "none"
    raise UserError("This project does not exist.", f"There is no project {said!r}.", f"Choose one of: {known}.")


def as_object(project: Project, found: list[Round], opened: list[openings.Opening]) -> dict[str, Any]:
    """JSON-ready: every score with n and interval."""
    numbers = {one.run.id: one.number for one in found}
    sets = {}
    for lineage in sorted({o.lineage for o in opened}):
        own = [o for o in opened if o.lineage == lineage]
        wear = openings.wear(own)
        sets[str(lineage)] = {
            "rounds": wear.rounds,
            "optimism": wear.optimism,
            "worn": wear.worn,
            "openings": [
                {
                    "at": o.at,
                    "round": numbers.get(o.run_id),
                    "reason": o.reason,
                    "score": o.score.model_dump() if o.score else None,
                }
                for o in own
            ],
        }
    twins = [{"rounds": list(t.numbers), "same_seed": t.same_seed} for t in rounds.twins(found)]
    return {
        "project": {"id": project.id, "name": project.name, "task": project.task},
        "rounds": [_round(one) for one in found],
        "twins": twins,
        "test_sets": sets,
    }


def _round(one: Round) -> dict[str, Any]:
    marks = rounds.marks(one)
    return {
        "number": one.number,
        "id": one.run.id,
        "name": one.run.name,
        "state": one.state.value,
        "ended": one.ended or None,
        "error": one.error or None,
        "task": one.run.task,
        "parent": one.parent,
        "start": one.start,
        "dataset_version": one.version.number,
        "test_set": one.lineage,
        "base_model": one.run.base_model_key,
        "method": one.run.recipe.get("method"),
        "against": one.against,
        "changes": [change._asdict() for change in one.changes],
        "best_in_training": one.best._asdict() if one.best else None,
        "validation": _measured(one.validation),
        "test": [_measured(m) for m in one.tests],
        "verdict": one.verdict.value if one.verdict else None,
        "seconds": one.seconds,
        "part_of": one.study or one.correction or None,
        "note": one.run.note,
        "marks": {
            "seed": marks.seed, "rows": marks.rows, "split": marks.split, "versions": marks.versions, "device": marks.device,
            "precision": marks.precision, "threads": marks.threads,
        },
    }  # fmt: skip


def _measured(one: Measured | None) -> dict[str, Any] | None:
    if one is None:
        return None
    scores = {name: estimate.model_dump() for name, estimate in one.row.values.items()}
    return {"metric": one.row.key, "test_set": one.lineage, "at": one.at, "verdict": one.verdict.value, **scores}


def _line(one: Round) -> str:
    came = f"after {one.parent}" if one.parent else "from the base model"
    if one.start:
        came += f", goes on from {one.start}"
    said = "; ".join(change.text for change in one.changes) or (
        "the first" if one.against is None else "nothing changed"
    )
    scores = [
        f"{name} {_score(m)}" for name, m in (("validation", one.validation), ("test", one.test)) if m is not None
    ]
    state = "" if one.finished else f" [{one.state.value}]"
    return f"{one.number:>3} {one.run.name}{state}, {came}: {said}" + (f". {', '.join(scores)}" if scores else "")


def _score(one: Measured) -> str:
    scale, unit = (100, "%") if one.row.format == "percent" else (1, "")
    e = one.score
    between = (
        f" ({scale * e.low:.3g} to {scale * e.high:.3g}{unit})" if e.low is not None and e.high is not None else ""
    )
    return f"{one.row.title.lower()} {scale * e.value:.3g}{unit}{between}, n = {e.n:,}, {one.verdict.value}"
