"""A project's rounds as a lineage: where each began, what it changed, how good it is, and which of them are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from core.schemas.estimates import Estimate, Verdict
from core.schemas.evaluation import MetricRow
from core.schemas.jobs import Job, JobState
from core.schemas.recipe import Recipe
from core.store import jobs, records
from core.store.tables import Correction, DatasetVersion, Evaluation, Plan, Project, Run, Trial

from . import studies
from .headlines import headline
from .round_changes import Change, basis, changes

NOTE_LENGTH = 2_000


@dataclass(frozen=True)
class Measured:
    """An evaluation of a round. `row` holds the headline metric of the tuned model and of whoever it was compared with."""

    evaluation_id: str
    split: str
    lineage: int
    at: float
    verdict: Verdict
    row: MetricRow

    @property
    def score(self) -> Estimate:
        return self.row.values["tuned"]


class Best(NamedTuple):
    """The best validation figure during training, by which the checkpoint was chosen; `n` validation rows."""

    metric: str
    value: float
    step: int
    n: int


@dataclass(frozen=True)
class Round:
    """`validation` and `test` are the newest evaluations there; `tests` all of the test, oldest first, of whichever test
    set. `parent` is the number of the round that it came from, `start` of the one whose model it went on from (None: the
    base model). `changes` are against the parent, else the round before it: `against`. `seconds` is None before it ran."""

    run: Run
    state: JobState
    ended: str
    parent: int | None
    start: int | None
    version: DatasetVersion
    lineage: int
    plan: Plan
    against: int | None = None
    changes: tuple[Change, ...] = ()
    best: Best | None = None
    validation: Measured | None = None
    tests: tuple[Measured, ...] = ()
    seconds: float | None = None
    study: str = ""
    correction: str = ""
    error: str = ""

    @property
    def number(self) -> int:
        return self.run.number

    @property
    def test(self) -> Measured | None:
        return self.tests[-1] if self.tests else None

    @property
    def finished(self) -> bool:
        return bool(self.run.summary)

    @property
    def verdict(self) -> Verdict | None:
        """Against the base model: on the test set where it was opened, else on validation."""
        judged = self.test or self.validation
        return judged.verdict if judged else None

    @property
    def seed(self) -> int:
        return int(self.run.recipe.get("seed", Recipe.model_fields["seed"].default))


def of_project(project: Project) -> list[Round]:
    """Every round of the project, oldest first."""
    runs = sorted(records.find(Run, project_id=project.id), key=lambda run: run.number)
    by_id = {run.id: run for run in runs}
    all_jobs = {job.id: job for job in jobs.find(project_id=project.id)}
    versions = {v.id: v for v in records.find(DatasetVersion, project_id=project.id)}
    plans = {p.id: p for p in records.find(Plan, project_id=project.id)}
    measured = _measured(project.id)
    part_of = _studies(project.id)
    corrected = {c.run_after_id: c.action for c in records.find(Correction, project_id=project.id)}
    found: list[Round] = []
    before: Run | None = None  # the round that a person started last
    for run in runs:
        job = all_jobs.get(run.job_id or "")
        parent = by_id.get(run.parent_id or "") or by_id.get(run.start_run_id or "")
        start = by_id.get(run.start_run_id or "")
        other = parent or before
        own = measured.get(run.id, [])
        validations = [m for m in own if m.split == "validation"]
        found.append(
            Round(
                run=run,
                state=job.state if job else JobState.STOPPED,
                ended=str((run.summary or {}).get("ended", "")),
                parent=parent.number if parent else None,
                start=start.number if start else None,
                version=versions[run.dataset_version_id],
                lineage=versions[run.dataset_version_id].lineage,
                plan=plans[run.plan_id],
                against=other.number if other else None,
                changes=tuple(changes(basis(other), basis(run))) if other else (),
                best=_best(run),
                validation=validations[-1] if validations else None,
                tests=tuple(m for m in own if m.split == "test"),
                seconds=_seconds(run, job),
                study=part_of.get(run.id, ""),
                correction=corrected.get(run.id, ""),
                error=str(((job.error if job else None) or {}).get("title", "")),
            )
        )
        if run.id not in part_of:
            before = run
    return found


def _measured(project_id: str) -> dict[str, list[Measured]]:
    """The evaluations of each run, oldest first."""
    found: dict[str, list[Measured]] = {}
    for row in records.find(Evaluation, project_id=project_id, newest_first=False):
        read = _read(row)
        if read is not None:
            found.setdefault(row.run_id, []).append(read)
    return found


def _read(row: Evaluation) -> Measured | None:
    verdict, main = headline(row.id)
    if main is None or "tuned" not in main.values:
        return None
    return Measured(row.id, row.split, row.lineage, row.created_at, verdict, main)


def _studies(project_id: str) -> dict[str, str]:
    """Run id to its part in a sweep or in a row of seeds."""
    words = {"sweep": "try {} of a sweep", "seeds": "repeat {} with its own seed"}
    return {
        trial.run_id: words[kind].format(trial.number)
        for kind in words
        for study in studies.of_project(project_id, kind)
        for trial in records.find(Trial, study_id=study.id)
    }


def _best(run: Run) -> Best | None:
    if not run.best or run.best.get("value") is None:
        return None
    n = int((run.summary or {}).get("examples", {}).get("validation", 0))
    return Best(str(run.best["metric"]), float(run.best["value"]), int(run.best["step"]), n)


def _seconds(run: Run, job: Job | None) -> float | None:
    if run.summary:
        return float(run.summary["seconds"])
    if job is None or job.started_at is None:
        return None
    return max(0.0, (job.finished_at or job.heartbeat_at or job.started_at) - job.started_at)


def note(run_id: str, text: str) -> None:
    """Keep what the person wants to remember about a round."""
    records.change(Run, run_id, {"note": text.strip()[:NOTE_LENGTH]})


# -- marks -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Marks:
    """What it takes to train a round again: seed, hashes of the rows and of the split, versions of the libraries, device."""

    seed: int
    rows: str
    split: str
    versions: dict[str, str] = field(default_factory=dict)
    device: str = ""
    precision: str = ""
    threads: int | None = None


def marks(one: Round) -> Marks:
    summary: dict[str, Any] = one.run.summary or {}
    threads = (summary.get("details") or {}).get("threads")
    return Marks(
        seed=one.seed,
        rows=one.version.content[:12],
        split=one.plan.content[:12],
        versions=dict(summary.get("versions") or {}),
        device=str(summary.get("device", "")),
        precision=str(summary.get("precision", "")),
        threads=int(threads) if threads is not None else None,
    )


@dataclass(frozen=True)
class Twins:
    """Finished rounds with equal recipe, rows, split, base model and start. `same_seed`: the seed is equal as well, so that
    on one machine they should be equal to the last bit; else what differs between them is the luck of the seed."""

    numbers: tuple[int, ...]
    same_seed: bool


def twins(found: Sequence[Round]) -> list[Twins]:
    """Groups of two or more rounds that differ in nothing, or in their seed alone."""
    groups: dict[str, list[Round]] = {}
    for one in found:
        if one.finished:
            recipe = Recipe.model_validate(one.run.recipe).model_dump(mode="json", exclude={"seed"})
            run = one.run
            key = (run.task, sorted(recipe.items(), key=str), one.version.content, one.plan.content, _config(one.plan))
            groups.setdefault(repr((key, run.base_model_key, run.start_run_id)), []).append(one)
    return [
        Twins(tuple(one.number for one in group), len({one.seed for one in group}) == 1)
        for group in groups.values()
        if len(group) > 1
    ]


def _config(plan: Plan) -> list[tuple[str, Any]]:
    return sorted(plan.config.items(), key=str)


# -- the tree ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    """A round's place in the drawing: its lane counts from the left, its place from the top; `parent` is a place."""

    round: Round
    lane: int
    place: int
    parent: int | None


def tree(found: Sequence[Round]) -> list[Node]:
    """The rounds in their order, each on a lane: a round goes on in its parent's lane if it is the first to do so, other
    children and roots begin a lane of their own. A lane is free again below its last round."""
    places = {one.number: i for i, one in enumerate(found)}
    children: dict[int | None, list[int]] = {}
    for one in found:
        children.setdefault(one.parent if one.parent in places else None, []).append(one.number)
    lanes: dict[int, int] = {}
    busy: dict[int, int] = {}  # lane to the last place at which it is drawn
    nodes = []
    for place, one in enumerate(found):
        parent = one.parent if one.parent in places else None
        if parent is not None and children[parent][0] == one.number:
            lane = lanes[parent]
        else:
            # Its line comes down this lane from right below the parent: nothing else may stand there.
            free_from = places[parent] if parent is not None else place - 1
            lane = next(n for n in range(len(found) + 1) if busy.get(n, -1) <= free_from)
        lanes[one.number] = lane
        # Where the first child goes on in this lane, the lane is taken down to it; other children branch off.
        first = children.get(one.number, [None])[0]
        busy[lane] = max(place, places[first] if first is not None else place)
        nodes.append(Node(one, lane, place, places[parent] if parent is not None else None))
    return nodes


def shown(found: Sequence[Round], *, tries: bool) -> list[Round]:
    """Without the tries of sweeps and repeats, unless they are wanted or another round came from them; whose parent is
    left out begins anew."""
    if tries:
        return list(found)
    parents = {one.parent for one in found if not one.study}
    kept = [one for one in found if not one.study or one.number in parents]
    numbers = {one.number for one in kept}
    return [one if one.parent in numbers else replace(one, parent=None) for one in kept]
