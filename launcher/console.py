"""What the person reads in the terminal: plain sentences, one progress line, and errors with cause and fix."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from core.schemas.errors import UserError

QUIET_SECONDS = 15.0  # where the output is a file, a progress line at most this often


def say(text: str) -> None:
    print(text, flush=True)


def show_error(error: UserError) -> None:
    print(f"\n{error.title}\n  Why: {error.cause}\n  What to do: {error.fix}", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """`48 s`, `3 min 05 s`."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def tail(path: Path, lines: int = 12) -> str:
    """The last lines of a log file, or an empty text where there is none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.rstrip().splitlines()[-lines:])


class ProgressLine:
    """One line, rewritten in place with the time that has passed; in a file, a new line now and then."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream or sys.stdout
        self._clock = clock
        self._started = clock()
        self._last_written = -QUIET_SECONDS
        self._width = 0

    def show(self, text: str) -> None:
        passed = self._clock() - self._started
        line = f"{text} ({duration(passed)})"
        if self._stream.isatty():
            line = line[: shutil.get_terminal_size().columns - 1]
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif passed - self._last_written >= QUIET_SECONDS:
            self._stream.write(line + "\n")
            self._last_written = passed
        self._stream.flush()

    def end(self, text: str) -> None:
        """Replace the line by its result."""
        line = f"{text} ({duration(self._clock() - self._started)})"
        self._stream.write(("\r" + line.ljust(self._width) if self._stream.isatty() else line) + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Leave the line as it is and go to the next one."""
        if self._stream.isatty() and self._width:
            self._stream.write("\n")
            self._stream.flush()
