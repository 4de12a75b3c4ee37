"""Does it come out the same? Train a round again and compare the new weights with those that were recorded, bit for bit."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.schemas.errors import UserError
from core.schemas.jobs import JobKind, JobState
from core.store import jobs
from core.store.files import run_folder
from core.store.tables import Run

from . import runs

AGAIN = "again"  # in the payload of a training: the round that it repeats
WEIGHTS, MACHINE = "weights", "machine"  # in the details of a summary that came with an archive
CALLED = {"torch": "torch", "transformers": "transformers", "trl": "trl", "peft": "peft", "datasets": "datasets"}


def recorded(run: Run) -> dict[str, str]:
    """File of weights to SHA-256: of the model that lies here, else as the archive said. Empty for a run without a model."""
    manifest = run_folder(run.id) / "model" / "manifest.json"
    if manifest.is_file():
        hashes = json.loads(manifest.read_text("utf-8"))
        return {name: digest for name, digest in sorted(hashes.items()) if name.endswith(".safetensors")}
    return dict(((run.summary or {}).get("details") or {}).get(WEIGHTS) or {})


def processor() -> str:
    """The kind of processor, as the system calls it; rounding may differ between kinds."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.lower().startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def train_again(run: Run) -> Run:
    """A new round with the same data, split, base model, settings, seed and number of threads. Raises UserError where nothing was
    recorded to compare with."""
    if not recorded(run):
        raise UserError(
            "There is nothing to compare with.",
            "No weights were recorded for this round: it was not finished.",
            "Choose a finished round.",
        )
    threads = ((run.summary or {}).get("details") or {}).get("threads")
    again = runs.successor(run, f"Round {run.number} trained again, to see whether it comes out the same")
    runs.submit(again, JobKind.TRAIN, again=run.id, threads=str(threads or ""))
    return runs.get(again.id)


@dataclass(frozen=True)
class Repeat:
    """A training that was done again. `same` is None while it is not finished. `reasons` says in words what differed between
    the two trainings; `files` counts files of weights that were compared."""

    of: Run
    again: Run
    state: JobState
    same: bool | None
    files: int
    reasons: tuple[str, ...]


def of_project(project_id: str) -> list[Repeat]:
    """Newest first."""
    found = []
    for job in jobs.find(project_id=project_id, kinds=[JobKind.TRAIN]):
        if AGAIN in job.payload:
            found.append(compared(runs.get(job.payload[AGAIN]), runs.get(job.payload["run_id"])))
    return found


def compared(of: Run, again: Run) -> Repeat:
    before, after = recorded(of), recorded(again)
    state = runs.state(again)
    if not again.summary or not after:
        return Repeat(of, again, state, None, 0, ())
    same = before == after
    return Repeat(of, again, state, same, len(before.keys() | after.keys()), () if same else tuple(_reasons(of, again)))


def sentence(repeat: Repeat) -> str:
    """The outcome in words."""
    pair = f"Round {repeat.again.number} is round {repeat.of.number} trained again"
    if repeat.same is None:
        return f"{pair}: not finished yet."
    if repeat.same:
        return f"{pair}: the same weights, bit for bit."
    return f"{pair}: the weights are different. {' '.join(repeat.reasons)}"


def _reasons(of: Run, again: Run) -> list[str]:
    old, new = of.summary or {}, again.summary or {}
    found = []
    for name in CALLED:
        was, now = (old.get("versions") or {}).get(name), (new.get("versions") or {}).get(name)
        if was != now:
            found.append(f"{name} was {was or 'not known'} then and is {now or 'not known'} now.")
    details, others = _details(old), _details(new)
    for key, title in (("device", "It was trained on"), ("precision", "Its number format was")):
        if old.get(key) != new.get(key):
            found.append(f"{title} {old.get(key)} then and {new.get(key)} now.")
    if details.get("threads") != others.get("threads"):
        found.append(
            f"It computed with {details.get('threads')} threads then and {others.get('threads')} now: sums are rounded in "
            "another order."
        )
    machine = details.get(MACHINE) or {}
    here = {"processor": processor(), "system": platform.system()}
    for key, title in (("processor", "The processor"), ("system", "The operating system")):
        if machine.get(key) and machine[key] != here[key]:
            found.append(f"{title} was {machine[key]} then and is {here[key]} now.")
    if old.get("ended") != new.get("ended"):
        found.append(f"The training ended otherwise: {old.get('ended')} then, {new.get('ended')} now.")
    if not found:
        found.append(
            "Nothing that is recorded differs: versions, threads, device and number format are the same. A graphics card does "
            "not add up in a fixed order, and a training that was paused or changed by hand does not repeat."
        )
    return found


def _details(summary: Mapping[str, Any]) -> dict[str, Any]:
    return dict(summary.get("details") or {})
