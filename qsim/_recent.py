"""A table of bounded size that forgets what was used longest ago."""

from __future__ import annotations

import threading
from collections import OrderedDict
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
        self._entries: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The value kept under `key`, or else the one that `make` makes; outside the lock, and errors are not kept."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        made = make()
        with self._lock:
            self._entries[key] = made
            if len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return made

    def forget(self, key: Hashable) -> None:
        """Keep nothing under `key`."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
