"""A diagonal of phases."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, clean_array, complex_array, namespace, num_qubits_of
from qsim.ir.ops.multiplexed import diagonal_gates

TOLERANCE = 1e-6


class Diagonal(HighLevel):
    """diag(d_0, ..., d_(2^k - 1)) of unit complex numbers.

    Args:
        diagonal: (2^k,). Host numbers are constants and checked; a JAX array is a parameter and trusted.

    Raises:
        CircuitError: a wrong shape, or an entry whose modulus is not 1.

    Example:
        >>> from qsim import Circuit
        >>> Circuit(1).diagonal([1, 1j], (0,)).count_ops()
        {'diagonal': 1}
    """

    __slots__ = ()

    def __init__(self, diagonal: Any):
        found = clean_array(diagonal, "Argument `diagonal`")
        if len(found.shape) != 1:
            raise CircuitError(f"Argument `diagonal` must have shape (2^k,), but has shape {tuple(found.shape)}.")
        num_qubits_of(found.shape[0], "Argument `diagonal`")
        if isinstance(found, np.ndarray):
            off = np.abs(np.abs(found) - 1)
            if off.max() > TOLERANCE:
                at = int(off.argmax())
                raise CircuitError(
                    f"Argument `diagonal` must have entries of modulus 1, but entry {at} is {found[at]:.6g}, "
                    f"which is off by {off[at]:.3g}."
                )
        self.params, self.arrays = (), (found,)

    label = "Diag"

    @property
    def name(self) -> str:
        return "diagonal"

    @property
    def num_qubits(self) -> int:
        return self.arrays[0].shape[0].bit_length() - 1

    @property
    def key(self) -> Hashable:
        return ("diagonal", self.num_qubits, np.dtype(self.arrays[0].dtype).kind)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> Diagonal:
        new = object.__new__(Diagonal)
        new.params, new.arrays = (), tuple(arrays)
        return new

    def matrix(self, xp: Any = np) -> Any:
        """diag(d), (2^k, 2^k)."""
        entries = complex_array(xp, self.arrays[0])
        return xp.eye(entries.shape[0], dtype=entries.dtype) * entries

    def apply(self, xp: Any, columns: Any) -> Any:
        """d_j columns[j], (2^k, m)."""
        return xp.astype(complex_array(xp, self.arrays[0]), columns.dtype)[:, None] * columns

    def definition(self) -> Circuit:
        """Multiplexed rz rotations; arXiv:quant-ph/0407010."""
        circuit = Circuit(self.num_qubits)
        xp = namespace(self.arrays[0])
        entries = complex_array(xp, self.arrays[0])
        diagonal_gates(circuit, xp.atan2(xp.imag(entries), xp.real(entries)), range(self.num_qubits))
        return circuit

    def inverse(self) -> Diagonal:
        """The complex conjugate."""
        return self.replace((), (namespace(self.arrays[0]).conj(self.arrays[0]),))
