"""What recording progress costs a training, and how long a refresh of its curves takes with a million points.

    python -m benchmarks.recorder [--seconds 20] [--points 1000000] [--only-real] [--json FILE]

- `real`: a LoRA training of the starter on the support sample's length of rows, through the real recorder into a real SQLite
  file; the recorder's CPU time (its thread, and what the training itself spends on reporting) over all CPU time of the steps.
- `1 ms, ...`: the worst case: steps that compute for one millisecond, with a point every 50 steps as a long run has, and with
  one at every step.
- `refresh`: the query and the payload of one chart (three curves of at most 1,000 points each) while points arrive.

CPU time and not seconds, so that a busy machine changes little. Goals: under 0.5%, and p95 under 100 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

GOAL, REFRESH_GOAL = 0.005, 100.0


class Counted:
    """A recorder that counts the CPU seconds that the training's own thread spends in it."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.spent = inner, 0.0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.inner, name)
        if name in ("checkpoint", "forget_checkpoint", "guard", "pinned"):
            return call  # at a checkpoint, not in a step

        def counted(*args: Any, **kwargs: Any) -> Any:
            begun = time.thread_time()
            try:
                return call(*args, **kwargs)
            finally:
                self.spent += time.thread_time() - begun

        self.__dict__[name] = counted
        return counted


def recorder_of_a_run() -> Any:
    """A recorder with a run and a claimed job, its background thread running."""
    from core.schemas.jobs import JobKind
    from core.store import jobs, records
    from core.store.tables import DatasetVersion, Plan, Project, Run
    from core.worker.recorder import JobRecorder

    project = records.add(Project(name="benchmark", task="chat"))
    version = records.add_numbered(
        DatasetVersion(project_id=project.id, title="rows", content="none", rows=0, roles={}, origin={})
    )
    plan = records.add(Plan(project_id=project.id, dataset_version_id=version.id, config={}, counts={}, content="none"))
    run = records.add_numbered(
        Run(
            project_id=project.id, name="benchmark", dataset_version_id=version.id, plan_id=plan.id, base_model_key="starter",
            task="chat", recipe={},
        )
    )  # fmt: skip
    job_id = jobs.submit(JobKind.TRAIN, project.id, {"run_id": run.id})
    claimed = jobs.claim([JobKind.TRAIN], "benchmark")
    assert claimed is not None and claimed[0].id == job_id
    recorder = JobRecorder(job_id, claimed[1], run.id)
    recorder.start()
    return recorder


def ended(recorder: Any) -> None:
    from core.schemas.jobs import JobState
    from core.store import jobs

    recorder.close()
    jobs.finish(recorder.job_id, recorder.fence, JobState.DONE)


def real_run(epochs: float) -> dict[str, Any]:
    """A training of the starter on 192 short chats; evaluations and checkpoints are left out of the steps' CPU time."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    import tiny_training as tiny

    from core.services.models import STARTER_FOLDER
    from core.training import train as engine
    from core.training.trainers import LanguageTrainer

    recorder = recorder_of_a_run()
    counted = Counted(recorder)
    spent = {"steps": 0.0, "count": 0, "thread": 0.0}
    whole = LanguageTrainer.training_step

    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        begun, before = time.thread_time(), recorder.cpu_seconds
        try:
            return whole(self, *args, **kwargs)
        finally:
            spent["steps"] += time.thread_time() - begun
            spent["thread"] += recorder.cpu_seconds - before  # not what it writes while the model loads or is evaluated
            spent["count"] += 1

    LanguageTrainer.training_step = step  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        spec = tiny.spec_of(
            "chat, LoRA",
            Path(folder),
            Path(STARTER_FOLDER),
            rows=192,
            epochs=epochs,
            evaluations_per_epoch=1,
            learning_rate=1e-4,
        )
        engine.train(spec, counted)
    LanguageTrainer.training_step = whole  # type: ignore[method-assign]
    ended(recorder)
    return row("real", spent["count"], spent["steps"], counted.spent, spent["thread"])


def short_steps(every: int, seconds: float) -> dict[str, Any]:
    """Steps of 1 ms of arithmetic, reported as the training reports them."""
    from types import SimpleNamespace

    import torch

    from core.schemas.recipe import Recipe
    from core.training.callbacks import Obey, Progress
    from core.training.device import Device
    from core.training.hardware import Limit, Usage
    from core.training.phases import Phases

    recorder = recorder_of_a_run()
    phases, usage = Phases("cpu"), Usage(Device("cpu", "", torch.float32, False))
    tokens = [0.0]
    progress = Progress(recorder, lambda: tokens[0], phases, Limit(1e11, 1e6, "", True), usage.read)
    obey = Obey(recorder, Recipe())
    state = SimpleNamespace(global_step=0, max_steps=10**9, epoch=0.0, log_history=[])
    control = SimpleNamespace(
        should_evaluate=False, should_save=False, should_log=False, should_training_stop=False, should_epoch_stop=False
    )
    phases.start()
    time.sleep(1.5)  # the first batches of a process also compile their statements
    reported = 0.0
    before, begun, end = recorder.cpu_seconds, time.thread_time(), time.monotonic() + seconds
    while time.monotonic() < end:
        until = time.thread_time() + 0.001
        while time.thread_time() < until:
            pass
        start = time.thread_time()
        with phases.span("data"):
            pass
        with phases.span("backward"), phases.span("forward"):
            pass
        with phases.span("optimiser"):
            pass
        state.global_step += 1
        tokens[0] += 100
        progress.on_step_end(None, state, control)
        obey.on_step_end(None, state, control)
        if state.global_step % every == 0:
            progress.on_log(None, state, control, {"loss": 1.0, "grad_norm": 1.0, "learning_rate": 1e-4})
        reported += time.thread_time() - start
    whole = time.thread_time() - begun
    # Reading the CPU clock twice a step costs about as much as what it measures: measured apart and taken off.
    reported = max(0.0, reported - state.global_step * clock_cost())
    background = recorder.cpu_seconds - before
    ended(recorder)
    return row(f"1 ms, a point every {every}", state.global_step, whole, reported, background)


def clock_cost() -> float:
    begun = time.thread_time()
    for _ in range(100_000):
        time.thread_time()
    return (time.thread_time() - begun) / 100_000


def row(name: str, steps: int, whole: float, reporting: float, thread: float) -> dict[str, Any]:
    return {
        "name": name, "steps": steps, "step_ms": 1000 * whole / max(1, steps), "reporting_us": 1e6 * reporting / max(1, steps),
        "thread_share": thread / whole, "share": (thread + reporting) / whole,
    }  # fmt: skip


def refresh(points: int, ticks: int = 60) -> dict[str, Any]:
    """Milliseconds of the first reading and of later ones, each after a second's worth of new points."""
    from core.store import curves
    from core.store.engine import write
    from core.ui.curves import smooth
    from core.ui.live_chart import Trace, payload

    recorder = recorder_of_a_run()
    run_id = recorder.run_id
    ended(recorder)

    def add(start: int, end: int) -> None:
        for first in range(start, end, 20_000):
            part = range(first, min(end, first + 20_000))
            made = [
                curves.Point(run_id, "loss", "batch", s, s / 1000, 2 + (s * 7919 % 1000) / 1000, float(s)) for s in part
            ]
            with write() as session:
                curves.append(session, made)

    def draw() -> tuple[float, float, int, int]:
        begun = time.perf_counter()
        buckets = curves.series(run_id, "loss", "batch", 1000)
        queried = time.perf_counter()
        x, y = [b.step for b in buckets], [b.mean for b in buckets]
        traces = [Trace("raw", x, y, faint=True), Trace("smooth", x, smooth(y, 0.8)), Trace("band", x, y)]
        sent = json.dumps(payload("k", traces, "step", "loss", False, 320, (), ""))
        done = time.perf_counter()
        return 1000 * (queried - begun), 1000 * (done - queried), len(sent), len(buckets)

    add(0, points)
    first = draw()
    times, queries, size, most = [], [], 0, 0
    for tick in range(ticks):
        add(points + tick * 100, points + (tick + 1) * 100)
        query, made, size, count = draw()
        times.append(query + made)
        queries.append(query)
        most = max(most, count)
    ordered = sorted(times)
    return {
        "points": points, "buckets": most, "bytes": size, "first_ms": first[0] + first[1], "query_ms": statistics.median(queries),
        "p50_ms": statistics.median(times), "p95_ms": ordered[int(0.95 * (len(ordered) - 1))],
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--epochs", type=float, default=6)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--only-real", action="store_true", help="the real training alone")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as storage:
        os.environ["TUNEWELL_STORAGE"] = storage
        os.environ.pop("TUNEWELL_DATABASE_URL", None)
        from core.store.migrate import migrate

        migrate()
        print(
            f"{'run':<26} {'steps':>7} {'ms/step':>8} {'reporting us/step':>18} {'thread':>8} {'share':>8}  goal {GOAL:.1%}"
        )
        found = []
        short = (lambda: short_steps(50, options.seconds), lambda: short_steps(1, options.seconds))
        for made in (*(() if options.only_real else short), lambda: real_run(options.epochs)):
            r = made()
            found.append(r)
            print(
                f"{r['name']:<26} {r['steps']:>7} {r['step_ms']:>8.2f} {r['reporting_us']:>18.1f} {r['thread_share']:>8.2%} "
                f"{r['share']:>8.2%}  {'yes' if r['share'] < GOAL else 'NO'}",
                flush=True,
            )
        if options.only_real:
            return
        r = refresh(options.points)
        print(
            f"refresh of {r['points']:,} points: {r['buckets']} points a curve, {r['bytes'] / 1000:.0f} kB; "
            f"first {r['first_ms']:.0f} ms, then query {r['query_ms']:.1f}, p50 {r['p50_ms']:.1f}, "
            f"p95 {r['p95_ms']:.1f} ms (goal {REFRESH_GOAL:.0f}): {'yes' if r['p95_ms'] < REFRESH_GOAL else 'NO'}"
        )
        if options.json:
            options.json.write_text(json.dumps({"recording": found, "refresh": r}, indent=2) + "\n")


if __name__ == "__main__":
    main()
