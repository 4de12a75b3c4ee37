"""Which checkpoints of a run stay on the disk: what lies there, what is too much, what makes room. No torch, no database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

GB = 10**9


class Saved(NamedTuple):
    step: int
    bytes: int


def on_disk(folder: Path) -> list[Saved]:
    """The checkpoints in a run's folder, oldest first."""
    found = [
        Saved(int(place.name.split("-")[1]), sum(f.stat().st_size for f in place.iterdir() if f.is_file()))
        for place in folder.glob("checkpoint-*")
    ]
    return sorted(found)


def too_many(found: Sequence[Saved], always: Collection[int], most: int, budget: int) -> list[int]:
    """Steps whose checkpoints have to go, oldest first: all but the `most` newest, then more until `budget` bytes hold.

    The newest and those in `always` stay even where they take more than the budget. A budget of 0 is no limit.
    """
    kept = {*always, *(s.step for s in found[-1:])}
    others = [s for s in found if s.step not in kept]
    newest = {s.step for s in found[-most:]}
    gone = [s for s in others if s.step not in newest]
    left = [s for s in others if s.step in newest]
    total = sum(s.bytes for s in found) - sum(s.bytes for s in gone)
    while budget and total > budget and left:
        gone.append(left.pop(0))
        total -= gone[-1].bytes
    return sorted(s.step for s in gone)


def for_space(found: Sequence[Saved], always: Collection[int], missing: int) -> list[int]:
    """Steps whose checkpoints have to go so that `missing` bytes become free, oldest first; all that may where it is not
    enough. The newest stays: it is what a run goes on from until the next is whole."""
    gone: list[int] = []
    for saved in found[:-1]:
        if missing <= 0:
            break
        if saved.step not in always:
            gone.append(saved.step)
            missing -= saved.bytes
    return gone
