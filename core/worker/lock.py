"""One worker for each storage folder: a second one ends with a reason. The lock goes with the process that held it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

from core.atomic import write_json
from core.schemas.errors import UserError
from core.store.owners import alive_worker, identity


class SingleWorker:
    """Context manager around the life of a worker. Raises UserError when another one is alive."""

    def __init__(self, state: Path) -> None:
        self.file = state / "worker.json"
        self.mutex = state / "worker.lock"

    def __enter__(self) -> SingleWorker:
        self.handle = open(self.mutex, "a+b")
        if not self._take():
            self.handle.close()
            raise UserError(
                "A worker is already running on this storage folder.",
                f"It is {alive_worker(self.file.parent) or 'just starting'}.",
                "Use the one that runs, or stop it first.",
            )
        write_json(self.file, {"owner": identity(), "since": time.time()})
        return self

    def _take(self) -> bool:
        """An operating-system lock: it cannot outlive its process, however that ends."""
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(self.handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            else:
                import fcntl

                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.unlink(missing_ok=True)
        self.handle.close()
