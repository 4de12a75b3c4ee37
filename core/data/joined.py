"""Things that belong together through one another: a union-find (Tarjan 1975)."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Joined(Generic[K]):
    """`join` two things; `root` is the same for all that hang together."""

    def __init__(self) -> None:
        self._parent: dict[K, K] = {}

    def root(self, key: K) -> K:
        parent = self._parent
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(self, one: K, other: K) -> None:
        """Those that hang with `one` get the root of `other`."""
        self._parent[self.root(one)] = self.root(other)

    def __iter__(self) -> Iterator[K]:
        """Everything that was joined or asked for."""
        return iter(self._parent)
