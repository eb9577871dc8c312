"""One-qubit gates as unit quaternions (w, x, y, z): U = w - i (x X + y Y + z Z), up to a phase."""

from __future__ import annotations

from collections.abc import Sequence
from math import atan2, cos, sin, sqrt
from typing import Any

import numpy as np

from qsim.ir.operation import Gate
from transpile.synthesis.kak import PAULIS
from transpile.synthesis.matrices import products, unitary_of

__all__ = [
    "Quaternion",
    "axis_of",
    "euler_of",
    "eulers",
    "from_matrix",
    "quaternion_of",
    "quaternions",
    "rotation",
    "run_products",
    "times",
]

Quaternion = tuple[float, float, float, float]

TOLERANCE = 1e-10
AXES = {"x": 1, "y": 2, "z": 3}

_fixed: dict[str, Quaternion] = {}


def quaternion_of(operation: Any) -> Quaternion:
    """The quaternion of a constant one-qubit operation."""
    if type(operation) is Gate:
        name, params = operation.row.name, operation.params
        quick = _QUICK.get(name)
        if quick is not None:
            return quick(*params)
        if not params:
            if name not in _fixed:
                _fixed[name] = from_matrix(operation.matrix(np))
            return _fixed[name]
        return from_matrix(operation.matrix(np))
    return from_matrix(unitary_of(operation))


def rotation(axis: str, angle: float) -> Quaternion:
    """exp(-i angle P / 2), P one of x, y, z."""
    parts = [cos(angle / 2), 0.0, 0.0, 0.0]
    parts[AXES[axis]] = sin(angle / 2)
    return parts[0], parts[1], parts[2], parts[3]


def times(a: Quaternion, b: Quaternion) -> Quaternion:
    """The quaternion of the product a b: b acts first."""
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return (
        aw * bw - ax * bx - ay * by - az * bz,
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
    )


def axis_of(q: Quaternion) -> tuple[str, float]:
    """("z", angle) for a rotation about Z, likewise "x" and "y"; ("i", 0) for the identity; ("", 0) for others.

    Example:
        >>> axis_of(rotation("y", 0.25))
        ('y', 0.25)
    """
    w, x, y, z = q
    fx, fy, fz = abs(x) > TOLERANCE, abs(y) > TOLERANCE, abs(z) > TOLERANCE
    if not (fx or fy or fz):
        return "i", 0.0
    if fx + fy + fz > 1:
        return "", 0.0
    name, part = ("x", x) if fx else ("y", y) if fy else ("z", z)
    return name, 2 * atan2(part, w)


def euler_of(q: Quaternion) -> tuple[float, float, float]:
    """(theta, phi, lam) with U = u(theta, phi, lam) up to a phase."""
    w, x, y, z = q
    plus, minus = atan2(z, w), atan2(-x, y)
    return 2 * atan2(sqrt(x * x + y * y), sqrt(w * w + z * z)), plus + minus, plus - minus


def _u(theta: float, phi: float, lam: float) -> Quaternion:
    c, s, plus, minus = cos(theta / 2), sin(theta / 2), (phi + lam) / 2, (phi - lam) / 2
    return c * cos(plus), -s * sin(minus), s * cos(minus), c * sin(plus)


def _prx(theta: float, phi: float) -> Quaternion:
    s = sin(theta / 2)
    return cos(theta / 2), s * cos(phi), s * sin(phi), 0.0


def from_matrix(matrix: np.ndarray) -> Quaternion:
    """The quaternion of a unitary (2, 2), up to its sign."""
    root = np.sqrt(complex(np.linalg.det(matrix)))
    w, x, y, z = (np.einsum("aij,ji->a", PAULIS, matrix) / (2 * root)).tolist()
    return w.real, -x.imag, -y.imag, -z.imag


def quaternions(operations: Sequence[Any]) -> np.ndarray:
    """The quaternions of constant one-qubit operations, (N, 4); gates of one kind are evaluated together."""
    out = np.empty((len(operations), 4))
    kinds: dict[Any, list[int]] = {}
    for place, operation in enumerate(operations):
        if type(operation) is Gate:
            kinds.setdefault(operation.row.name, []).append(place)
        else:
            out[place] = quaternion_of(operation)
    for places in kinds.values():
        row = operations[places[0]].row
        if not row.params:
            out[places] = quaternion_of(operations[places[0]])
            continue
        angles = np.array([operations[p].params for p in places], float)
        matrix = row.matrix(np, *angles.T)
        root = np.sqrt(matrix[:, 0, 0] * matrix[:, 1, 1] - matrix[:, 0, 1] * matrix[:, 1, 0])
        parts = np.einsum("aij,bji->ba", PAULIS, matrix) / (2 * root[:, None])
        out[places, 0] = np.real(parts[:, 0])
        out[places, 1:] = -np.imag(parts[:, 1:])
    return out


def run_products(factors: np.ndarray, lengths: Sequence[int] | np.ndarray) -> np.ndarray:
    """The product of each run of quaternions (N, 4), the first one acting first; (len(lengths), 4)."""
    return products(factors, lengths, lambda a, b: np.stack(times(tuple(a.T), tuple(b.T)), axis=1))  # type: ignore[arg-type]


def eulers(quaternions: np.ndarray) -> tuple[list[float], list[float], list[float]]:
    """theta, phi and lam of quaternions (N, 4), as in `euler_of`."""
    w, x, y, z = quaternions.T
    plus, minus = np.arctan2(z, w), np.arctan2(-x, y)
    theta = 2 * np.arctan2(np.hypot(x, y), np.hypot(w, z))
    return theta.tolist(), (plus + minus).tolist(), (plus - minus).tolist()


_QUICK = {
    "rz": lambda t: (cos(t / 2), 0.0, 0.0, sin(t / 2)),
    "p": lambda t: (cos(t / 2), 0.0, 0.0, sin(t / 2)),
    "rx": lambda t: (cos(t / 2), sin(t / 2), 0.0, 0.0),
    "ry": lambda t: (cos(t / 2), 0.0, sin(t / 2), 0.0),
    "u": _u,
    "prx": _prx,
}
