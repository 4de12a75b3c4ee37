"""Run a module as `python -m` would, but end with the launcher, even where that was killed.

    python -m launcher.tied MODULE [ARGUMENTS]

Standard input must be a pipe that only the launcher holds open: when it closes, the launcher is gone. Unlike a parent
process id, this works the same on every system and cannot be mistaken for another process.
"""

from __future__ import annotations

import os
import runpy
import sys
import threading


def _end_with_launcher() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)  # nothing to save: the database is the truth, and an open transaction rolls back


if __name__ == "__main__":
    threading.Thread(target=_end_with_launcher, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
