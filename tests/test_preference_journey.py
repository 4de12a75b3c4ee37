"""Answers first, then votes, then a round that was taught by them, evaluated and exported: what the worker's child does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import ready_processes
import reviewing
import stored
import tiny_training as tiny
import torch
from databases import migrated
from safetensors.torch import load_file

from core.schemas.jobs import JobKind, JobState
from core.schemas.plan import PreparationPlan
from core.schemas.predictor import Decoding
from core.schemas.recipe import Recipe
from core.services import (
    datasets,
    evaluations,
    exports,
    models,
    preparation,
    projects,
    reviews,
    runs,
    starting,
    teaching,
)
from core.store import jobs
from core.store.engine import engine
from core.store.tables import Project, Run
from core.worker import child
from core.worker.recorder import JobRecorder

pytestmark = pytest.mark.usefixtures("one_thread", "ready_readers")
ready_readers = ready_processes.ready_readers
FAST: dict[str, Any] = {"batch_size": 8, "evaluations_per_epoch": 1, "early_stopping": 0, "warmup": 0.0}
BETTER, WORSE = "Thank you, the {0} is on its way.", "Not again, the {0} is none of mine."


@pytest.fixture
def project(storage: Path, small_model: Path) -> Iterator[Project]:
    migrated()
    made = projects.create("a shop", "chat").id
    examples = tiny.chats(1, 60)
    rows = {
        "row_id": [e.row_id for e in examples],
        "question": [f"{e.prompt[0].content} {n}" for n, e in enumerate(examples)],
        "answer": [e.reference for e in examples],
    }
    roles = {"prompt": "question", "response": "answer"}
    datasets.add_version(made, pd.DataFrame(rows), roles=roles, title="chats", origin={"task": "chat"})
    projects.update(made, base_model_key=models.add_folder(str(small_model)).key)
    preparation.save(projects.get(made), PreparationPlan(max_length=80))
    yield projects.get(made)
    engine().dispose()


def carried_out(kind: JobKind) -> dict[str, Any]:
    """The oldest waiting job of this kind, done as the worker's child does it. Its result."""
    found = jobs.claim([kind], "me")
    assert found is not None
    recorder = JobRecorder(found[0].id, found[1], str(found[0].payload["run_id"]), lost=lambda: None)
    state, result, error = child.outcome(found[0], recorder)
    recorder.flush()
    jobs.finish(found[0].id, found[1], state, result, error)
    assert state is JobState.DONE, error
    assert result is not None
    return result


def trained(run: Run) -> Run:
    carried_out(JobKind.TRAIN)
    return runs.get(run.id)


def votes_on(project: Project, run: Run, count: int) -> None:
    """Made-up answers with votes that always prefer the polite one, whichever model gave it."""
    items = [
        {
            "prompt": f"{e.prompt[0].content} number {n}",
            "base": (WORSE if n % 2 else BETTER).format("lamp"),
            "tuned": (BETTER if n % 2 else WORSE).format("lamp"),
            "reference": "",
            "finished": [True, True],
        }
        for n, e in enumerate(tiny.pairs(7, count))
    ]
    given = reviews.store(run, Decoding(), items)
    for place in range(count):
        reviews.rate(given, place, vote="tuned" if place % 2 else "base")


def test_votes_teach_the_next_round_which_starts_at_the_model_that_was_judged(
    project: Project, small_model: Path
) -> None:
    first = trained(runs.start(project.id, Recipe(method="lora", learning_rate=1e-2, epochs=1, **FAST)))
    votes_on(project, first, 60)
    teaching.teach(project, first)
    recipe = Recipe(method="lora", learning_rate=2e-2, lora_rank=8, epochs=3, **FAST)
    second = trained(runs.start(project.id, recipe))

    begun = starting.folder_of(second)
    merged, plain = load_file(begun / "model.safetensors"), load_file(small_model / "model.safetensors")
    name = "model.layers.0.self_attn.q_proj.weight"
    assert not torch.equal(merged[name], plain[name]), "it begins with what the first round learned"
    facts = json.loads((Path(runs.inputs(second).folder) / "model" / "tunewell.json").read_text())
    assert facts["base_folder"] == str(begun)

    evaluations.submit(second, generate=4)
    carried_out(JobKind.EVALUATE)
    result = evaluations.result(evaluations.of_run(second.id)[0])
    accuracy = result.metric("preference_accuracy")
    assert result.headline == "preference_accuracy"
    assert accuracy is not None
    assert {"tuned", "base", "longer"} <= set(accuracy.values)
    assert accuracy.values["tuned"].value > 0.9, "what it was taught holds for pairs that it never saw"
    assert accuracy.values["tuned"].n == result.n
    assert accuracy.values["tuned"].low is not None
    margin = result.metric("preference_margin")
    assert margin is not None
    assert margin.values["tuned"].value > margin.values["base"].value
    assert "round 1" in result.base_note
    assert any("longer answer" in sentence or "Not enough data" in sentence for sentence in result.sentences)

    _answers_of_everyone_who_is_compared(second)

    exports.submit(second, "merged")
    carried_out(JobKind.EXPORT)
    assert exports.of_run(second.id)[0].parity["same_answer"] > 0


def _answers_of_everyone_who_is_compared(run: Run) -> None:
    """New prompts go to the round, to the one that it came from, and to the round once more, in one set."""
    spec = reviewing.compared(
        run, "tuned", "base", "again", source="templates", templates=("Where is the {thing}?",), count=3,
        values={"thing": ("sofa", "desk", "oven")},
    )  # fmt: skip
    reviews.submit(run, spec, Decoding(max_new_tokens=8, temperature=1.0))
    made = carried_out(JobKind.GENERATE)
    given = reviews.get(made["sample_set_id"])
    assert given is not None
    assert {item["prompt"] for item in given.items} == {f"Where is the {thing}?" for thing in ("sofa", "desk", "oven")}
    assert all({"tuned", "base", "again"} <= set(item) for item in given.items)
    assert any(item["tuned"] != item["again"] for item in given.items), "the second answer is drawn anew"


def test_a_round_of_thumbs_is_judged_by_the_order_of_liked_and_disliked(project: Project) -> None:
    stored.rated_answers(project.id, 80, max_length=80)
    run = trained(runs.start(project.id, Recipe(method="full", learning_rate=5e-4, epochs=3, **FAST)))
    assert run.start_run_id is None
    evaluations.submit(run, generate=4)
    carried_out(JobKind.EVALUATE)
    result = evaluations.result(evaluations.of_run(run.id)[0])
    order = result.metric("thumb_order")
    assert result.headline == "thumb_order"
    assert result.metric("preference_accuracy") is None
    assert order is not None
    assert order.values["tuned"].value > 0.9
