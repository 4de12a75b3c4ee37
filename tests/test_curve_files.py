"""The curves of a run as a table and as TensorBoard's event files: all points, with their units, read back by the real reader."""

from __future__ import annotations

import csv
import io
import math
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import stored
from databases import migrated

from core.services import curve_files
from core.store import curves
from core.store.engine import engine, write
from core.store.tables import Run

STEPS = 2500  # more than one piece of the stream


@pytest.fixture
def run(storage: Path) -> Iterator[Run]:
    migrated()
    made = stored.run()
    points = [curves.Point(made.id, "loss", "batch", s, s / 100, 3 / (s + 1), 1000.0 + s) for s in range(STEPS)]
    points += [
        curves.Point(made.id, "tokens_per_second", "batch", s, s / 100, 900.0, 1000.0 + s) for s in range(0, STEPS, 10)
    ]
    points += [
        curves.Point(made.id, "loss", "validation", s, s / 100, v, 1000.0 + s) for s, v in ((0, 3.0), (2000, None))
    ]
    with write() as session:
        curves.append(session, points)
    yield made
    engine().dispose()


def test_the_table_has_every_point_once_with_units_in_the_headings(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(curve_files.csv_lines([run])))))
    batch = [r for r in rows if r["split"] == "batch"]
    assert [int(r["step"]) for r in batch] == list(range(STEPS))
    loss, speed = "loss (nats per token or row)", "tokens_per_second (tokens/s)"
    assert [float(r[loss]) for r in batch] == [3 / (s + 1) for s in range(STEPS)], "not rounded"
    assert [r[speed] for r in batch[:11]] == ["900.0", *[""] * 9, "900.0"]
    validation = [r for r in rows if r["split"] == "validation"]
    assert [(r["step"], r[loss]) for r in validation] == [("0", "3.0"), ("2000", "")]
    assert rows[0]["recorded at (UTC)"] == "1970-01-01T00:16:40.000"


def test_the_table_is_made_line_by_line(run: Run) -> None:
    lines = curve_files.csv_lines([run])
    assert next(lines).startswith("round,run,split,step,epoch,recorded at (UTC),loss")
    assert next(lines).startswith(f"{run.number},{run.name},batch,0,")


def test_several_runs_stand_below_one_another(run: Run) -> None:
    other = stored.run()
    with write() as session:
        curves.append(session, [curves.Point(other.id, "accuracy", "validation", 5, 0.5, 0.75, 1.0)])
    rows = list(csv.DictReader(io.StringIO("".join(curve_files.csv_lines([run, other])))))
    assert rows[-1]["accuracy (share of rows)"] == "0.75"
    assert {
        r["loss (nats per token or row)"] for r in rows if r["run"] == other.name and r["split"] == "validation"
    } >= {""}


def test_tensorboard_reads_back_every_value_under_its_run_and_split(run: Run, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run.name = "a/strange name"
    zipfile.ZipFile(io.BytesIO(curve_files.tensorboard_zip([run]))).extractall(tmp_path)
    place = tmp_path / f"{run.number}-a-strange-name"
    assert sorted(p.name for p in place.iterdir()) == ["batch", "validation"]
    read = EventAccumulator(str(place / "batch"), {"scalars": 0}).Reload()
    found = read.Scalars("loss")
    assert [(e.step, e.wall_time) for e in found] == [(s, 1000.0 + s) for s in range(STEPS)]
    assert [e.value for e in found] == pytest.approx([3 / (s + 1) for s in range(STEPS)], rel=1e-6)
    assert sorted(read.Tags()["scalars"]) == ["loss", "tokens_per_second"]
    validation = EventAccumulator(str(place / "validation")).Reload().Scalars("loss")
    assert validation[0].value == 3.0 and math.isnan(validation[1].value)


def test_writing_for_tensorboard_loads_neither_torch_nor_tensorflow() -> None:
    code = (
        "import sys; from tensorboard.summary.writer.event_file_writer import EventFileWriter; import core.services.curve_files;"
        "assert not {'torch', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
