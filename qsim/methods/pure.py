"""A pure state held as its 2^n amplitudes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from qsim._errors import ResultError
from qsim.kernels import basis, marginal, sampling
from qsim.methods.base import AbstractState, Observable

Array = Any


@dataclass(frozen=True, eq=False)
class PureState(AbstractState):
    """|psi> of n qubits.

    Args:
        psi: complex amplitudes (2^n,); the norm may be other than 1.

    Example:
        >>> import jax.numpy as jnp
        >>> float(PureState(jnp.array([0.6, 0.8j])).norm_squared())
        1.0
    """

    psi: Array

    @property
    def num_qubits(self) -> int:
        return self.psi.shape[-1].bit_length() - 1

    @property
    def is_pure(self) -> bool:
        return True

    def amplitudes(self) -> Array:
        return self.psi

    def norm_squared(self) -> Array:
        return jnp.sum(marginal.squared(jnp, self.psi))

    def probabilities(self, qubits: Sequence[int]) -> Array:
        return marginal.marginal(jnp, marginal.squared(jnp, self.psi), self.num_qubits, qubits)

    def reduced(self, qubits: Sequence[int]) -> Array:
        with jax.default_matmul_precision("highest"):
            return marginal.density(jnp, marginal.rows(jnp, self.psi, self.num_qubits, qubits))

    def expect(self, observable: Observable) -> Array:
        return observable.mean(self.psi, self.num_qubits)

    def variance(self, observable: Observable) -> Array:
        # |(H - <H>) psi|^2 does not subtract two large numbers, as <H^2> - <H>^2 would.
        image = observable.apply(self.psi, self.num_qubits)
        mean = jnp.sum((jnp.conj(self.psi) * image).real)
        return jnp.sum(marginal.squared(jnp, image - mean * self.psi))

    def rotate(self, bases: Array) -> PureState:
        turns = jnp.asarray(basis.TURNS, self.psi.dtype)[bases]
        with jax.default_matmul_precision("highest"):
            return PureState(basis.layer(jnp, self.psi, turns))

    def sample(self, key: Array, shots: int, qubits: Sequence[int]) -> Array:
        order = sorted(qubits)
        weights = self.probabilities(order)
        uniforms = jax.random.uniform(key, (len(order), shots), weights.dtype)
        bits = sampling.descend(sampling.tree(jnp, weights), uniforms)
        return bits[:, [order.index(q) for q in qubits]] if list(qubits) != order else bits

    def operator(self) -> Array:
        raise ResultError("Operator() needs the circuit's matrix; this method has none. Use method=Unitary().")
