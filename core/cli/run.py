"""`python -m core run JOB.yaml`: a whole journey from a file: import, prepare, train, evaluate, audit, export."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from types import FrameType

from core.store.migrate import migrate

from . import _job_file, _journey, _report, _worker
from ._progress import Progress
from ._watch import Watch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB.yaml", type=Path, help="the job file (docs/command-line.md)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a summary")


def main(options: argparse.Namespace) -> int:
    job = _job_file.load(options.job)
    folder = options.job.resolve().parent
    _journey.data_files(job, folder)  # a wrong path is said before anything is started
    migrate()
    signal.signal(signal.SIGTERM, _interrupt)
    progress = Progress(sys.stderr)
    with _worker.running(progress.say) as worker:
        watch = Watch(worker, progress)
        try:
            journey = _journey.carry_out(job, folder, options.job.stem, watch)
        except KeyboardInterrupt:
            raise watch.leave() from None
        finally:
            progress.clear()
    if options.json:
        print(json.dumps(_report.as_object(journey, watch.seconds), allow_nan=False))
    else:
        print(_report.as_text(journey, watch.seconds))
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Being ended by another program is the same as Ctrl-C."""
    raise KeyboardInterrupt
