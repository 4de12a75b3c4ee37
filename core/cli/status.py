"""`python -m core status`: the worker and the newest jobs."""

from __future__ import annotations

import argparse
import json
import time

from core.store import jobs
from core.store.migrate import migrate

from . import _worker


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--limit", type=int, default=20, help="how many jobs")


def main(options: argparse.Namespace) -> int:
    migrate()
    worker = _worker.alive()
    found = jobs.find()[: options.limit]
    if options.json:
        rows = [j.model_dump(mode="json", exclude={"payload", "result"}) for j in found]
        print(json.dumps({"worker": worker, "jobs": rows}))
        return 0
    print(f"worker: {worker or 'not running'}")
    for job in found:
        share = f"{100 * job.done / job.total:.0f}%" if job.total else ""
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(job.created_at))
        print(f"{when}  {job.id}  {job.kind:<9} {job.state:<8} {job.phase} {share}")
    return 0
