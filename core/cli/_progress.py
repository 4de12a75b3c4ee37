"""One line about what is being done: a bar on a terminal, elsewhere a line for each new phase."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import TextIO

BAR = 24


class Progress:
    """Draws to `stream` (standard error). `clock` counts seconds; `columns` is the width of the terminal."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic, columns: int | None = None) -> None:
        self._stream, self._clock, self._columns = stream, clock, columns
        self._began = clock()
        self._live = stream.isatty()
        self._last = ""

    def show(self, step: str, phase: str, done: float = 0, total: float = 0) -> None:
        """`step` of the job file, the `phase` it is in, and how far that is (`total` 0: unknown)."""
        what = step if phase in ("", step) else f"{step}: {phase}"
        if not self._live:
            if what != self._last:
                self._write(f"[{self._time()}] {what}\n")
            self._last = what
            return
        share = min(1.0, max(0.0, done / total)) if total > 0 else None
        filled = 0 if share is None else round(BAR * share)
        bar = (
            "" if share is None else f" [{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%} {done:,.0f} of {total:,.0f}"
        )
        columns = self._columns or shutil.get_terminal_size().columns
        line = f"[{self._time()}] {what}{bar}"[: max(20, columns - 1)]
        if line != self._last:
            self._write(f"\r\x1b[2K{line}")
        self._last = line

    def say(self, sentence: str) -> None:
        """A sentence of its own line, above the bar."""
        self.clear()
        self._write(f"{sentence}\n")

    def clear(self) -> None:
        """Take the bar away, so that something else can be written."""
        if self._live and self._last:
            self._write("\r\x1b[2K")
        self._last = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _time(self) -> str:
        minutes, seconds = divmod(int(self._clock() - self._began), 60)
        return f"{minutes:2d}:{seconds:02d}"
