"""Where the time of a step goes, without waiting for the device inside the step."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import torch

SWALLOW = ("evaluation", "checkpoint")  # what happens within these belongs to them
ALWAYS = (*SWALLOW, "recording")  # outside of the arithmetic of a step, and rare
SAMPLE_SECONDS = 0.01  # of steps shorter than this only one in that time is taken apart: looking would cost too much
UNSPLIT = "unsplit"


class Span:
    """`with span:` the time until the end belongs to this phase, less that of phases within it. Reused for every step."""

    __slots__ = ("always", "name", "phases", "taken")

    def __init__(self, phases: Phases, name: str) -> None:
        self.phases, self.name, self.always = phases, name, name in ALWAYS
        self.taken = 0  # how often it was entered and is not left yet

    def __enter__(self) -> None:
        if self.phases.splitting or self.always:
            self.taken += 1
            self.phases.enter(self.name)

    def __exit__(self, *_: object) -> None:
        if self.taken:
            self.taken -= 1
            self.phases.leave()


class Phases:
    """One unbroken line of time, each stretch of it belonging to the innermost phase then open, or to `other`.

    On a CPU by the clock. On an NVIDIA card by events that the card passes in the order of its work: they are read only
    when it has passed them, so nothing waits. On other devices (Apple) nothing is measured: the clock would show when
    work was handed over, not when it was done.

    Of very short steps some are taken apart, and the time of the others is shared out as theirs was.
    """

    def __init__(self, device: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self.measured = device in ("cpu", "cuda")
        self._cuda, self._clock = device == "cuda", clock
        self._stack: list[str] = []
        self._spans: dict[str, Span] = {}
        self._seconds: dict[str, float] = {}
        self._mark: Any = None
        self.splitting = True  # whether the step under way is taken apart
        self._every, self._count, self._since = 1, 0, clock()
        self._passed: deque[tuple[str, Any, Any]] = deque()

    def start(self) -> None:
        """Time counts from here on."""
        self._mark = self._now()

    def tick(self) -> None:
        """A step is over. Decides whether the next one is taken apart: one in as many as take SAMPLE_SECONDS together."""
        self._count += 1
        if self._mark is None or not self.measured or self._count < (1 if self.splitting else self._every - 1):
            return
        if self.splitting:
            now = self._clock()
            self._every = max(1, int(SAMPLE_SECONDS * self._every / max(now - self._since, 1e-9)))
            self._since = now
            if self._every == 1:
                self._count = 0
                return
        self._close()
        self.splitting, self._count = not self.splitting, 0

    def span(self, name: str) -> Span:
        found = self._spans.get(name)
        if found is None:
            found = self._spans[name] = Span(self, name)
        return found

    def enter(self, name: str) -> None:
        stack = self._stack
        if self._mark is not None and self.measured:
            self._close()
        stack.append(stack[-1] if stack and stack[-1] in SWALLOW else name)

    def leave(self) -> None:
        if self._mark is not None and self.measured:
            self._close()
        self._stack.pop()

    def seconds(self) -> dict[str, float]:
        """Seconds of each phase so far; empty where nothing is measured."""
        if self._mark is None or not self.measured:
            return {}
        self._close()
        self._collect()
        found = dict(self._seconds)
        if rest := found.pop(UNSPLIT, 0.0):
            split = [name for name in found if name not in ALWAYS]
            known = sum(found[name] for name in split)
            found |= {name: found[name] * (1 + rest / known) for name in split} if known else {"other": rest}
        return found

    def _now(self) -> Any:
        if not self._cuda:
            return self._clock()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _close(self) -> None:
        """The stretch since the last mark is done, and belongs to the phase that is open."""
        now = self._now()
        name = self._stack[-1] if self._stack else "other" if self.splitting else UNSPLIT
        if self._cuda:
            self._passed.append((name, self._mark, now))
            if len(self._passed) > 256:
                self._collect()
        else:
            self._seconds[name] = self._seconds.get(name, 0.0) + now - self._mark
        self._mark = now

    def _collect(self) -> None:
        """Read the events that the card has passed; the others stay for the next time."""
        while self._passed and self._passed[0][2].query():
            name, begun, ended = self._passed.popleft()
            self._seconds[name] = self._seconds.get(name, 0.0) + begun.elapsed_time(ended) / 1000
