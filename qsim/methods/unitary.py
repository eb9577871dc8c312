"""The unitary method: the circuit's whole matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp

from qsim.ir.circuit import Circuit
from qsim.methods.base import Method
from qsim.methods.statevector import check_dtype, check_operations, check_state_memory, device_memory


@dataclass(frozen=True)
class Unitary(Method):
    """Compute the matrix U (2^n, 2^n) of a circuit, for the result `Operator()`.

    Column j is the circuit run on the basis state |j>.

    Args:
        dtype: complex64 or complex128; the latter needs JAX's x64 mode.

    Raises:
        MethodError: another dtype, or complex128 while x64 is off.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.methods import Unitary
        >>> from qsim.results import Operator
        >>> execute(Circuit(1).x(0), Operator(), method=Unitary()).real.tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    dtype: Any = jnp.complex64

    reversible: ClassVar[bool] = True
    exact: ClassVar[bool] = True
    samples: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", check_dtype("Unitary", self.dtype))

    @property
    def max_qubits(self) -> int | None:
        memory = device_memory()
        return None if memory is None else max(0, (memory // self.dtype.itemsize).bit_length() - 1) // 2

    def columns(self, num_qubits: int) -> int:
        return 1 << num_qubits

    def check(self, circuit: Circuit) -> None:
        check_dtype("Unitary", self.dtype)
        size = self.columns(circuit.num_qubits) << circuit.num_qubits
        check_state_memory(circuit.num_qubits, self.dtype, size, "matrix", self.max_qubits)
        check_operations(circuit, "Unitary")
