"""The shapes of results, known before anything runs: results of a state that has nothing but a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._typing import Array, Key, PyTree
from qsim.methods.base import AbstractState, Observable
from qsim.results.base import Context, Result
from qsim.results.program import circuits, evaluate_all, with_states


@dataclass(frozen=True)
class ShapeState(AbstractState):
    """A state of `size` qubits that answers every question with zeros; only to be used under `jax.eval_shape`.

    Args:
        size: the number of qubits, which may be larger than anyone could simulate.
        dtype: the complex dtype of the amplitudes.
    """

    size: int
    dtype: Any

    @property
    def num_qubits(self) -> int:
        return self.size

    @property
    def is_pure(self) -> bool:
        return True

    @property
    def _real(self) -> Any:
        return np.zeros(0, self.dtype).real.dtype

    def amplitudes(self) -> Array:
        return jnp.zeros(1 << self.size, self.dtype)

    def norm_squared(self) -> Array:
        return jnp.zeros((), self._real)

    def probabilities(self, qubits: Sequence[int]) -> Array:
        return jnp.zeros(1 << len(qubits), self._real)

    def reduced(self, qubits: Sequence[int]) -> Array:
        return jnp.zeros((1 << len(qubits), 1 << len(qubits)), self.dtype)

    def expect(self, observable: Observable) -> Array:
        return jnp.zeros((), self._real)

    def variance(self, observable: Observable) -> Array:
        return jnp.zeros((), self._real)

    def rotate(self, bases: Array) -> ShapeState:
        return self

    def sample(self, key: Key, shots: int, qubits: Sequence[int]) -> Array:
        return jnp.zeros((shots, len(qubits)), jnp.uint8)

    def operator(self) -> Array:
        return jnp.zeros((1 << self.size, 1 << self.size), self.dtype)


def result_shapes(results: Sequence[Result], state: AbstractState, context: Context) -> list[PyTree]:
    """The shape and dtype of every array that `results` give, one pytree per result."""

    def evaluate() -> list[PyTree]:
        others = [state.amplitudes() for _ in circuits(list(results))]
        return evaluate_all(with_states(list(results), others), state, context)

    return jax.eval_shape(evaluate)
