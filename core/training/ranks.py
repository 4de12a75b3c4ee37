"""Several devices of one machine train one model together: one process each, the gradients averaged after every batch.

The job's own process is rank 0. It alone records, publishes checkpoints and hears what the person wants; the others
(`core.training.follower`) take the same steps on their share of every batch. Where there is one device, each function here
does nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from accelerate.state import AcceleratorState
from torch import distributed

from core.schemas.errors import UserError
from core.schemas.jobs import Desired
from core.schemas.recorder import Recorder
from core.schemas.training import TrainingSpec

from .watch import Watch

WISHES = tuple(Desired)
SECONDS_TO_END = 20  # for the other processes once this one is through
HERE = "127.0.0.1"
FOLLOWER = ("-m", "core.training.follower")


def rank() -> int:
    return distributed.get_rank() if distributed.is_available() and distributed.is_initialized() else 0


def size() -> int:
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def first() -> bool:
    """Whether this process is the one that records and writes files."""
    return rank() == 0


def wait() -> None:
    """Until every process is here."""
    if size() > 1:
        distributed.barrier(group=_control())


def total(value: float) -> float:
    """The sum of everybody's value. Every process has to ask."""
    if size() == 1:
        return value
    shared = torch.tensor([value], dtype=torch.float64)
    distributed.all_reduce(shared, group=_control())
    return float(shared[0])


def agreed(text: str) -> str:
    """What rank 0 says."""
    if size() == 1:
        return text
    said = [text]
    distributed.broadcast_object_list(said, src=0, group=_control())
    return said[0]


def forget_evaluated(accelerator: Any) -> None:
    """Let the model be prepared anew for training: accelerate takes one that it prepared for an evaluation as ready, and
    would never average its gradients."""
    if size() > 1:
        for model in accelerator._models:
            model._is_accelerate_prepared = False
        accelerator._models.clear()


_groups: list[Any] = []


def _control() -> Any:
    """The processes themselves, apart from their devices: asking costs no wait for a graphics card."""
    if not _groups:
        _groups.append(distributed.new_group(backend="gloo"))
    return _groups[0]


class Together:
    """A recorder for every rank. Only rank 0's is real (`recorder`, else None); its wishes reach all at the same step."""

    def __init__(self, recorder: Recorder | None) -> None:
        self.recorder = recorder
        self._ends = False

    def wish(self) -> Desired:
        asked = (
            [float(WISHES.index(self.recorder.wish())), float(self.recorder.shutting_down())]
            if self.recorder
            else [0, 0]
        )
        shared = torch.tensor(asked, dtype=torch.float64)
        distributed.all_reduce(shared, group=_control())
        self._ends = bool(shared[1])
        return WISHES[int(shared[0])]

    def shutting_down(self) -> bool:
        """As it was when the wish was asked."""
        return self._ends

    def phase(self, name: str, done: float = 0, total: float = 0) -> None:
        if self.recorder:
            self.recorder.phase(name, done, total)

    def metrics(self, split: str, step: int, epoch: float, values: Mapping[str, float]) -> None:
        if self.recorder:
            self.recorder.metrics(split, step, epoch, values)

    def event(self, kind: str, step: int, title: str, text: str = "", data: Mapping[str, Any] | None = None) -> None:
        if self.recorder:
            self.recorder.event(kind, step, title, text, data)

    def checkpoint(self, step: int, folder: str, metric: float | None) -> None:
        if self.recorder:
            self.recorder.checkpoint(step, folder, metric)

    def forget_checkpoint(self, step: int) -> None:
        if self.recorder:
            self.recorder.forget_checkpoint(step)

    def pinned(self) -> set[int]:
        return self.recorder.pinned() if self.recorder else set()

    def obey(self) -> None:
        if self.recorder:
            self.recorder.obey()

    def guard(self) -> None:
        if self.recorder:
            self.recorder.guard()


@contextmanager
def joined(spec: TrainingSpec, part: str = "train") -> Iterator[None]:
    """Start the other processes and be rank 0 among them; they end with the block, whatever ends it. `part` names what they
    take part in (`core.training.follower`).

    Raises UserError with what another process said where one of them failed.
    """
    count = spec.recipe.devices
    with tempfile.TemporaryDirectory(prefix=".ranks-", dir=spec.folder) as folder:
        (Path(folder) / "spec.json").write_text(spec.model_dump_json(), encoding="utf-8")
        store = distributed.TCPStore(HERE, 0, count, is_master=True, wait_for_workers=False)
        where = {"MASTER_ADDR": HERE, "MASTER_PORT": str(store.port), "WORLD_SIZE": str(count)}
        before = {name: os.environ.get(name) for name in where | {"RANK": "", "LOCAL_RANK": ""}}
        others = [_started(Path(folder), number, where, part) for number in range(1, count)]
        os.environ.update(where, RANK="0", LOCAL_RANK="0")
        watched = Watch(others)
        try:
            _all_there(store, others)
            _join(store, 0, count)
            yield
        except (RuntimeError, ValueError) as error:  # the connection to a process that is gone
            watched.end()
            if watched.broken or any(_ended(process) for process in others):
                raise _told(Path(folder)) or BROKEN_OFF from error
            raise
        finally:
            watched.end()
            _part()
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
            for process in others:
                _ended(process)
                if process.stdin:
                    process.stdin.close()


def follow() -> int:
    """Join as the rank that the environment names, and return it."""
    number, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    store = distributed.TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), count, is_master=False)
    store.set(f"ready-{number}", "")
    _join(store, number, count)
    return number


def _join(store: Any, number: int, count: int) -> None:
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, store=store, rank=number, world_size=count)


def _all_there(store: Any, others: Sequence[subprocess.Popen[bytes]]) -> None:
    """Raises RuntimeError where a process ended before it joined: nobody should wait for it."""
    while not store.check([f"ready-{number}" for number, _ in enumerate(others, 1)]):
        if any(process.poll() is not None for process in others):
            raise RuntimeError("a process of another device ended before it could join")
        time.sleep(0.05)


def _started(folder: Path, number: int, where: Mapping[str, str], part: str) -> subprocess.Popen[bytes]:
    variables = {**os.environ, **where, "RANK": str(number), "LOCAL_RANK": str(number)}
    # Its end of the pipe closes when we are gone.
    return subprocess.Popen([sys.executable, *FOLLOWER, str(folder), part], env=variables, stdin=subprocess.PIPE)


BROKEN_OFF = UserError(
    "The training broke off on one of the devices.",
    "A process that trained beside the first one ended with an error; the log has it.",
    "Start the training again. If it happens again, set Devices to 1.",
)


def _told(folder: Path) -> UserError | None:
    for file in sorted(folder.glob("error-*.json")):
        return UserError.from_dict(json.loads(file.read_text(encoding="utf-8")))
    return None


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Wait for its end, or end it. Whether it ended by itself with an error."""
    try:
        return process.wait(SECONDS_TO_END) != 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def _part() -> None:
    """Leave the group, so that what this process does next is done alone."""
    _groups.clear()
    if distributed.is_initialized():
        distributed.destroy_process_group()
    AcceleratorState._reset_state(reset_partial_state=True)
