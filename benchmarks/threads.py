"""How many processor threads a training step should use: steps a second of the starter with 1, 2, ... threads.

    python -m benchmarks.threads [--busy 0 1 2] [--seconds 8]

Each setting runs in a fresh process, as a job does, on an idle machine and beside `--busy` processes that keep a core busy
(another training, a browser). Prints one row a setting: the median and the slowest tenth of the step times in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

BUSY = "x = 1\nwhile True: x = (x * 3) % 1000003"


def measure(seconds: float) -> dict[str, float]:
    """Full training steps (batch 8, 32 tokens) of the model that ships; times in milliseconds."""
    import torch

    from core.services.models import STARTER_FOLDER
    from core.training import loading

    model = loading.base_model(STARTER_FOLDER, "causal-lm", torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-5)
    ids = torch.randint(10, 1000, (8, 32), generator=torch.Generator().manual_seed(1))
    times: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end or len(times) < 5:
        began = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        times.append(1000 * (time.perf_counter() - began))
    times = sorted(times[2:])
    return {"median": statistics.median(times), "slow": times[int(0.9 * (len(times) - 1))], "steps": len(times)}


def in_a_fresh_process(threads: int, waiting: str, seconds: float) -> dict[str, float]:
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    if waiting == "passive":  # threads sleep at a barrier instead of spinning
        variables |= {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0", "KMP_BLOCKTIME": "0"}
    command = [sys.executable, "-m", "benchmarks.threads", "--measure", str(seconds)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--busy", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--threads", type=int, nargs="*", default=list(range(1, (os.cpu_count() or 1) + 1)))
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--measure", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure)))
        return
    print(f"{'busy':>5} {'threads':>7} {'waiting':>8} {'median ms':>10} {'slowest 10% ms':>15}")
    for busy in options.busy:
        others = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(busy)]
        try:
            for threads in options.threads:
                for waiting in ("default", "passive"):
                    found = in_a_fresh_process(threads, waiting, options.seconds)
                    print(
                        f"{busy:>5} {threads:>7} {waiting:>8} {found['median']:>10.0f} {found['slow']:>15.0f}",
                        flush=True,
                    )
        finally:
            for other in others:
                other.kill()
                other.wait()


if __name__ == "__main__":
    main()
