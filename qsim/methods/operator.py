"""The unitary of a circuit, as the state that method `Unitary` hands to results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from qsim._errors import ResultError
from qsim.methods.base import AbstractState, Observable

Array = Any


@dataclass(frozen=True, eq=False)
class OperatorState(AbstractState):
    """The matrix U of a circuit. Gives `Operator()`; there is no state to ask anything else.

    Args:
        matrix: complex (2^n, 2^n); column j is what becomes of the basis state j.

    Example:
        >>> import jax.numpy as jnp
        >>> OperatorState(jnp.eye(4)).num_qubits
        2
    """

    matrix: Array

    @property
    def num_qubits(self) -> int:
        return self.matrix.shape[-1].bit_length() - 1

    @property
    def is_pure(self) -> bool:
        return False

    def operator(self) -> Array:
        return self.matrix

    def amplitudes(self) -> NoReturn:
        self._refuse("amplitudes")

    def norm_squared(self) -> NoReturn:
        self._refuse("a norm")

    def probabilities(self, qubits: Sequence[int]) -> NoReturn:
        self._refuse("probabilities")

    def reduced(self, qubits: Sequence[int]) -> NoReturn:
        self._refuse("a reduced state")

    def expect(self, observable: Observable) -> NoReturn:
        self._refuse("expectation values")

    def variance(self, observable: Observable) -> NoReturn:
        self._refuse("variances")

    def rotate(self, bases: Array) -> NoReturn:
        self._refuse("measurement bases")

    def sample(self, key: Array, shots: int, qubits: Sequence[int]) -> NoReturn:
        self._refuse("samples")

    def _refuse(self, what: str) -> NoReturn:
        raise ResultError(
            f"Method Unitary computes the circuit's matrix and has no state, so it cannot give {what}. "
            "Ask for Operator(), or use method=Statevector()."
        )
