"""The queue of suspicious rows: a person decides about each, every decision is kept at once, and all become one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.data.self_confidence import guesses
from core.schemas.errors import UserError
from core.schemas.examples import Example
from core.store import records
from core.store.tables import DatasetVersion, Project, RowDecision, RowQueue

from . import datasets, fixes

Action = Literal["keep", "drop", "relabel", "skip"]
ACTIONS: tuple[Action, ...] = ("keep", "drop", "relabel", "skip")


@dataclass(frozen=True)
class Item:
    """A row of the queue as it is shown. `confidence` is how likely its own label is by the other rows, None where that
    could not be told; `doubt` says what speaks against a row that has no single label. A `locked` row is in the test set:
    what is decided about it is noted and changes nothing."""

    row_id: str
    text: str
    label: str
    confidence: float | None = None
    suggested: str = ""
    probability: float | None = None
    locked: bool = False
    doubt: str = ""


@dataclass(frozen=True)
class State:
    """How far the person is. `item` is the next row, None where every row was looked at; `gone` counts rows that other
    fixes have removed since."""

    total: int
    decided: int
    skipped: int
    gone: int
    item: Item | None
    decisions: dict[str, RowDecision] = field(default_factory=dict)
    locked: frozenset[str] = frozenset()

    def count(self, action: Action, *, locked: bool = False) -> int:
        """Decisions of this kind about rows that may be changed, or about those that are locked."""
        found = (d for d in self.decisions.values() if d.action == action)
        return sum(1 for d in found if (d.row_id in self.locked) == locked)


def begin(
    project: Project,
    version: DatasetVersion,
    source: str,
    title: str,
    row_ids: Sequence[str],
    suspects: Sequence[Mapping[str, Any]] = (),
) -> RowQueue:
    """A queue of these rows of the version, worst first; the one that was begun before goes on.

    `suspects` are rows that a check has judged already (row_id, confidence, suggested, suggested_confidence) and take the
    place of `row_ids`. Raises UserError where none of the rows is there.
    """
    row_ids = [str(one["row_id"]) for one in suspects] or list(row_ids)
    for queue in records.find(RowQueue, dataset_version_id=version.id, source=source):
        if {item["row_id"] for item in queue.items} == set(row_ids):
            return queue
    if suspects:
        return _keep(project, version, source, title, [_judged(one) for one in suspects])
    examples = datasets.examples(version, project.task or "")[0]
    wanted = set(row_ids)
    places = [i for i, e in enumerate(examples) if e.row_id in wanted]
    if not places:
        raise UserError(
            "These rows are not there.", "Another fix has removed them.", "Look at the newest health report."
        )
    found = guesses(examples, places)
    order = sorted(places, key=lambda i: found[i].confidence if i in found else 2.0)
    items = [{"row_id": examples[i].row_id, **(found[i]._asdict() if i in found else {})} for i in order]
    return _keep(project, version, source, title, items)


def _judged(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "row_id": one["row_id"],
        "confidence": one["confidence"],
        "suggested": one["suggested"],
        "probability": one.get("suggested_confidence"),
        "doubt": one.get("doubt", ""),
    }


def _keep(
    project: Project, version: DatasetVersion, source: str, title: str, items: Sequence[Mapping[str, Any]]
) -> RowQueue:
    items = sorted((dict(item) for item in items), key=lambda item: item.get("confidence", 2.0))
    return records.add(
        RowQueue(project_id=project.id, dataset_version_id=version.id, source=source, title=title, items=items)
    )


def get(queue_id: str) -> RowQueue:
    queue = records.get(RowQueue, queue_id)
    if queue is None:
        raise UserError(
            "This queue is not there.", "It was deleted with its project.", "Begin it again from the report."
        )
    return queue


def of_version(version: DatasetVersion) -> list[RowQueue]:
    """Queues that were begun from this version and have not become another one, newest first."""
    return [q for q in records.find(RowQueue, dataset_version_id=version.id) if not q.made_version_id]


def state(project: Project, version: DatasetVersion, queue: RowQueue) -> State:
    """How far the person is, with the next row as it is in this version: first those not looked at, then the skipped."""
    rows = _examples(project, version, [item["row_id"] for item in queue.items])
    locked = frozenset(fixes.locked_rows(version) & rows.keys())
    decisions = {d.row_id: d for d in records.find(RowDecision, queue_id=queue.id) if d.row_id in rows}
    there = [item for item in queue.items if item["row_id"] in rows]
    open_items = [item for item in there if item["row_id"] not in decisions]
    skipped = sorted(
        (item for item in there if item["row_id"] in decisions and decisions[item["row_id"]].action == "skip"),
        key=lambda item: decisions[item["row_id"]].created_at,
    )
    following = [*open_items, *skipped]
    return State(
        total=len(there),
        decided=len(there) - len(following),
        skipped=len(skipped),
        gone=len(queue.items) - len(there),
        item=_item(following[0], rows, locked) if following else None,
        decisions=decisions,
        locked=locked,
    )


def decide(queue: RowQueue, row_id: str, action: Action, label: str | None = None) -> None:
    """Keep a decision at once. A later one about the same row takes its place."""
    if action not in ACTIONS or (action == "relabel") != bool(label and label.strip()):
        raise ValueError(f"no decision: {action!r} with label {label!r}")
    if row_id not in {item["row_id"] for item in queue.items}:
        raise ValueError(f"the queue has no row {row_id!r}")
    records.remove(RowDecision, queue_id=queue.id, row_id=row_id)
    records.add(RowDecision(queue_id=queue.id, row_id=row_id, action=action, label=label))


def is_open(queue: RowQueue, row_id: str) -> bool:
    """Whether the row is still to be decided: it was not looked at, or skipped."""
    return all(d.action == "skip" for d in records.find(RowDecision, queue_id=queue.id, row_id=row_id))


def undo(queue: RowQueue) -> str | None:
    """Take the newest decision back. Returns its row."""
    newest = records.find(RowDecision, queue_id=queue.id, limit=1)
    if not newest:
        return None
    records.remove(RowDecision, id=newest[0].id)
    return newest[0].row_id


def steps(now: State) -> list[fixes.Step]:
    """The decisions as fixes. Rows of the locked test set are left out."""
    open_ones = [d for row, d in now.decisions.items() if row not in now.locked]
    drop = [d.row_id for d in open_ones if d.action == "drop"]
    labels = {d.row_id: str(d.label) for d in open_ones if d.action == "relabel"}
    found: list[fixes.Step] = []
    if drop:
        found.append(("drop_rows", {"rows": drop}))
    if labels:
        found.append(("relabel", {"labels": labels}))
    return found


def finish(project: Project, version: DatasetVersion, queue: RowQueue) -> DatasetVersion | str:
    """Make one version of all decisions so far: the version, or the id of the job where the table is large."""
    now = state(project, version, queue)
    counts = {action: now.count(action) for action in ACTIONS}
    origin: dict[str, Any] = {
        "queue": queue.id,
        "source": queue.source,
        "decided": counts,
        "noted": [[d.row_id, d.action, d.label] for row, d in now.decisions.items() if row in now.locked],
    }
    done = steps(now)
    if not done:
        raise UserError(
            "Nothing would change.", "No row was dropped or given another label.", "Decide about some rows."
        )
    made = fixes.start(project, version, done, f"Rows gone through: {queue.title}", origin)
    if isinstance(made, DatasetVersion):
        records.change(RowQueue, queue.id, {"made_version_id": made.id})
    return made


def labels(version: DatasetVersion) -> list[str]:
    """The labels to choose from, most frequent first."""
    return list(fixes.label_counts(version))


def _examples(project: Project, version: DatasetVersion, row_ids: Sequence[str]) -> dict[str, Example]:
    """The rows of the queue that are still there."""
    return {e.row_id: e for e in datasets.examples(version, project.task or "", row_ids)[0]}


def _item(item: dict[str, Any], rows: dict[str, Example], locked: frozenset[str]) -> Item:
    example = rows[item["row_id"]]
    text = example.text or "\n\n".join(f"{m.role}: {m.content}" for m in example.messages)
    return Item(
        row_id=example.row_id,
        text=text,
        label=example.label or "",
        confidence=item.get("confidence"),
        suggested=item.get("suggested", ""),
        probability=item.get("probability"),
        locked=example.row_id in locked,
        doubt=item.get("doubt", ""),
    )
