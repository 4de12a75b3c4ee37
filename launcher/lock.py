"""One Tunewell a storage folder. The operating system holds the lock and frees it when the process ends, however it
ends; the file's content only tells a second start where the first one is."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path
from types import TracebackType

from core.schemas.errors import UserError

_LOCKED_BYTE = 1 << 30  # far behind the content: on Windows a locked byte cannot be read


class InstanceLock:
    """Use as a context manager; `held` says whether this process got the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.held = False
        self._file: int | None = None

    def __enter__(self) -> InstanceLock:
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(self._file)
            self.held = True
            self.announce(None)
        except OSError as error:
            os.close(self._file)
            self._file = None
            if error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
                raise UserError(
                    f"The storage folder {self.path.parent} cannot be used.",
                    f"Files in it cannot be locked ({error.strerror or error}); some network drives cannot do that.",
                    "Choose a folder on a disk of this computer with --storage.",
                ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file, self.held = None, False

    def announce(self, address: str | None) -> None:
        """Write who holds the lock: this process, and the dashboard's address once it is known."""
        assert self._file is not None
        content = json.dumps({"pid": os.getpid(), "address": address}).encode()
        os.ftruncate(self._file, 0)
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, content)

    def holder(self) -> tuple[int | None, str | None]:
        """`(process id, address)` of whoever announced itself last; None for what is not known."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return content["pid"], content["address"]
        except (OSError, ValueError, KeyError):
            return None, None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
