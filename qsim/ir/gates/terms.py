"""Gate matrices as sums of coefficients times constant matrices.

A gate is `f(xp, *angles) -> [(coefficient, matrix), ...]`: coefficients are arrays of
the angles' shape, matrices are constants. One multiplication and one addition per term
make a whole batch of matrices, of a dtype that follows the angles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Terms = Sequence[tuple[Any, np.ndarray]]

I = np.eye(2, dtype=complex)  # noqa: E741 - the letter of mathematics
X = np.array([[0, 1], [1, 0]], dtype=complex)
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1 + 0j, -1])


def unit(size: int, row: int, column: int) -> np.ndarray:
    """The (size, size) matrix that is 1 at one place and 0 elsewhere."""
    out = np.zeros((size, size), dtype=complex)
    out[row, column] = 1
    return out


def under_control(matrix: np.ndarray, num_controls: int = 1) -> np.ndarray:
    """A constant matrix under controls that come first."""
    size = matrix.shape[0]
    out = np.eye(size << num_controls, dtype=complex)
    out[-size:, -size:] = matrix
    return out


def constant(matrix: np.ndarray) -> Callable[[Any], Any]:
    """The matrix function of a gate without parameters."""
    kept = np.array(matrix, dtype=complex)
    kept.setflags(write=False)

    def function(xp: Any) -> Any:
        return xp.asarray(kept)

    return function


def from_terms(terms: Callable[..., Terms]) -> Callable[..., Any]:
    """The matrix function f(xp, *params) -> (..., d, d) of a gate given by its terms."""

    def function(xp: Any, *params: Any) -> Any:
        angles = _real_arrays(xp, params)
        dtype = xp.complex128 if any(a.dtype == xp.float64 for a in angles) else xp.complex64
        total = None
        for coefficient, matrix in terms(xp, *angles):
            part = xp.asarray(matrix, dtype=dtype)
            if coefficient is not None:
                part = xp.astype(coefficient, dtype)[..., None, None] * part
            total = part if total is None else total + part
        return total

    return function


def controlled_terms(terms: Callable[..., Terms], num_controls: int = 1) -> Callable[..., Terms]:
    """The terms of a gate under controls that come first: P0 (x) 1 + P1 (x) U."""

    def function(xp: Any, *angles: Any) -> Terms:
        inner = terms(xp, *angles)
        size = inner[0][1].shape[0]
        idle = np.eye(size << num_controls, dtype=complex)
        idle[-size:, -size:] = 0
        moved: list[tuple[Any, np.ndarray]] = [(None, idle)]
        for coefficient, matrix in inner:
            wide = np.zeros_like(idle)
            wide[-size:, -size:] = matrix
            moved.append((coefficient, wide))
        return moved

    return function


def rotation(generator: np.ndarray) -> Callable[..., Terms]:
    """exp(-i t G / 2) for a generator G with G^2 = 1."""
    one, minus = np.eye(generator.shape[0], dtype=complex), -1j * generator

    def function(xp: Any, theta: Any) -> Terms:
        half = theta / 2
        return [(xp.cos(half), one), (xp.sin(half), minus)]

    return function


def phase(xp: Any, angle: Any) -> Any:
    """exp(i angle), complex of the angle's precision."""
    return xp.exp(1j * xp.astype(angle, xp.complex128 if angle.dtype == xp.float64 else xp.complex64))


def _real_arrays(xp: Any, params: Sequence[Any]) -> list[Any]:
    """The parameters as real floating arrays."""
    arrays = [xp.asarray(float(p) if isinstance(p, int) else p) for p in params]
    default = xp.asarray(0.0).dtype
    return [a if xp.isdtype(a.dtype, "real floating") else xp.astype(a, default) for a in arrays]
