"""Memorable names for runs, the same for the same run id."""

from __future__ import annotations

import random

_FIRST = (
    "amber", "brave", "bright", "calm", "clear", "cosy", "eager", "fair", "gentle", "golden", "green", "happy", "keen",
    "kind", "light", "lively", "lucky", "mellow", "merry", "mild", "neat", "noble", "patient", "plain", "proud", "quick",
    "quiet", "ready", "silver", "smart", "steady", "sunny", "swift", "tidy", "warm", "wise",
)  # fmt: skip
_SECOND = (
    "badger", "beech", "birch", "brook", "cedar", "clover", "comet", "crane", "dune", "falcon", "fern", "finch", "fox",
    "harbour", "hare", "hazel", "heron", "lark", "linden", "maple", "meadow", "otter", "owl", "pine", "plover", "reed",
    "river", "robin", "rowan", "sparrow", "spruce", "swallow", "thrush", "tide", "willow", "wren",
)  # fmt: skip


def memorable(seed: str) -> str:
    """Two words joined by a hyphen, for example `calm-heron`."""
    chosen = random.Random(seed)
    return f"{chosen.choice(_FIRST)}-{chosen.choice(_SECOND)}"
