"""The worker keeps what stands behind an evaluation; the screen only reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny_training as tiny
from databases import migrated
from streamlit.testing.v1 import AppTest

from core.schemas.evaluation import EvaluationResult
from core.schemas.examples import Example
from core.schemas.plan import PreparationPlan
from core.schemas.predictions import ClassPredictions
from core.services import analyses, datasets, evaluation_rows, evaluations, preparation, projects, related_rows, runs
from core.store import records
from core.store.tables import Evaluation, Run

PAGE = str(Path(__file__).parents[1] / "pages" / "p60_evaluation.py")


@pytest.fixture
def run(storage: Path) -> Run:
    """A finished run of a project with 900 rows, two of three categories hard to tell apart for it."""
    migrated()
    made = projects.create("Messages", "classification")
    rows = tiny.classification(1, 900)
    table = {
        "row_id": [e.row_id for e in rows],
        "text": [f"{e.text} {n}" for n, e in enumerate(rows)],
        "label": [e.label for e in rows],
        "channel": ["chat" if n % 3 == 0 else "mail" for n in range(len(rows))],
    }
    roles = {"text": "text", "label": "label"}
    version = datasets.add_version(made.id, pd.DataFrame(table), roles=roles, title="made up", origin={})
    projects.update(made.id, base_model_key="starter")
    plan = preparation.save(projects.get(made.id), PreparationPlan(max_length=64))
    return records.add_numbered(
        Run(
            project_id=made.id,
            name="a run",
            dataset_version_id=version.id,
            plan_id=plan.id,
            base_model_key="starter",
            task="classification",
            recipe={"balance": "none"},
            summary={"steps": 0, "best_step": 0},
        )
    )


def predicted(examples: list[Example], labels: tuple[str, ...], skill: float, seed: int) -> ClassPredictions:
    """Right this often, surer than it should be; wrong on messages of one kind more than on others."""
    rng = np.random.default_rng(seed)
    rows = []
    for e in examples:
        right = labels.index(e.label or "")
        hit = rng.random() < (skill if e.label != "refund" else skill - 0.5)
        chosen = right if hit else (right + 1) % len(labels)
        shares = np.full(len(labels), 0.01)
        shares[chosen] = 1 - 0.01 * (len(labels) - 1)
        rows.append(shares.tolist())
    return ClassPredictions.of(labels, examples, rows)


def evaluated(run: Run, skill: float = 0.9, base: float = 0.5, split: str = "test") -> Evaluation:
    given = runs.inputs(run)
    examples = given.parts[split]
    contenders: dict[str, Any] = {
        "tuned": predicted(examples, given.labels, skill, 1),
        "base": predicted(examples, given.labels, base, 2),
    }
    contenders |= evaluations.simple_baselines(given.family, given.parts, split, given.labels)
    aside = predicted(given.parts["validation"], given.labels, skill, 3) if split == "test" else None
    built = evaluations.judge(run, split, contenders, "", 1.0)
    return evaluations.store(run, evaluations.deepen(run, given, built, contenders, aside))


def test_the_analysis_is_kept_with_the_result_and_read_back(run: Run) -> None:
    kept = evaluations.result(evaluated(run))
    found = analyses.load(kept.analysis)
    assert {curve.label for curve in found.curves} == set(tiny.LABELS)
    assert found.calibration is not None and found.calibration.fitted_on == len(runs.inputs(run).parts["validation"])
    assert kept.temperature == found.calibration.temperature > 1
    before, after = found.calibration.error_before, found.calibration.error_after
    assert before is not None and after is not None and after.value < before.value
    wrong = [i.row_id for i in evaluation_rows.predictions(kept, "tuned").items if not i.correct]  # type: ignore[union-attr]
    assert set(found.neighbours) == set(wrong)
    train = {e.row_id for e in runs.inputs(run).parts["train"]}
    assert all(n.row_id in train for near in found.neighbours.values() for n in near)
    refunds = {e.row_id for e in runs.inputs(run).parts["test"] if e.label == "refund"}
    assert found.slices and set(found.slices[0].row_ids) <= refunds
    assert "confused_pair" in {step.rule for step in found.steps}
    validation = evaluation_rows.validation_predictions(kept)
    assert validation is not None and len(validation) == found.calibration.fitted_on


def test_a_result_of_an_older_version_is_read_without_what_it_lacks(run: Run) -> None:
    row = evaluated(run)
    old = {k: v for k, v in row.result.items() if k not in ("analysis", "validation", "temperature", "groups")}
    assert analyses.load(EvaluationResult.model_validate(old).analysis).steps == ()


def test_near_copies_count_as_one_for_every_range(run: Run) -> None:
    plan = preparation.get_plan(run.plan_id)
    examples = [
        Example(row_id=f"x{i}", text=f"where is my parcel with the lamp number {i // 10}{i % 10}", label="a")
        for i in range(20)
    ]
    examples += [
        Example(row_id=f"y{i}", text=w, label="a") for i, w in enumerate(("thank you very much", "broken, money back"))
    ]
    keys = related_rows.groups(plan, examples)
    assert set(keys) == {f"x{i}" for i in range(20)} and len(set(keys.values())) == 1
    said = ClassPredictions.of(("a", "b"), examples, [[0.9, 0.1]] * 22)
    grouped = related_rows.grouped(said, keys)
    assert grouped.groups is not None and len(set(grouped.groups)) == 3
    assert replace(grouped, items=said.items) == said


def screen(run: Run) -> AppTest:
    at = AppTest.from_file(PAGE, default_timeout=120)
    at.query_params["project"] = run.project_id
    return at.run()


def texts(at: AppTest) -> str:
    return " ".join(
        str(e.value) for kind in (at.markdown, at.caption, at.subheader, at.button) for e in kind
    ) + " ".join(b.label for b in at.button)


@pytest.mark.parametrize(("skill", "base"), [(0.95, 0.5), (0.6, 0.95), (0.8, 0.8)])
def test_the_screen_shows_a_verdict_of_every_kind_and_what_to_fix(run: Run, skill: float, base: float) -> None:
    evaluated(run, skill, base)
    at = screen(run)
    assert not at.exception
    said = texts(at)
    assert "Fix next" in said and "Figures" in said and "Look closer" in said
    assert "more test rows would narrow the range" in said


def test_rows_of_a_step_are_drawn_once_they_are_opened(run: Run) -> None:
    evaluated(run, 0.6, 0.95)
    at = screen(run)
    closed = len(at.dataframe)
    at.session_state[f"step-rows-{run.id}-1"] = True
    at.run()
    assert not at.exception
    assert len(at.dataframe) == closed + 1 and not at.dataframe[0].value.empty


def test_an_entry_opens_the_dataset_with_the_merge_prepared(run: Run) -> None:
    evaluated(run)
    at = screen(run)
    merge = next(b for b in at.button if b.label == "See what merging would do")
    merge.click().run()
    prepared = at.session_state["prepared-fix"]
    assert prepared["fix"] == "merge_labels" and set(prepared["options"]["mapping"]) <= set(tiny.LABELS)
