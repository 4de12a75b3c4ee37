"""Progress of work that has several parts: what is being done now, how far it is, and whether it should stop here."""

from __future__ import annotations

from core.schemas.recorder import Recorder


class Stages:
    """`begin` names a part; then the object is called with how much of it is done. Raises Interrupted when asked to stop."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.name, self.total = recorder, "", 0

    def begin(self, name: str, total: int = 0) -> None:
        self.name, self.total = name, total
        self(0)

    def __call__(self, done: int) -> None:
        self.recorder.obey()
        self.recorder.phase(self.name, min(done, self.total), self.total)
