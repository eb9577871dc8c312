"""Any unitary matrix."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, clean_array, complex_array, namespace, num_qubits_of, read_only
from qsim.ir.ops.block_zxz import append_unitary

TOLERANCE = 1e-6
MAX_DEFINED = 8


class Unitary(HighLevel):
    """A unitary matrix U, the first qubit most significant.

    Args:
        matrix: (2^k, 2^k). A host matrix is a constant and checked to be unitary to 1e-6;
            a JAX array is a parameter and trusted.

    Raises:
        CircuitError: a wrong shape, or max |U^dagger U - 1| above 1e-6.

    Example:
        >>> import numpy as np
        >>> from qsim import Circuit
        >>> Circuit(1).unitary(np.array([[0, 1], [1, 0]]), 0).count_ops()
        {'unitary': 1}
    """

    __slots__ = ()

    def __init__(self, matrix: Any):
        found = clean_array(matrix, "Argument `matrix`")
        if len(found.shape) != 2 or found.shape[0] != found.shape[1]:
            raise CircuitError(f"Argument `matrix` must have shape (2^k, 2^k), but has shape {tuple(found.shape)}.")
        num_qubits_of(found.shape[0], "Each row of argument `matrix`")
        if isinstance(found, np.ndarray):
            off = np.abs(found.conj().T @ found - np.eye(len(found))).max()
            if off > TOLERANCE:
                raise CircuitError(
                    f"Argument `matrix` must be unitary, but max |U^dagger U - 1| is {off:.3g}. Try the unitary "
                    "factor of its polar decomposition, or write a JAX array to skip this check."
                )
            found = read_only(found.astype(np.complex128))
        self.params, self.arrays = (), (found,)

    label = "U"

    @property
    def name(self) -> str:
        return "unitary"

    @property
    def num_qubits(self) -> int:
        return self.arrays[0].shape[0].bit_length() - 1

    @property
    def key(self) -> Hashable:
        return ("unitary", self.num_qubits, np.dtype(self.arrays[0].dtype).kind)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> Unitary:
        new = object.__new__(Unitary)
        new.params, new.arrays = (), tuple(arrays)
        return new

    def matrix(self, xp: Any = np) -> Any:
        """U itself, complex."""
        return complex_array(xp, self.arrays[0])

    def definition(self) -> Circuit:
        """Gates u, h, rz, cx and a global phase, by block-ZXZ decomposition; arXiv:1512.07240.

        Raises:
            CircuitError: the matrix is a JAX array, whose values must not decide gates; or it is on more than
                8 qubits, where a million gates would be needed.
        """
        if self.num_qubits > MAX_DEFINED:
            raise CircuitError(
                f"unitary on {self.num_qubits} qubits: a definition in gates is for at most {MAX_DEFINED} qubits, "
                "beyond which it has millions of them. Build it from smaller operations."
            )
        if not isinstance(self.arrays[0], np.ndarray):
            raise CircuitError(
                f"unitary on {self.num_qubits} qubits: a JAX matrix has no definition in gates, because its values "
                "are parameters. Try a NumPy matrix."
            )
        circuit = Circuit(self.num_qubits)
        append_unitary(circuit, self.matrix(np), range(self.num_qubits))
        return circuit

    def inverse(self) -> Unitary:
        """The Hermitian conjugate."""
        xp = namespace(self.arrays[0])
        return self.replace((), (xp.conj(xp.matrix_transpose(self.arrays[0])),))
