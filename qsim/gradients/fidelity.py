"""The fidelities between the states of one ansatz: exact, or as a device measures them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from qsim._execute import execute
from qsim._typing import Array, Key, PyTree
from qsim.gradients.ansatz import Ansatz
from qsim.results import Map, Samples

Fidelities = Callable[[Array, Array, Key], Array]
"""(params (P,), others (M, P), key) -> |<psi(params)|psi(other)>|^2 of each, (M,)."""


def exact_fidelities(ansatz: Ansatz, unravel: Callable[[Array], PyTree]) -> Fidelities:
    """From amplitudes: M + 1 runs."""

    def fidelities(flat: Array, others: Array, key: Key) -> Array:
        states = jax.vmap(lambda x: ansatz.amplitudes(unravel(x)))(jnp.concatenate([flat[None], others]))
        weights = jnp.sum(states.real**2 + states.imag**2, axis=-1)
        overlaps = jnp.sum(jnp.conj(states[:1]) * states[1:], axis=-1)
        return (overlaps.real**2 + overlaps.imag**2) / (weights[0] * weights[1:])

    return fidelities


def measured_fidelities(ansatz: Ansatz, unravel: Callable[[Array], PyTree], shots: int, on: Any) -> Fidelities:
    """From measurements: how often U(params)^dagger U(other) |0...0> reads all 0, in `shots` shots each."""
    zeros = Map(lambda bits: jnp.mean(jnp.all(bits == 0, axis=-1).astype(float), axis=-1), Samples())

    def fidelities(flat: Array, others: Array, key: Key) -> Array:
        undo = ansatz.bound(unravel(flat)).inverse()

        def one(other: Array, key: Key) -> Array:
            return execute(ansatz.bound(unravel(other)) + undo, zeros, shots=shots, key=key, on=on)

        return jax.vmap(one)(others, jax.random.split(key, others.shape[0]))

    return fidelities
