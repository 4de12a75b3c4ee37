"""The life of a job: what is wanted, what happened, and which states are final."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from .base import Schema


class JobKind(StrEnum):
    IMPORT = "import"
    CHECK = "check"
    PREPARE = "prepare"
    MEASURE = "measure"
    COMPARE = "compare"
    FIND_RATE = "find_rate"
    SWEEP = "sweep"
    TRAIN = "train"
    EVALUATE = "evaluate"
    GENERATE = "generate"
    AUDIT = "audit"
    MITIGATE = "mitigate"
    EXPORT = "export"
    SERVE = "serve"
    FIX = "fix"
    TEST_SET = "test_set"
    JUDGE = "judge"
    PUSH = "push"
    PREDICT = "predict"
    PACK = "pack"
    UNPACK = "unpack"


# One job at a time in each lane, so that a chat or an import need not wait for a training. A sweep only watches its runs.
LANES: Mapping[str, tuple[JobKind, ...]] = {
    "compute": (
        JobKind.MEASURE, JobKind.COMPARE, JobKind.FIND_RATE, JobKind.TRAIN, JobKind.EVALUATE, JobKind.GENERATE, JobKind.AUDIT,
        JobKind.MITIGATE, JobKind.EXPORT, JobKind.PREDICT,
    ),
    "sweep": (JobKind.SWEEP,),
    "data": (JobKind.IMPORT, JobKind.PREPARE, JobKind.FIX, JobKind.TEST_SET, JobKind.PACK, JobKind.UNPACK),
    "check": (JobKind.CHECK,),
    "serve": (JobKind.SERVE,),
    "judge": (JobKind.JUDGE,),
    "push": (JobKind.PUSH,),
}  # fmt: skip


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        return self in (JobState.DONE, JobState.STOPPED, JobState.FAILED)

    @property
    def active(self) -> bool:
        return self in (JobState.QUEUED, JobState.RUNNING)


class Desired(StrEnum):
    """What the person wants. STOP keeps what is there (for a training: the best checkpoint); CANCEL drops it."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"


class Job(Schema):
    """Times are seconds since 1970 (UTC). `done` of `total` counts the units that `phase` names.
    Among the queued the highest `priority` comes first, then the lowest `position`."""

    id: str
    project_id: str | None
    kind: JobKind
    payload: dict[str, Any]
    state: JobState
    desired: Desired
    priority: int = 0
    position: float = 0.0
    phase: str = ""
    done: float = 0.0
    total: float = 0.0
    attempt: int = 0
    error: dict[str, Any] | None = None
    result: dict[str, Any] | None = None
    created_at: float
    started_at: float | None = None
    finished_at: float | None = None
    heartbeat_at: float | None = None
