"""What has the shape of an array."""

from __future__ import annotations

import math
from operator import index
from typing import Any

from qsim._errors import ResultError


class Shaped:
    """A thing with a shape, as arrays have one.

    Attributes:
        shape: the lengths of its axes.
    """

    __slots__ = ()
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """How many axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many entries."""
        return math.prod(self.shape)


def clean_shape(name: str, shape: Any) -> tuple[int, ...]:
    """A shape as a tuple of ints of 0 or more, from an int or several.

    Raises:
        ResultError: something else.
    """
    try:
        found = tuple(index(n) for n in shape) if hasattr(shape, "__iter__") else (index(shape),)
    except TypeError:
        found = (-1,)
    if any(n < 0 for n in found):
        raise ResultError(f"{name}: argument `shape` must be ints of 0 or more, but is {shape!r}.")
    return found


def new_shape(name: str, shape: tuple[Any, ...], size: int) -> tuple[int, ...]:
    """The argument of `reshape`, ints or one tuple of them, for `size` entries; one of them may be -1.

    Raises:
        ResultError: it holds another number of entries.
    """
    wanted = shape[0] if len(shape) == 1 and hasattr(shape[0], "__iter__") else shape
    try:
        found = [index(n) for n in wanted]
    except TypeError:
        found = [-2]
    known = math.prod(n for n in found if n != -1)
    if found.count(-1) == 1 and known > 0 and size % known == 0:
        found[found.index(-1)] = size // known
    if min(found, default=0) < 0 or math.prod(found) != size:
        raise ResultError(f"{name}: cannot be reshaped to {tuple(wanted)}, since it has {size} entries.")
    return tuple(found)
