"""exp(i (a XX + b YY + c ZZ)) from 0 to 3 equal gates of the class of cx, with one-qubit gates between them.

The two-qubit gate is kept abstract, as the core G = exp(i pi/4 XX): any gate of its class is
one-qubit gates around G. Three of them: Vatan, Williams, arXiv:quant-ph/0308006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transpile.synthesis.kak import PAULIS, Kak, kak

__all__ = ["Entangler", "around", "cx_layers", "xx_layers"]

CX = np.eye(4, dtype=complex)[[0, 1, 3, 2]]
HALF = np.pi / 2


@dataclass(frozen=True, slots=True, eq=False)
class Entangler:
    """A gate of the class of cx: (left[0] x left[1]) G (right[0] x right[1]); both (2, 2, 2)."""

    left: np.ndarray
    right: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> Entangler:
        """From the gate's matrix (4, 4)."""
        found = kak(matrix[None])
        return cls(found.left[0], found.right[0])

    def turned(self) -> Entangler:
        """The same gate with its qubits named in the other order."""
        return Entangler(self.left[::-1], self.right[::-1])


_CX = Entangler.of(CX)


def cx_layers(decomposed: Kak, count: int) -> np.ndarray:
    """The one-qubit gates of circuits L_0 G L_1 G ... L_count (in time order) for these unitaries.

    Args:
        decomposed: unitaries whose cost in cx is at most `count`, of the same parity as `count`
            where that is 0 or 1.
        count: 0 to 3, how many G each circuit has.

    Returns:
        (B, count + 1, 2, 2, 2): layer, qubit, matrix.
    """
    a, b, c = decomposed.coordinates.T
    left, right = decomposed.left, decomposed.right
    if count == 0:
        return (left @ right)[:, None]
    if count == 1:
        return np.stack([right, left], axis=1)
    if count == 2:  # cx (exp(iaX) x exp(ibZ)) cx = exp(i (a XX + b ZZ)), in a frame where Y is Z
        middle = np.stack([_exp(1, a), _exp(3, b)], axis=1)
        return np.stack(
            [
                _CX.right @ _Z_FROM_Y.conj().T @ right,
                _CX.right @ middle @ _CX.left,
                left @ _Z_FROM_Y @ _CX.left,
            ],
            axis=1,
        )
    turned = _CX.turned()
    enter = np.stack([PAULIS[0], _rotation(3, HALF)])
    leave = np.stack([_rotation(3, -HALF), PAULIS[0]])
    first = np.stack([_rotation(3, HALF - 2 * c), _rotation(2, HALF - 2 * a)], axis=1)
    second = np.stack([np.broadcast_to(PAULIS[0], first[:, 0].shape), _rotation(2, 2 * b - HALF)], axis=1)
    return np.stack(
        [
            turned.right @ enter @ right,
            _CX.right @ first @ turned.left,
            turned.right @ second @ _CX.left,
            left @ leave @ turned.left,
        ],
        axis=1,
    )


def xx_layers(decomposed: Kak, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The same with gates exp(i t XX) of any strength 0 <= t <= pi/4: their number is that of coordinates not 0.

    Returns:
        layers (B, count + 1, 2, 2, 2), strengths t (B, count).
    """
    left, right = decomposed.left.copy(), decomposed.right
    strengths = decomposed.coordinates[:, :count].copy()
    negative = strengths[:, 2] < 0 if count == 3 else np.zeros(len(left), bool)
    layers = [right]
    for step in range(count):
        frame = np.broadcast_to(_TO_X[step], (len(left), 2, 2, 2)).copy()
        back = np.swapaxes(frame, -1, -2).conj()
        if step == 2:  # exp(-i t XX) = (Y x 1) exp(i t XX) (Y x 1)
            frame[negative, 0] = PAULIS[2] @ frame[negative, 0]
            back[negative, 0] = back[negative, 0] @ PAULIS[2]
        layers[-1] = frame @ layers[-1]
        layers.append(back)
    layers[-1] = left @ layers[-1]
    return np.stack(layers, axis=1), np.abs(strengths)


def around(layers: np.ndarray, gate: Entangler) -> np.ndarray:
    """The layers between G as layers between `gate`, (B, count + 1, 2, 2, 2)."""
    out = layers.copy()
    out[:, :-1] = np.swapaxes(gate.right, -1, -2).conj() @ out[:, :-1]
    out[:, 1:] = out[:, 1:] @ np.swapaxes(gate.left, -1, -2).conj()
    return out


def _exp(axis: int, angle: np.ndarray) -> np.ndarray:
    """exp(i angle P), (B, 2, 2)."""
    angle = np.asarray(angle)[..., None, None]
    return np.cos(angle) * PAULIS[0] + 1j * np.sin(angle) * PAULIS[axis]


def _rotation(axis: int, angle: np.ndarray | float) -> np.ndarray:
    """exp(-i angle P / 2)."""
    return _exp(axis, -np.asarray(angle) / 2)


_Z_FROM_Y = _rotation(1, -HALF)
"""V with V Z V^dagger = +-Y and V X V^dagger = X."""

_TO_X = np.stack([PAULIS[0], _rotation(3, HALF), _rotation(2, HALF)])[:, None].repeat(2, axis=1)
"""For each axis P, a pair of V with V P V^dagger = +-X."""
