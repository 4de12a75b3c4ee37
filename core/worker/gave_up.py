"""What a person reads about a job whose process ended by itself too often, each kind with what helps it."""

from __future__ import annotations

from core.schemas.jobs import JobKind

WRITE = (JobKind.TRAIN, JobKind.FIND_RATE, JobKind.MITIGATE)
ASK = (JobKind.EVALUATE, JobKind.GENERATE, JobKind.AUDIT, JobKind.PREDICT, JobKind.SERVE, JobKind.MEASURE)
LOG = "The log shows the last thing it did."


def error(kind: JobKind, status: int | None, attempts: int) -> dict[str, str]:
    """As a `UserError` is kept. `status` is the exit status of the last process, None or negative where it was killed."""
    how = "was killed" if status is None or status < 0 else f"ended with status {status}"
    told = {
        "title": "The job stopped several times without getting further.",
        "cause": f"Its process {how} {attempts} times in a row; often this means that memory ran out.",
    }
    if kind in WRITE:
        fix = "Use a smaller batch, a shorter maximum length or a smaller model, then start it again."
        return told | {"fix": f"{fix} {LOG}", "action": "smaller_batch"}
    if kind is JobKind.SERVE:
        told["title"] = "The models could not be kept in memory."
    fix = (
        "Close what else uses memory on this machine, such as a training or another program, then start it again. If that does "
        "not help, a round on a smaller base model needs less."
        if kind in ASK
        else "Close what else uses memory on this machine, then start it again."
    )
    return told | {"fix": f"{fix} {LOG}"}
