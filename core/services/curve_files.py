"""The curves of runs as files for other tools: a table of all points (CSV), and event files for TensorBoard."""

from __future__ import annotations

import csv
import io
import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from core.schemas.curves import CURVES, PHASES
from core.store import curves
from core.store.files import folder
from core.store.tables import Run

FIRST = ("round", "run", "split", "step", "epoch", "recorded at (UTC)")


def title_of(name: str) -> str:
    """A column's heading: the curve's name as it is stored, with the unit of its values."""
    if name in PHASES:
        return f"{name} (s since the start)"
    return f"{name} ({CURVES[name].unit})" if name in CURVES else name


def csv_lines(chosen: Sequence[Run]) -> Iterator[str]:
    """All recorded points, one line for each run, split and step; a curve without a point there leaves its cell empty.

    Nothing is thinned out or smoothed, and the lines come one after another: a million points never lie in memory.
    """
    names = sorted({name for run in chosen for name, _ in curves.names(run.id)})
    yield _line([*FIRST, *(title_of(name) for name in names)])
    for run in chosen:
        for (split, step), points in groupby(curves.stream(run.id), key=lambda p: (p.split, p.step)):
            together = {p.name: p for p in points}
            one = next(iter(together.values()))
            at = datetime.fromtimestamp(one.at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
            values = (together[name].value if name in together else None for name in names)
            shown = ("" if v is None else repr(v) for v in values)
            yield _line([str(run.number), run.name, split, str(step), f"{one.epoch:g}", at, *shown])


def _line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def tensorboard_zip(chosen: Sequence[Run]) -> bytes:
    """A zip with a folder for each run and split: unpack it and start `tensorboard --logdir` on it.

    The tags are the names of the curves, so that training and validation lie over one another, as do runs.
    """
    out = io.BytesIO()
    with tempfile.TemporaryDirectory(dir=folder("exports"), prefix=".part-") as work:  # swept up after a kill
        for run in chosen:
            write_events(run, Path(work) / _safe(f"{run.number}-{run.name}"))
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(Path(work).rglob("*tfevents*")):
                archive.write(file, file.relative_to(work))
    return out.getvalue()


def write_events(run: Run, target: Path) -> None:
    """One event file for each split below `target`, in TensorBoard's own format and by its own writer."""
    # Imported here: half a second that only this download needs.
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    for split, points in groupby(curves.stream(run.id), key=lambda p: p.split):
        writer = EventFileWriter(str(target / split))
        try:
            for p in points:
                value = float("nan") if p.value is None else p.value
                summary = Summary(value=[Summary.Value(tag=p.name, simple_value=value)])
                writer.add_event(Event(wall_time=p.at, step=p.step, summary=summary))
        finally:
            writer.close()


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "run"
