"""Bits drawn from a state, fast where there are few of them."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from qsim._typing import Array, Key
from qsim.methods.base import AbstractState

FEW = 3
"""Bits up to which the outcome is where a uniform number falls between 2^k - 1 bounds; a tree takes over then."""


def draw(state: AbstractState, key: Key, shots: int, qubits: Sequence[int]) -> Array:
    """Bits (shots, k) as uint8, columns in the order of `qubits`.

    Many small circuits at once are what primitives are for: descending a tree of marginals takes ten times
    as long for one qubit as looking on which side of a bound a number is.
    """
    if not 0 < len(qubits) <= FEW:
        return state.sample(key, shots, qubits)
    sums = jnp.cumsum(state.probabilities(qubits))
    bounds = sums[:-1] / sums[-1]  # 1 exactly after the last outcome that can be, so that none behind it is drawn
    outcome = jnp.sum(jax.random.uniform(key, (shots,), bounds.dtype)[:, None] >= bounds, axis=1, dtype=jnp.uint8)
    shifts = jnp.arange(len(qubits) - 1, -1, -1, dtype=jnp.uint8)
    return (outcome[:, None] >> shifts) & jnp.uint8(1)
