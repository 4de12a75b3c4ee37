"""What this machine has, found without torch: processor, memory, graphics card, free disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import psutil

from core.schemas.base import Schema


class Hardware(Schema):
    """Sizes in bytes. `gpu_memory` is 0 without an NVIDIA card; `speed` is a rough rate in floating-point operations a
    second for float32 training steps on this kind of device. `devices` counts the NVIDIA cards, 1 without any."""

    device: str
    title: str
    devices: int = 1
    cores: int
    memory: int
    memory_free: int
    gpu_memory: int
    disk_free: int
    speed: float

    @property
    def available(self) -> int:
        """Memory that a training may use."""
        return self.gpu_memory or self.memory_free


@cache
def _gpu() -> tuple[str, int, int] | None:
    """Name and memory of the first NVIDIA card and how many there are, asked of the driver's own tool."""
    if not shutil.which("nvidia-smi"):
        return None
    try:
        found = subprocess.run(
            ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=10, check=True,
        )  # fmt: skip
        cards = found.stdout.splitlines()
        name, megabytes = cards[0].rsplit(",", 1)
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        return name.strip(), int(megabytes) * 2**20, len(visible.split(",")) if visible else len(cards)
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def look(folder: Path | None = None) -> Hardware:
    """The machine as it is now; `folder` is where the disk is measured."""
    memory = psutil.virtual_memory()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpu = _gpu()
    return Hardware(
        device="cuda" if gpu else "cpu",
        title=gpu[0] if gpu else f"{cores} processor cores",
        devices=gpu[2] if gpu else 1,
        cores=cores,
        memory=memory.total,
        memory_free=memory.available,
        gpu_memory=gpu[1] if gpu else 0,
        disk_free=shutil.disk_usage(folder or Path.home()).free,
        # Orders of magnitude for the first estimate: 30 GFLOP/s a core, 100 TFLOP/s a card.
        speed=1e14 if gpu else 3e10 * cores,
    )
