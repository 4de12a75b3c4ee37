"""`kill -9` at random instants, of the training's process, of the worker or of its fork server. Run by hand; 50 kills
take a quarter of an hour:

    python -m tests.faults.kills [--kills 50] [--seed 1]

A real worker trains a small model in float32 on the processor. It is killed at random instants, loading, training and saving
included, and started again. Every run has to end with the same weights bit by bit, the same curves with no step missing or
doubled and the same result as one that nobody disturbed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.store.tables import Run

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the tests' own helpers

A_RUN = 10  # kills
LONG = 1200.0  # seconds; a machine that is busy with other work needs minutes to load the training engine
LONGEST = 12.0  # seconds between two kills: loading takes most of them


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        os.environ["TUNEWELL_STORAGE"] = folder
        import small_model
        import test_worker
        from job_processes import fork_server
        from test_worker import Workplace, assert_equal_to, resumptions, state
        from waiting import until

        from core.store import jobs
        from core.worker.supervisor import MOST_ATTEMPTS

        test_worker.LONG = LONG

        def attempt(run: Run) -> int:
            job = jobs.get(run.job_id or "")
            return 0 if job is None or job.state.final else job.attempt

        place = Workplace(Path(folder), small_model.build(Path(folder) / "base"))
        place.start()
        undisturbed = place.train()
        place.done(undisturbed)
        done = children = workers = servers = 0
        while done < options.kills:
            run = place.train()
            for _ in range(min(A_RUN, options.kills - done)):
                # After three kills without a checkpoint between them the worker gives up: that is right, and another test.
                until(lambda run=run: attempt(run) < MOST_ATTEMPTS - 1, "the run gets further", LONG)
                time.sleep(chance.uniform(0.0, LONGEST))
                if state(run.job_id).final:
                    break
                drawn = chance.random()
                assert place.process is not None
                server = fork_server(place.process.pid)
                if drawn > 0.9 and server is not None:
                    server.kill()
                    servers += 1
                elif drawn < 0.3 or not place.children():
                    place.process.kill()
                    place.process.wait()
                    workers += 1
                    place.start()
                else:
                    for process in place.children():
                        process.kill()
                    children += 1
                done += 1
            place.done(run)
            assert_equal_to(undisturbed, run)
            print(
                f"{done} kills: equal to the undisturbed run, resumed {resumptions(run)} times from a checkpoint",
                flush=True,
            )
        place.end()
        print(
            f"{children} times the training's process, {workers} times the worker, {servers} times the fork server: "
            "every run ended bit-equal"
        )


if __name__ == "__main__":
    main()
