"""Compare: how likely each base model of this machine finds a sample of the project's texts."""

from __future__ import annotations

from typing import Any

from core.schemas.errors import DiskFull, UserError
from core.schemas.jobs import Job
from core.schemas.knowing import Knowing
from core.services import datasets, knowing, projects
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    from core.training.knowing import of_pairs, of_texts

    assert job.project_id is not None
    project = projects.get(job.project_id)
    version = datasets.current(project)
    asked, candidates = knowing.sample(project, version), knowing.to_measure(project, version)
    assert asked is not None or not candidates
    for number, facts in enumerate(candidates, start=1):
        assert asked is not None
        name = f"{facts.title} ({number} of {len(candidates)}) reads your texts"

        def tick(done: int, name: str = name) -> None:
            recorder.obey()
            recorder.phase(name, done, asked.rows)

        tick(0)
        try:
            if why := knowing.too_large(facts):
                found = Knowing(why=why)
            elif asked.pairs:
                found = of_pairs(facts.folder, asked.pairs, tick)
            else:
                found = of_texts(facts.folder, asked.texts, tick)
        except DiskFull:
            raise
        except UserError as error:  # one broken model does not keep the others from being measured
            found = Knowing(why=f"{error.title} {error.cause}")
        # Each figure is kept as soon as it is there: a cancel costs only the model that is being read.
        recorder.guard()
        knowing.keep(facts, asked, found)
    return {"measured": len(candidates)}
