"""The method that asks what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp

from qsim.ir.circuit import Circuit
from qsim.methods.base import Method
from qsim.methods.statevector import Statevector
from qsim.methods.unitary import Unitary


@dataclass(frozen=True)
class Auto(Method):
    """Choose the method by what is asked: `Unitary` for `Operator()`, else `Statevector`.

    Args:
        dtype: complex64 or complex128, handed to the method chosen.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.methods import Auto
        >>> Auto().select(Circuit(1), frozenset({"operator"}))
        (Unitary(dtype=dtype('complex64')), 'the result asks for the matrix of the circuit')
    """

    dtype: Any = jnp.complex64

    reversible: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    samples: ClassVar[bool] = True

    def select(self, circuit: Circuit, needs: frozenset[str]) -> tuple[Method, str]:
        """The method for what the results need (`Result.needs`), and why."""
        if "operator" in needs:
            return Unitary(self.dtype), "the result asks for the matrix of the circuit"
        return Statevector(self.dtype), "every result here can be read from the state vector"

    @property
    def max_qubits(self) -> int | None:
        return Statevector(self.dtype).max_qubits

    def check(self, circuit: Circuit) -> None:
        Statevector(self.dtype).check(circuit)
