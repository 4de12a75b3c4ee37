"""Tiny projects with a trained round, and jobs carried out as the worker's child does it: what tests of serving begin with."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import pandas as pd
import pytest
import tiny_training as tiny

from core.schemas.jobs import JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.recipe import Recipe
from core.services import datasets, models, preparation, projects, runs
from core.services.snippets import VARIABLE, Snippet
from core.store import jobs
from core.store.tables import Run
from core.worker import child
from core.worker.recorder import JobRecorder

RECIPE = Recipe(
    method="full",
    learning_rate=3e-3,
    epochs=2,
    batch_size=8,
    evaluations_per_epoch=1,
    early_stopping=0,
    warmup=0.0,
)  # fmt: skip


def carried_out(kind: JobKind) -> JobState:
    """The oldest waiting job of this kind, done as the worker's child does it."""
    found = jobs.claim([kind], "me")
    assert found is not None
    recorder = JobRecorder(found[0].id, found[1], str(found[0].payload["run_id"]), lost=lambda: None)
    recorder.start()
    state, result, error = child.outcome(found[0], recorder)
    recorder.close()
    jobs.finish(found[0].id, found[1], state, result, error)
    assert error is None, error
    return state


def trained_chat(base: Path) -> Run:
    """A tiny chat model after a real training."""
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, 60)
    rows = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
    }
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(made, pd.DataFrame(rows), roles=roles, title="chats", origin={"task": "chat"})
    return _trained(made, base, PreparationPlan(max_length=80, system_prompt="Be kind."))


def trained_classifier(base: Path) -> Run:
    """A tiny classifier after a real training."""
    made = projects.create("a post office", "classification").id
    examples = tiny.classification(1, 60)
    rows = {
        "row_id": [e.row_id for e in examples],
        "text": [f"{e.text} {n}" for n, e in enumerate(examples)],
        "label": [e.label for e in examples],
    }
    roles = {"text": "text", "label": "label"}
    datasets.add_version(made, pd.DataFrame(rows), roles=roles, title="texts", origin={"task": "classification"})
    return _trained(made, base, PreparationPlan(max_length=80))


def _trained(project_id: str, base: Path, plan: PreparationPlan) -> Run:
    projects.update(project_id, base_model_key=models.add_folder(str(base)).key)
    preparation.save(projects.get(project_id), plan)
    started = runs.start(project_id, RECIPE)
    carried_out(JobKind.TRAIN)
    return runs.get(started.id)


def answers_of(found: Sequence[Snippet], key: str, folder: Path) -> dict[str, str]:
    """What each snippet prints when it is run as it stands: Python in this process, which has the client imported. Without
    node on this machine there is no JavaScript."""
    out = {}
    runners = {"bash": ("bash", "ask.sh"), "javascript": ("node", "ask.mjs")}
    for snippet in found:
        if snippet.language == "python":
            printed = io.StringIO()
            with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
                patch.setenv(VARIABLE, key)
                exec(compile(snippet.code, "ask.py", "exec"), {"__name__": "__main__"})
            out[snippet.title] = printed.getvalue()
            continue
        program, name = runners[snippet.language]
        if (runner := shutil.which(program)) is None:
            continue
        (folder / name).write_text(snippet.code, encoding="utf-8")
        done = subprocess.run(
            [runner, str(folder / name)], env={**os.environ, VARIABLE: key}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{snippet.title}: {done.stderr}"
        out[snippet.title] = done.stdout
    return out
