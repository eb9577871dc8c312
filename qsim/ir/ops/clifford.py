"""Clifford operations, given by their tableau."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, apply_circuit, identity


class Clifford(HighLevel):
    """The Clifford operation U of a tableau, with the global phase that `definition()` has.

    Args:
        tableau: bits (2k, 2k + 1). Row i is U X_i U^dagger, row k + i is U Z_i U^dagger, each
            as k bits x, k bits z and a sign: (-1)^sign prod_j i^(x_j z_j) X_j^x_j Z_j^z_j.
        adjoint: True for the inverse.

    Raises:
        CircuitError: a wrong shape, or rows that do not commute as those Paulis do.

    Reference: Aaronson, Gottesman, arXiv:quant-ph/0406196.

    Example:
        >>> from qsim import ops
        >>> ops.Clifford([[0, 1, 0], [1, 0, 0]]).definition().count_ops()
        {'h': 1}
    """

    __slots__ = ("tableau", "adjoint")

    def __init__(self, tableau: Any, adjoint: bool = False):
        try:
            bits = np.array(tableau)
        except (ValueError, TypeError):
            bits = np.array(None)
        k = bits.shape[0] // 2 if bits.ndim == 2 else -1
        if bits.ndim != 2 or bits.shape != (2 * k, 2 * k + 1) or bits.dtype.kind not in "biu":
            raise CircuitError(
                f"Argument `tableau` must be bits of shape (2k, 2k + 1), but is {bits.dtype} of shape {bits.shape}."
            )
        if not np.isin(bits, (0, 1)).all():
            raise CircuitError("Argument `tableau` must hold 0 and 1 only, but holds other numbers.")
        bits = bits.astype(np.uint8)
        x, z = bits[:, :k].astype(int), bits[:, k : 2 * k].astype(int)
        commute = (x @ z.T + z @ x.T) % 2
        wanted = np.kron([[0, 1], [1, 0]], np.eye(k, dtype=int))
        if not np.array_equal(commute, wanted):
            a, b = np.argwhere(commute != wanted)[0].tolist()
            raise CircuitError(
                f"Argument `tableau` is no Clifford operation: rows {a} and {b} must "
                f"{'anticommute' if wanted[a, b] else 'commute'}, but do not."
            )
        bits.setflags(write=False)
        self.tableau, self.adjoint = bits, bool(adjoint)
        self.params, self.arrays = (), ()

    @property
    def name(self) -> str:
        return "clifford_dg" if self.adjoint else "clifford"

    @property
    def label(self) -> str:
        """What a drawing writes in its box."""
        return "Cliff†" if self.adjoint else "Cliff"

    @property
    def num_qubits(self) -> int:
        return len(self.tableau) // 2

    @property
    def key(self) -> Hashable:
        return (self.name, self.num_qubits, self.tableau.tobytes())

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> Clifford:
        return self

    def matrix(self, xp: Any = np) -> Any:
        """The product of the gates of `definition()`, (2^k, 2^k)."""
        return xp.asarray(apply_circuit(np, self.definition(), identity(np, self.num_qubits)))

    def definition(self) -> Circuit:
        """h, s, sdg, cx, x and z gates, O(k^2) of them, by elimination; arXiv:quant-ph/0406196."""
        undo = _reduce(self.tableau)
        return undo if self.adjoint else undo.inverse()

    def inverse(self) -> Clifford:
        """The inverse operation, global phase included."""
        return Clifford(self.tableau, not self.adjoint)


class _Elimination:
    """A tableau, and the gates appended to the operation so far."""

    def __init__(self, tableau: np.ndarray):
        self.k = len(tableau) // 2
        self.x = tableau[:, : self.k].copy()
        self.z = tableau[:, self.k : 2 * self.k].copy()
        self.sign = tableau[:, -1].copy()
        self.gates = Circuit(self.k)

    def h(self, q: int) -> None:
        self.sign ^= self.x[:, q] & self.z[:, q]
        self.x[:, q], self.z[:, q] = self.z[:, q].copy(), self.x[:, q].copy()
        self.gates.h(q)

    def s(self, q: int) -> None:
        self.sign ^= self.x[:, q] & self.z[:, q]
        self.z[:, q] ^= self.x[:, q]
        self.gates.s(q)

    def cx(self, control: int, target: int) -> None:
        self.sign ^= self.x[:, control] & self.z[:, target] & (self.x[:, target] ^ self.z[:, control] ^ 1)
        self.x[:, target] ^= self.x[:, control]
        self.z[:, control] ^= self.z[:, target]
        self.gates.cx(control, target)


def _reduce(tableau: np.ndarray) -> Circuit:
    """Gates that undo the operation: qubit by qubit, its X row to X and its Z row to Z."""
    e = _Elimination(tableau)
    for i in range(e.k):
        row = i
        if not e.x[row].any():
            e.h(int(np.flatnonzero(e.z[row])[0]))
        if not e.x[row, i]:
            e.cx(int(np.flatnonzero(e.x[row])[0]), i)
        for j in np.flatnonzero(e.x[row]).tolist():
            if j != i:
                e.cx(i, j)
        if e.z[row].any():
            if not e.z[row, i]:
                e.s(i)
            for j in np.flatnonzero(e.z[row]).tolist():
                if j != i:
                    e.cx(j, i)
            e.s(i)
        row = e.k + i
        for j in np.flatnonzero(e.z[row]).tolist():
            if j != i:
                e.cx(j, i)
        if e.x[row].any():
            e.h(i)
            for j in np.flatnonzero(e.x[row]).tolist():
                if j != i:
                    e.cx(i, j)
            if e.z[row, i]:
                e.s(i)
            e.h(i)
    for i in range(e.k):
        if e.sign[i]:
            e.gates.z(i)
        if e.sign[e.k + i]:
            e.gates.x(i)
    return e.gates
