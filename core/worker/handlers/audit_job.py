"""Audit: the chosen audits that fit the model, on validation (or, at the end, test) rows, neutral probes and given files."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from core.data.many_comparisons import corrected
from core.data.remembering import Remembering
from core.schemas.audits import AuditResult
from core.schemas.errors import UserError, is_disk_full
from core.schemas.jobs import Job
from core.schemas.predictor import Predictor
from core.schemas.recorder import Interrupted
from core.services import audit_scope, audits, identity_words, runs
from core.store import jobs
from core.store.engine import DatabaseBusy
from core.store.tables import Run
from core.tasks import registry as tasks
from core.worker.recorder import JobRecorder

NOT_OF_ONE_AUDIT = (Interrupted, jobs.FencedOut, DatabaseBusy, MemoryError)  # these end, or hold, the whole job


def run(job: Job, recorder: JobRecorder) -> dict[str, Any]:
    recorder.phase("Starting the model engine")
    training, config = runs.get(job.payload["run_id"]), job.payload.get("config") or {}
    split = job.payload.get("split") or "validation"
    done, refused = audit_run(training, config, recorder, split)
    return recorder.deliver(lambda: {"audit_id": audits.store(training, config, done, refused, split).id})


def audit_run(
    training: Run, config: Mapping[str, Mapping[str, Any]], recorder: JobRecorder, split: str = "validation"
) -> tuple[dict[str, AuditResult], dict[str, Any]]:
    """Run the chosen audits: their results by key, and for those that cannot be done the reason. Equal texts are read once."""
    from core.training import predictors

    inputs = runs.inputs(training)
    scope = audit_scope.of(config)
    refused: dict[str, Any] = {key: reason.as_dict() for key, reason in audits.unfit(inputs.family).items()}
    recorder.phase("Loading the models")
    prompt = tasks()[training.task].label_prompt
    tuned = Remembering(predictors.tuned(inputs.folder, inputs.plan))
    untouched = predictors.base(inputs.base_folder, inputs.family, inputs.plan, inputs.labels, prompt)
    base = Remembering(untouched) if untouched is not None else None
    scorer = _scorer(scope.scorer, refused)
    done: dict[str, AuditResult] = {}
    unforeseen: Exception | None = None
    for key, audit in audit_scope.chosen(inputs.family, scope).items():

        def progress(count: int, total: int, title: str = audit.title) -> None:
            recorder.obey()
            recorder.phase(title, count, total)

        recorder.obey()
        recorder.phase(audit.title)
        try:
            data = audit_scope.given(training, inputs, config, split, audit.needs_model, tuned, base, scorer, progress)
            settings = audit.config.model_validate(config.get(key) or {})
            done[key] = audit.run(data, identity_words.with_own_axes(settings, data.language, data.own_words))
        except UserError as error:
            refused[key] = error.as_dict()
        except NOT_OF_ONE_AUDIT:
            raise
        except Exception as failure:
            if is_disk_full(failure):
                raise
            traceback.print_exception(failure)  # the log of the job has it
            refused[key] = _unforeseen(failure).as_dict()
            unforeseen = failure
    if unforeseen is not None and not done:
        raise unforeseen
    return corrected(done), refused


def _unforeseen(failure: Exception) -> UserError:
    return UserError(
        "This audit failed in a way that we did not foresee.",
        f"{type(failure).__name__}: {str(failure)[:300]}",
        "The other audits are complete. Open the log for the details, and try this one again.",
    )


def _scorer(folder: str, refused: dict[str, Any]) -> Predictor | None:
    """The person's own classifier; where it cannot be loaded, the rest of the audit goes on without it."""
    if not folder:
        return None
    from core.training.scorer import TextScorer

    try:
        return TextScorer(folder)
    except UserError as error:
        refused["scorer"] = error.as_dict()
        return None
