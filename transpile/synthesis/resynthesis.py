"""Three-qubit unitaries with fewer cz gates than a known circuit has, found numerically.

One cz after the other is left out, and the one-qubit gates of all these circuits are fitted
together: a batched Levenberg-Marquardt iteration in the Lie algebra, double precision, started
from the gates that were there and from random ones. It is one program for circuits of any
length, compiled once in a process. Compare Rakyta, Zimborás, arXiv:2109.06770; Madden,
Simonetto, arXiv:2106.05649.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from transpile.synthesis.kak import PAULIS

__all__ = ["MOST", "fewer"]

Pair = tuple[int, int]
Array = Any
MOST = 14
"""How many cz gates a circuit may have."""

BATCH = 16
TOLERANCE = 1e-11
MAX_STEPS = 60
STALL = 12

_EYE = np.eye(2, dtype=complex)


def fewer(
    unitary: np.ndarray, pairs: Sequence[Pair], ones: np.ndarray, rng: np.random.Generator, starts: int = 2
) -> tuple[list[Pair], np.ndarray] | None:
    """The same unitary with at least one cz less; None where that is not found.

    Args:
        unitary: (8, 8).
        pairs: where the cz gates of the known circuit act, in time order; at most `MOST`.
        ones: its one-qubit gates, (len(pairs) + 1, 3, 2, 2): before the first cz, and after each.
        rng: of the random starts.
        starts: how many starts each circuit gets at least, the first one from `ones`.

    Returns:
        The pairs and one-qubit gates of the shorter circuit, in the same form.
    """
    best = None
    while len(pairs) > 1:
        found = _shorter(unitary, _without_one(list(pairs), ones), rng, starts)
        if found is None:
            found = _shorter(unitary, _without_two(list(pairs), ones), rng, 1)
        if found is None:
            return best
        best = pairs, ones = found
    return best


def circuit_matrix(pairs: Sequence[Pair], ones: np.ndarray) -> np.ndarray:
    """The unitary (8, 8) of a circuit in this form."""
    total = _wide(ones[0])
    for pair, layer in zip(pairs, ones[1:], strict=True):
        total = _wide(layer) @ (_CZ[pair][:, None] * total)
    return total


Circuits = dict[tuple[Pair, ...], np.ndarray]


def _without_one(pairs: list[Pair], ones: np.ndarray) -> Circuits:
    """The circuits with one cz left out, its neighbours merged."""
    found: Circuits = {}
    for left_out in range(len(pairs)):
        merged = np.concatenate([ones[:left_out], ones[left_out + 1 :]])
        merged[left_out] = ones[left_out + 1] @ ones[left_out]
        found.setdefault(tuple(pairs[:left_out] + pairs[left_out + 1 :]), merged)
    return found


def _without_two(pairs: list[Pair], ones: np.ndarray) -> Circuits:
    """The circuits with two cz on one pair left out: often they undo each other."""
    found: Circuits = {}
    for second in range(1, len(pairs)):
        merged = np.concatenate([ones[:second], ones[second + 1 :]])
        merged[second] = ones[second + 1] @ ones[second]
        rest = pairs[:second] + pairs[second + 1 :]
        for first in range(second):
            if pairs[first] == pairs[second]:
                both = np.concatenate([merged[:first], merged[first + 1 :]])
                both[first] = merged[first + 1] @ merged[first]
                found.setdefault(tuple(rest[:first] + rest[first + 1 :]), both)
    return found


def _shorter(
    unitary: np.ndarray, circuits: Circuits, rng: np.random.Generator, starts: int
) -> tuple[list[Pair], np.ndarray] | None:
    """The first of these circuits that can be fitted.

    Each gets `starts` starts, and more where the last batch has places left.
    """
    keys = list(circuits)
    if not keys:
        return None
    number = -(-starts * len(keys) // BATCH) * BATCH
    for begin in range(0, number, BATCH):
        rows = range(begin, begin + BATCH)
        sequences = [keys[row % len(keys)] for row in rows]
        given = [circuits[keys[row]] for row in rows if row < len(keys)]
        random = _random((BATCH - len(given), len(keys[0]) + 1, 3, 2, 2), rng)
        fitted, errors = _fit(
            unitary, sequences, np.concatenate([np.array(given).reshape(-1, *random.shape[1:]), random])
        )
        best = int(errors.argmin())
        if errors[best] < TOLERANCE:
            return list(sequences[best]), fitted[best]
    return None


def _fit(unitary: np.ndarray, sequences: Sequence[Sequence[Pair]], layers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levenberg-Marquardt on all circuits at once: layers (B, m + 1, 3, 2, 2), and the errors |V - U| (B,)."""
    size = layers.shape[1]
    wide = np.broadcast_to(_EYE, (BATCH, MOST, 3, 2, 2)).copy()
    wide[:, :size] = layers
    kinds = np.full((BATCH, MOST - 1), len(_PAIRS))
    kinds[:, : size - 1] = [[_PAIRS.index(p) for p in sequence] for sequence in sequences]
    with jax.ensure_compile_time_eval(), jax.enable_x64(True):
        fitted, errors = _program()(unitary, kinds, wide)
        return np.asarray(fitted)[:, :size], np.asarray(errors)


@cache
def _program() -> Any:
    """The compiled fit: U (8, 8), the pairs as numbers (B, M - 1) and layers (B, M, 3, 2, 2) -> layers, errors."""
    return jax.jit(_levenberg_marquardt)


def _levenberg_marquardt(unitary: Array, kinds: Array, layers: Array) -> tuple[Array, Array]:
    signs, generators, axes = (jnp.asarray(table)[kinds] for table in (_SIGNS, _PAIR_GENERATORS, _AXES))
    first = jnp.asarray(_GENERATORS)
    number = len(kinds)

    def step(carry: Any) -> Any:
        layers, errors, before, after, damping, best, since, count = carry
        v = after[:, 0] @ before[:, 0]
        target = _phase(unitary, v)[:, None, None] * unitary
        # derivatives by generators in front of each layer: T_k (i P / 2) P_k. Z after a cz is one in front of it.
        start = after[:, :1] @ first @ before[:, :1]
        rest = after[:, 1:, None] @ generators @ before[:, 1:, None]
        flat = [a.reshape(number, -1, 64) for a in (start, rest, 1j * v)]
        jacobian = jnp.concatenate(flat, axis=1)
        conjugate = jnp.conj(jacobian)
        normal = jnp.real(jnp.einsum("bpr,bqr->bpq", conjugate, jacobian))
        right = jnp.real(jnp.einsum("bpr,br->bp", conjugate, (target - v).reshape(number, 64)))
        damped = normal + damping[:, None, None] * jnp.eye(normal.shape[1])
        steps = jnp.linalg.solve(damped, right[..., None])[..., 0]
        turns = jnp.einsum("bka,bkaqp->bkqp", steps[:, 9:-1].reshape(number, -1, 4), axes)
        turns = jnp.concatenate([steps[:, :9].reshape(number, 1, 3, 3), turns], axis=1)
        trial = layers @ _exponential(turns)
        found = (trial, *_evaluated(unitary, trial, signs))
        better = found[1] < errors
        kept = [_where(better, new, old) for new, old in zip(found, (layers, errors, before, after), strict=True)]
        least = kept[1].min()
        damping = jnp.clip(jnp.where(better, damping / 5, damping * 4), 1e-14, 1e6)
        since = jnp.where(least < 0.9 * best, 0, since + 1)
        return *kept, damping, jnp.minimum(best, least), since, count + 1

    def goes_on(carry: Any) -> Array:
        *_, best, since, count = carry
        return (best >= 0.1 * TOLERANCE) & (since <= STALL) & (count < MAX_STEPS)

    errors, before, after = _evaluated(unitary, layers, signs)
    state = (layers, errors, before, after, jnp.full(number, 1e-2), errors.min(), 0, 0)
    return lax.while_loop(goes_on, step, state)[:2]


def _evaluated(unitary: Array, layers: Array, signs: Array) -> tuple[Array, Array, Array]:
    """The errors (B,), and the products before each layer and from it on, both (B, M, 8, 8)."""
    wide = jnp.moveaxis(_wide(layers), 1, 0)
    signs = jnp.moveaxis(signs, 1, 0)
    eye = jnp.broadcast_to(jnp.eye(8, dtype=wide.dtype), wide.shape[1:])

    def forward(total: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        layer, sign = at
        total = sign[:, :, None] * (layer @ total)
        return total, total

    def backward(total: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        layer, sign = at
        total = (total * sign[:, None, :]) @ layer
        return total, total

    _, before = lax.scan(forward, eye, (wide[:-1], signs))
    _, after = lax.scan(backward, wide[-1], (wide[:-1], signs), reverse=True)
    before, after = (jnp.moveaxis(a, 0, 1) for a in (jnp.stack([eye, *before]), jnp.stack([*after, wide[-1]])))
    v = after[:, 0]
    difference = v - _phase(unitary, v)[:, None, None] * unitary
    return jnp.sqrt(jnp.sum(jnp.abs(difference) ** 2, axis=(1, 2))), before, after


def _phase(unitary: Array, v: Array) -> Array:
    """The phase of each V (B, 8, 8) against U."""
    overlap = jnp.einsum("ij,bij->b", jnp.conj(unitary), v)
    return overlap / jnp.maximum(jnp.abs(overlap), 1e-12)


def _where(better: Array, new: Array, old: Array) -> Array:
    return jnp.where(better.reshape(-1, *(1,) * (new.ndim - 1)), new, old)


def _wide(ones: Array) -> Array:
    """One matrix on each of three qubits (..., 3, 2, 2) as (..., 8, 8)."""
    xp = np if isinstance(ones, np.ndarray) else jnp
    a, b, c = ones[..., 0, :, :], ones[..., 1, :, :], ones[..., 2, :, :]
    return xp.einsum("...ij,...kl,...mn->...ikmjln", a, b, c).reshape(*ones.shape[:-3], 8, 8)


def _exponential(steps: Array) -> Array:
    """exp(i step . P / 2), (..., 3) to (..., 2, 2)."""
    square = jnp.sum(steps**2, axis=-1)
    size = jnp.sqrt(square)
    factor = jnp.where(size > 1e-12, jnp.sin(size / 2) / jnp.maximum(size, 1e-12), 0.5)
    turn = jnp.einsum("...a,aij->...ij", factor[..., None] * steps, PAULIS[1:])
    return jnp.cos(size / 2)[..., None, None] * _EYE + 1j * turn


def _random(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    q = rng.normal(size=(*shape[:-2], 4))
    q /= np.linalg.norm(q, axis=-1, keepdims=True)
    return np.einsum("...a,aij->...ij", q * np.array([1, 1j, 1j, 1j]), PAULIS)


def _generators() -> np.ndarray:
    found = []
    for place in range(3):
        for pauli in PAULIS[1:]:
            parts = [_EYE] * 3
            parts[place] = pauli
            found.append(0.5j * np.kron(np.kron(parts[0], parts[1]), parts[2]))
    return np.stack(found)


_GENERATORS = _generators()
"""i P / 2 for X, Y, Z on each of three qubits, (9, 8, 8)."""

_BITS = np.arange(8)[:, None] >> np.array([2, 1, 0]) & 1
_CZ = {(a, b): 1 - 2.0 * (_BITS[:, a] & _BITS[:, b]) for a in range(3) for b in range(3) if a != b}
"""The diagonal of cz on each pair, (8,)."""

_PAIRS = list(_CZ)
"""The pairs by number; the number after the last is no gate, and has no generators."""

_SIGNS = np.stack([*_CZ.values(), np.ones(8)])
_PAIR_GENERATORS = np.stack(
    [*(_GENERATORS[[3 * a, 3 * a + 1, 3 * b, 3 * b + 1]] for a, b in _PAIRS), np.zeros((4, 8, 8), complex)]
)
"""X and Y on both qubits of each pair, (P, 4, 8, 8)."""

_AXES = np.zeros((len(_PAIRS) + 1, 4, 3, 3))
for _number, _pair in enumerate(_PAIRS):
    for _side, _qubit in enumerate(_pair):
        _AXES[_number, 2 * _side, _qubit, 0] = _AXES[_number, 2 * _side + 1, _qubit, 1] = 1
"""Which qubit (axis 2) those turn, about which axis (axis 3)."""
