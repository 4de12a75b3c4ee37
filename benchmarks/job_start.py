"""What a job's process costs before it works: libraries imported anew against a fork of a process that has them.

    python -m benchmarks.job_start [--jobs 5]

Two real workers, one with TUNEWELL_WARM=0, get the same tiny training (4 steps on 64 rows, a small random model) in turn. Prints
for each: seconds from the claim to the end of the job, and processor seconds of the worker with all its processes a job.
The first job of the warm worker, whose fork server imports everything, is told apart.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the tests' own helpers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="job-start-") as folder:
        base = _base(Path(folder))
        places = {warm: _Place(Path(folder) / warm, warm, base) for warm in ("0", "1")}
        try:
            rows: list[dict[str, tuple[float, float]]] = []
            for _ in range(options.jobs + 1):
                rows.append({warm: place.job() for warm, place in places.items()})
                print({warm: [round(each, 1) for each in row] for warm, row in rows[-1].items()}, flush=True)
        finally:
            for place in places.values():
                place.end()
    for warm, title in (("0", "anew"), ("1", "forked")):
        later = [row[warm] for row in rows[1:]]
        for what, some in (("first", [rows[0][warm]]), (f"median of {len(later)} later", later)):
            seconds, processor = (median(column) for column in zip(*some, strict=True))
            print(f"{title:7} {what:18} {seconds:6.1f} s by the clock, {processor:6.1f} s of the processor")


def _base(folder: Path) -> Path:
    import small_model

    return small_model.build(folder / "base")


class _Place:
    def __init__(self, storage: Path, warm: str, base: Path) -> None:
        self.storage = storage
        self._use()
        import stored

        from core.store.migrate import migrate

        migrate()
        self.project_id = stored.small_project(base).id
        self.worker = psutil.Process(
            subprocess.Popen(
                [sys.executable, "-m", "core", "worker"],
                stdout=subprocess.DEVNULL,
                env={**os.environ, "TUNEWELL_WARM": warm, "TUNEWELL_PARENT_PID": str(os.getpid())},
            ).pid
        )

    def _use(self) -> None:
        os.environ["TUNEWELL_STORAGE"] = str(self.storage)

    def job(self) -> tuple[float, float]:
        """Seconds from claim to end, and processor seconds, of one training."""
        from core.schemas.recipe import Recipe
        from core.services import runs
        from core.store import jobs

        self._use()
        before = self._processor()
        run = runs.start(self.project_id, Recipe(method="lora", batch_size=16, epochs=1, evaluations_per_epoch=1))
        used: dict[int, float] = {}
        while (job := jobs.get(run.job_id or "")) is not None and not job.state.final:
            used.update(self._processes())
            time.sleep(0.05)
        assert job is not None and job.started_at and job.finished_at and job.state.value == "done", job
        return job.finished_at - job.started_at, sum(used.values()) - before

    def _processes(self) -> dict[int, float]:
        """Processor seconds so far of each process of this worker."""
        found = {}
        for process in [self.worker, *self.worker.children(recursive=True)]:
            try:
                found[process.pid] = sum(process.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
        return found

    def _processor(self) -> float:
        return sum(self._processes().values())

    def end(self) -> None:
        self.worker.terminate()
        self.worker.wait(90)


if __name__ == "__main__":
    main()
