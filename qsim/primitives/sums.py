"""The observables of PUBs that run together: their strings once each, and the way from means to estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._typing import Array
from qsim.ir.pauli import PauliSum
from qsim.primitives.means import Means
from qsim.primitives.pub import EstimatorPub

MOST_COVARIANCES = 16
"""Strings up to which their covariances are found, instead of the errors of each observable."""


@dataclass(frozen=True, eq=False)
class Sums:
    """Different observables over common strings, and which of them each entry of a batch asks for.

    Attributes:
        strings: the Pauli strings (T,). columns: the coefficients (T, M) of each observable.
        points: for each entry the point of the batch (E,); None where entries are the points in order.
        which: for each entry its observable (E,).
        by_string: whether the program gives the means of strings, or those of observables.
        sampled: whether there are errors.
    """

    strings: tuple[Any, ...]
    columns: Array
    points: np.ndarray | None
    which: np.ndarray
    by_string: bool
    sampled: bool

    @classmethod
    def of(cls, pubs: Sequence[EstimatorPub], sizes: Sequence[int], sampled: bool, apart: bool) -> Sums:
        """The observables of PUBs that have so many points: each simulated, or, where not `apart`, the same one."""
        seen: dict[int, int] = {}
        known: dict[Any, int] = {}
        sums: list[PauliSum] = []
        asked: list[list[int]] = []
        for pub in pubs:
            mine = []
            for found in pub.sums:
                place = seen.get(id(found))
                if place is None:
                    values = found.coefficients
                    form = (
                        (found.strings, values.tobytes(), values.dtype) if isinstance(values, np.ndarray) else id(found)
                    )
                    place = seen[id(found)] = known.setdefault(form, len(sums))
                    if place == len(sums):
                        sums.append(found)
                mine.append(place)
            asked.append(mine)
        strings: dict[Any, int] = {}
        for found in sums:
            for string in found.strings:
                strings.setdefault(string, len(strings))
        by_string = len(strings) <= len(sums) and (not sampled or len(strings) <= MOST_COVARIANCES)
        points, which = _entries(pubs, sizes, asked, apart)
        return cls(tuple(strings), _columns(sums, strings), points, which, by_string, sampled)

    @property
    def result(self) -> Means:
        """What the program is asked for."""
        if self.by_string:
            return Means(self.strings, None, self.sampled and len(self.strings) > 1)
        return Means(self.strings, self.columns)

    def entries(self, out: Any) -> tuple[Array, Array]:
        """The value and the standard error of each entry (E,), from what the program gave with batch axes first."""
        means = out.value if self.sampled else out
        means = means.reshape(-1, means.shape[-1])
        columns: Any = self.columns if self.by_string else None
        xp = jnp if isinstance(means, jax.Array) or isinstance(columns, jax.Array) else np
        values = self._pick(xp, means, columns)
        if not self.sampled:
            return values, xp.zeros(values.shape, values.dtype)
        square = out.stderr
        square = square.reshape(len(means), math.prod(self.result.error_shape))
        if columns is not None:
            pairs = self.strings if len(self.strings) > 1 else ()
            columns = (columns[:, None] * columns[None, :]).reshape(-1, columns.shape[1]) if pairs else columns**2
        squares = self._pick(xp, square, columns)
        return values, xp.sqrt(xp.maximum(squares, 0))

    def nothing(self) -> tuple[Array, Array]:
        """The entries where no observable has a term: zeros."""
        return np.zeros(len(self.which), np.float32), np.zeros(len(self.which), np.float32)

    def _pick(self, xp: Any, rows: Array, columns: Any) -> Array:
        """The entries from rows (B, K) of observables; or of strings, with the coefficients (K, M)."""
        points, which, count = self.points, self.which, self.columns.shape[1]
        if columns is not None:
            columns = xp.asarray(columns).astype(rows.dtype)
            if len(rows) * count > 4 * len(which):
                rows = rows if points is None else rows[points]
                return (rows * columns.T[which]).sum(axis=-1)
            with jax.default_matmul_precision("highest"):
                rows = rows @ columns
        if count == 1:
            return rows[:, 0] if points is None else rows[:, 0][points]
        return rows[np.arange(len(which)) if points is None else points, which]


def _entries(
    pubs: Sequence[EstimatorPub], sizes: Sequence[int], asked: Sequence[list[int]], apart: bool
) -> tuple[np.ndarray | None, np.ndarray]:
    """The point and the observable of each entry of all PUBs, in order."""
    if apart and all(len(mine) == 1 and pub.size == size for mine, pub, size in zip(asked, pubs, sizes, strict=True)):
        firsts = np.array([mine[0] for mine in asked], np.int32)
        return None, firsts if len(firsts) == sum(sizes) else np.repeat(firsts, sizes)
    points, which, start = [], [], 0
    for pub, size, mine in zip(pubs, sizes, asked, strict=True):
        here = np.arange(start, start + size).reshape(pub.parameter_values.shape)
        points.append(np.broadcast_to(here if apart else np.zeros((), int), pub.shape).reshape(-1))
        of = np.array(mine, np.int32).reshape(pub.observables.shape)
        which.append(np.broadcast_to(of, pub.shape).reshape(-1))
        start += size
    return np.concatenate(points).astype(np.int32), np.concatenate(which)


def _columns(sums: Sequence[PauliSum], strings: dict[Any, int]) -> Array:
    """The coefficients of all strings in all sums (T, M)."""
    if any(isinstance(found.coefficients, jax.Array) for found in sums):
        made = []
        for found in sums:
            values = jnp.real(jnp.asarray(found.coefficients))
            places = np.array([strings[string] for string in found.strings], np.int32)
            made.append(jnp.zeros(len(strings), values.dtype).at[places].add(values))
        return jnp.stack(made, axis=1)
    columns = np.zeros((len(strings), len(sums)))
    for place, found in enumerate(sums):
        for string, value in zip(found.strings, np.real(found.coefficients).tolist(), strict=True):
            columns[strings[string], place] += value
    return columns
