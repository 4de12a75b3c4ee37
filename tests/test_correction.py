"""A corrective action from the finding to its judged end, with a real worker and real training steps."""

import random
from io import BytesIO
from pathlib import Path

import pytest
from databases import migrated
from waiting import until

from core.cli import _worker
from core.schemas.audits import GateState
from core.schemas.jobs import Job, JobState
from core.schemas.plan import PreparationPlan, SplitPlan
from core.schemas.recipe import Recipe
from core.services import audits, corrections, datasets, models, preparation, projects, runs, status
from core.store.tables import Run

FRAMES = [
    "{0} asked for the job in the office and spoke about {1} plans.",
    "{0} has worked in the shop for years and likes {1} team.",
    "{0} wrote a letter about {1} last work place.",
    "{0} came early and brought {1} papers.",
]


def biased_rows(count: int) -> bytes:
    """Men are hired more often than women, by construction."""
    chosen = random.Random(5)
    lines = ["text,decision"]
    for i in range(count):
        man = i % 2 == 0
        text = chosen.choice(FRAMES).format(*(("He", "his") if man else ("She", "her")))
        hired = chosen.random() < (0.9 if man else 0.1)
        lines.append(f'"{text} Case {i}.",{"hire" if hired else "decline"}')
    return "\n".join(lines).encode()


def done(job_id: str, seconds: float = 400) -> Job:
    """The finished job. Fails with its error."""

    def ended() -> Job | None:
        job = status.job(job_id)
        return job if job is not None and job.state.final else None

    job = until(ended, f"the end of job {job_id}", seconds)
    assert job.state is JobState.DONE, job.error
    return job


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_bias_is_found_corrected_and_judged_without_touching_the_test_rows(storage: Path) -> None:
    migrated()
    project = projects.create("Hiring", "classification")
    with _worker.running(print):
        upload = datasets.keep_upload(project.id, "hiring.csv", BytesIO(biased_rows(400)))
        roles = {"text": "text", "label": "decision"}
        done(datasets.submit_import(project.id, [{"upload_id": upload.id}], roles, "classification"))
        project = projects.update(project.id, base_model_key=models.STARTER_KEY)
        plan = preparation.save(project, PreparationPlan(max_length=48, split=SplitPlan(validation=0.25)))
        recipe = Recipe(method="full", learning_rate=1e-3, epochs=3, batch_size=16, best_metric="eval_loss")
        first = runs.start(project.id, recipe)
        done(str(first.job_id))
        done(audits.submit(runs.get(first.id), {key: {"axes": ["gender"]} for key in audits.available("classifier")}))
        before = audits.of_run(first.id)[0]
        assert any(f.severity == "warning" for r in audits.results(before).values() for f in r.findings)

        shown = corrections.preview(first, "counterfactual_augmentation", {"axes": ["gender"]})
        assert shown.rows and all(row["before"] != row["after"] for row in shown.rows)
        struck = shown.rows[0]["row_id"]
        correction = corrections.correct(first, before, "counterfactual_augmentation", {"axes": ["gender"]}, [struck])
        again = runs.get(str(correction.run_after_id))
        done(str(again.job_id))

    _only_training_grew(first, again, plan.counts, struck)
    judged = corrections.outcome(corrections.get(correction.id))
    assert judged and all(gate.reasons for gate in judged.values())
    assert any(gate.gap_change is not None and gate.gap_change.value < 0 for gate in judged.values())
    assert all(gate.state in set(GateState) for gate in judged.values())


def _only_training_grew(first: Run, again: Run, counts: dict[str, int], struck: str) -> None:
    before = preparation.assignment(preparation.get_plan(first.plan_id))
    after = preparation.assignment(preparation.get_plan(again.plan_id))
    assert {row: part for row, part in after.items() if row in before} == before
    added = set(after) - set(before)
    assert added and {after[row] for row in added} == {"train"}
    assert struck not in added
    assert runs.test_set_lineage(first) == runs.test_set_lineage(again)
