"""Wait for something that another process or thread does, with a deadline instead of a sleep of a guessed length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LONGEST_PAUSE = 0.25


def until(condition: Callable[[], T], what: str, seconds: float = 60.0, every: float = 0.05) -> T:
    """Return the first true value of `condition`; fail with `what` when there was none in time.

    Who has waited long asks less often (a hundredth of the time waited): asking takes time from what is waited for.
    """
    begun = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - begun
        if waited > seconds:
            raise AssertionError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(max(every, min(waited / 100, LONGEST_PAUSE)))
    return value
