"""Audit: every audit that fits the model, on validation (or, at the end, test) rows and neutral probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.schemas.audits import AuditInput, AuditResult
from core.schemas.errors import UserError
from core.schemas.jobs import Job
from core.services import audits, datasets, identity_words, runs
from core.store.tables import Run
from core.tasks import registry as tasks
from core.worker.recorder import JobRecorder


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    training, config = runs.get(job.payload["run_id"]), job.payload.get("config") or {}
    split = job.payload.get("split") or "validation"
    done, refused = audit_run(training, config, recorder, split)
    return recorder.deliver(lambda: {"audit_id": audits.store(training, config, done, refused, split).id})


def audit_run(
    training: Run, config: Mapping[str, Mapping[str, Any]], recorder: JobRecorder, split: str = "validation"
) -> tuple[dict[str, AuditResult], dict[str, Any]]:
    """Run all audits: their results by key, and for those that cannot be done the reason."""
    from core.training import predictors

    given = runs.inputs(training)
    prompt = tasks()[training.task].label_prompt
    version = datasets.get_version(training.dataset_version_id)
    recorder.phase("Loading the models")
    tuned = predictors.tuned(given.folder, given.plan)
    base = predictors.base(given.base_folder, given.family, given.plan, given.labels, prompt)
    language = identity_words.language_of(version)
    own = identity_words.of(training.project_id, language)
    done: dict[str, AuditResult] = {}
    refused: dict[str, Any] = {key: reason.as_dict() for key, reason in audits.unfit(given.family).items()}
    for key, audit in audits.available(given.family).items():

        def progress(count: int, total: int, title: str = audit.title) -> None:
            recorder.obey()
            recorder.phase(title, count, total)

        rows = given.parts[split] if audit.needs_model else [*given.parts["train"], *given.parts["validation"]]
        settings = audit.config.model_validate(config.get(key) or {})
        data = AuditInput(
            examples=rows,
            tuned=tuned if audit.needs_model else None,
            base=base if audit.needs_model else None,
            groups=audits.own_groups(training, config),
            categories={} if audit.needs_model else audits.other_columns(training, config),
            language=language,
            own_words=own,
            progress=progress,
        )
        recorder.phase(audit.title)
        try:
            done[key] = audit.run(data, identity_words.with_own_axes(settings, language, own))
        except UserError as error:
            refused[key] = error.as_dict()
    return done, refused
