"""How running work reports what happens and learns what is wanted. The worker hands one in; training never sees the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from .jobs import Desired


class Interrupted(Exception):
    """Raised by work that stopped because it was asked to (`wish`); what it had done so far is kept."""

    def __init__(self, wish: Desired) -> None:
        super().__init__(wish.value)
        self.wish = wish


class Recorder(Protocol):
    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        """Say what is being done now, and how far it is (`done` of `total`; total 0 means unknown)."""
        ...

    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None:
        """Add one point to each named curve. Queued; written in batches."""
        ...

    def event(self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        """Something worth a line beside the curves: coach advice, a sample, an out-of-memory retry."""
        ...

    def checkpoint(self, step: int, folder: str, metric: float | None) -> None:
        """A whole checkpoint exists under its final name."""
        ...

    def forget_checkpoint(self, step: int) -> None:
        """The checkpoint of this step is about to be deleted."""
        ...

    def pinned(self) -> set[int]:
        """Steps of the checkpoints that the person wants to keep. Asked at each checkpoint, not at each step."""
        ...

    def wish(self) -> Desired:
        """What the person wants now. Cheap: may be asked at every step."""
        ...

    def shutting_down(self) -> bool:
        """True when the worker ends: save and leave; the job goes on at the next start."""
        ...

    def obey(self) -> None:
        """For work without checkpoints, between two of its parts: raises Interrupted when it is to stop here."""
        ...

    def guard(self) -> None:
        """Make sure this process still owns the job. Called before anything gets its final name; ends a stale process."""
        ...
