"""A table of bounded size that forgets what was used longest ago."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Hashable
from typing import Any


class Recent:
    """The most recently used values, by key; threads may share it.

    Args:
        size: how many values are kept at most.

    Example:
        >>> from qsim._recent import Recent
        >>> squares = Recent(2)
        >>> [squares.get(n, lambda: n * n) for n in (1, 2, 3)], len(squares)
        ([1, 4, 9], 2)
    """

    def __init__(self, size: int):
        self._size = size
        self._entries: dict[Hashable, list[Any]] = {}  # value, and when it was last used
        self._uses = itertools.count()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value kept under `key`, or else the one that `make` makes; errors are not kept.

        What is there is found without the lock, by hashing and comparing the key once: those of programs are long.
        What is not is made outside the lock.
        """
        entry = self._entries.get(key)
        if entry is not None:
            entry[1] = next(self._uses)
            return entry[0]
        made = make()
        with self._lock:
            self._entries[key] = [made, next(self._uses)]
            if len(self._entries) > self._size:
                del self._entries[min(self._entries.items(), key=lambda item: item[1][1])[0]]
        return made

    def forget(self, key: Hashable) -> None:
        """Keep nothing under `key`."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
