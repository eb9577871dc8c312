"""The quantum Fourier transform."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import pi
from typing import Any

import numpy as np

from qsim.ir.arguments import count
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, complex_array


class QFT(HighLevel):
    """|j> -> sum_k w^(jk) |k> / sqrt(N) with w = exp(2 pi i / N), N = 2^k, the swaps included.

    Args:
        num_qubits: k.
        adjoint: True for the inverse transform.

    Raises:
        CircuitError: `num_qubits` is not an int of 0 or more.

    Reference: Coppersmith, arXiv:quant-ph/0201067.

    Example:
        >>> from qsim import ops
        >>> ops.QFT(2).definition().count_ops()
        {'h': 2, 'cp': 1, 'swap': 1}
    """

    __slots__ = ("_num_qubits", "adjoint")

    def __init__(self, num_qubits: int, adjoint: bool = False):
        self._num_qubits, self.adjoint = count("num_qubits", num_qubits), bool(adjoint)
        self.params, self.arrays = (), ()

    @property
    def name(self) -> str:
        return "qft_dg" if self.adjoint else "qft"

    @property
    def label(self) -> str:
        """What a drawing writes in its box."""
        return "QFT†" if self.adjoint else "QFT"

    @property
    def num_qubits(self) -> int:
        return self._num_qubits

    @property
    def key(self) -> Hashable:
        return (self.name, self.num_qubits)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> QFT:
        return self

    def matrix(self, xp: Any = np) -> Any:
        """w^(jk) / sqrt(N), (N, N)."""
        size = 1 << self.num_qubits
        index = np.arange(size)
        turn = (-2j if self.adjoint else 2j) * pi / size
        whole = np.exp(turn * (np.outer(index, index) % size)) / np.sqrt(size)
        return xp.asarray(whole)

    def apply(self, xp: Any, columns: Any) -> Any:
        """A fast Fourier transform of each column, (N, m)."""
        transform = xp.fft.fft if self.adjoint else xp.fft.ifft
        return transform(complex_array(xp, columns), axis=0, norm="ortho")

    def definition(self) -> Circuit:
        """h and cp gates, then swaps."""
        n = self.num_qubits
        circuit = Circuit(n)
        for i in range(n):
            circuit.h(i)
            for j in range(i + 1, n):
                circuit.cp(pi / (1 << (j - i)), j, i)
        for i in range(n // 2):
            circuit.swap(i, n - 1 - i)
        return circuit.inverse() if self.adjoint else circuit

    def inverse(self) -> QFT:
        """The transform the other way."""
        return QFT(self.num_qubits, not self.adjoint)
