"""What corrective actions ask of a training, kept with its run: settings in the database, what they say of rows in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from core.mitigations import registry as mitigations
from core.schemas.terms import TermSpec
from core.store.files import keep_table, load_table
from core.store.tables import Run

_SCHEMA = pa.schema(
    [("row_id", pa.string()), ("weight", pa.float64()), ("group", pa.string()), ("twins", pa.list_(pa.string()))]
)


def keep(term: TermSpec) -> dict[str, Any]:
    """As it stands in `Run.terms`; `rows` is the content hash of a table."""
    ids = list(dict.fromkeys([*term.weights, *term.groups, *term.twins]))
    columns = {
        "row_id": ids,
        "weight": [term.weights.get(row) for row in ids],
        "group": [term.groups.get(row) for row in ids],
        "twins": [list(term.twins.get(row, ())) for row in ids],
    }
    rows = keep_table(pa.table(columns, schema=_SCHEMA)) if ids else None
    return {"key": term.key, "config": dict(term.config), "rows": rows}


def load(kept: Mapping[str, Any]) -> TermSpec:
    rows = load_table(kept["rows"]).to_pylist() if kept.get("rows") else []
    return TermSpec(
        key=kept["key"],
        config=kept["config"],
        weights={r["row_id"]: r["weight"] for r in rows if r["weight"] is not None},
        groups={r["row_id"]: r["group"] for r in rows if r["group"] is not None},
        twins={r["row_id"]: tuple(r["twins"]) for r in rows if r["twins"]},
    )


def of_run(run: Run) -> tuple[TermSpec, ...]:
    return tuple(load(kept) for kept in run.terms or ())


def joined(run: Run, term: TermSpec | None) -> list[dict[str, Any]] | None:
    """Those of the run and this one, which takes the place of one of its kind."""
    kept = [one for one in run.terms or () if term is None or one["key"] != term.key]
    return [*kept, keep(term)] if term else kept or None


def titles(kept: Sequence[Mapping[str, Any]] | None) -> list[str]:
    """Their names for a person."""
    known = mitigations()
    return [known[one["key"]].title if one["key"] in known else str(one["key"]) for one in kept or ()]
