"""About how long a job's present part still takes, from how it went since this page began to watch it."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from typing import Any

from core.schemas.jobs import Job

LEAST_SECONDS = 3.0  # watched for less, the first steps would decide alone


def time_left(job: Job, memory: MutableMapping[Any, Any], clock: Callable[[], float] = time.monotonic) -> str:
    """In words, or empty where it cannot be said. `memory` lasts as long as the page is open."""
    key = f"pace-{job.id}"
    first = memory.get(key)
    if first is None or first[:2] != (job.phase, job.total) or job.done < first[2]:
        memory[key] = first = (job.phase, job.total, job.done, clock())
    gone, seconds = job.done - first[2], clock() - first[3]
    if gone <= 0 or seconds < LEAST_SECONDS or job.done >= job.total:
        return ""
    return in_words(seconds / gone * (job.total - job.done))


def in_words(seconds: float) -> str:
    """ "about 40 s left", "about 3 min left", "about 2 h left"."""
    if seconds <= 90:
        return f"about {max(5, 5 * round(seconds / 5))} s left"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left".replace(".0 h", " h")
