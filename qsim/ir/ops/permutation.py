"""A permutation of basis states."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.arguments import ints
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, complex_array, num_qubits_of


class Permutation(HighLevel):
    """|j> -> |permutation[j]>.

    Args:
        permutation: where each of the 2^k basis states goes; every one once.

    Raises:
        CircuitError: not a permutation of 0 .. 2^k - 1.

    Example:
        >>> from qsim import ops
        >>> ops.Permutation([1, 2, 3, 0])
        permutation[2]
    """

    __slots__ = ("table",)

    def __init__(self, permutation: Iterable[int]):
        table = np.array(ints(permutation, "permutation"), dtype=np.int64)
        num_qubits_of(len(table), "Argument `permutation`")
        if not np.array_equal(np.sort(table), np.arange(len(table))):
            raise CircuitError(f"Argument `permutation` must name each of 0 .. {len(table) - 1} once, but does not.")
        table.setflags(write=False)
        self.table = table
        self.params, self.arrays = (), ()

    @classmethod
    def of_qubits(cls, places: Iterable[int]) -> Permutation:
        """The permutation that moves qubit i to `places[i]`.

        Raises:
            CircuitError: `places` does not name each of 0 .. k - 1 once.

        Example:
            >>> from qsim import ops
            >>> ops.Permutation.of_qubits([1, 0]).definition().count_ops()
            {'swap': 1}
        """
        moved = ints(places, "places")
        k = len(moved)
        if sorted(moved) != list(range(k)):
            raise CircuitError(f"Argument `places` must name each of 0 .. {k - 1} once, but is {moved}.")
        index = np.arange(1 << k)
        return cls(sum(((index >> (k - 1 - i) & 1) << (k - 1 - p) for i, p in enumerate(moved)), np.zeros_like(index)))

    label = "Perm"

    @property
    def name(self) -> str:
        return "permutation"

    @property
    def num_qubits(self) -> int:
        return len(self.table).bit_length() - 1

    @property
    def key(self) -> Hashable:
        return ("permutation", self.num_qubits, self.table.astype("<i8").tobytes())

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> Permutation:
        return self

    def matrix(self, xp: Any = np) -> Any:
        """1 at (permutation[j], j), (2^k, 2^k)."""
        out = np.zeros((len(self.table),) * 2, dtype=complex)
        out[self.table, np.arange(len(self.table))] = 1
        return xp.asarray(out)

    def apply(self, xp: Any, columns: Any) -> Any:
        """The rows of (2^k, m), moved."""
        return xp.take(complex_array(xp, columns), xp.asarray(np.argsort(self.table)), axis=0)

    def definition(self) -> Circuit:
        """Swaps where it moves qubits; otherwise x under controls, and cx, for each exchange of two states."""
        k = self.num_qubits
        circuit = Circuit(k)
        moved = self.table[[1 << (k - 1 - i) for i in range(k)]].tolist()
        if all(m and not m & (m - 1) for m in moved):
            places = [k - m.bit_length() for m in moved]
            if np.array_equal(Permutation.of_qubits(places).table, self.table):
                _append_swaps(circuit, places)
                return circuit
        for cycle in _cycles(self.table.tolist()):
            for state in cycle[1:]:
                _append_exchange(circuit, cycle[0], state)
        return circuit

    def inverse(self) -> Permutation:
        """Every basis state back to where it came from."""
        return Permutation(np.argsort(self.table))


def _append_swaps(circuit: Circuit, places: list[int]) -> None:
    """Swaps that move qubit i to places[i]."""
    places = list(places)
    for i in range(len(places)):
        while places[i] != i:
            j = places[i]
            circuit.swap(i, j)
            places[i], places[j] = places[j], places[i]


def _cycles(table: list[int]) -> list[list[int]]:
    """The cycles of two or more, each as j, table[j], table[table[j]], ..."""
    seen = [False] * len(table)
    found = []
    for start in range(len(table)):
        cycle = []
        while not seen[start]:
            seen[start] = True
            cycle.append(start)
            start = table[start]
        if len(cycle) > 1:
            found.append(cycle)
    return found


def _append_exchange(circuit: Circuit, a: int, b: int) -> None:
    """Exchange two basis states: cx until they differ in one qubit, then x under all others."""
    k = circuit.num_qubits
    differ = [q for q in range(k) if (a ^ b) >> (k - 1 - q) & 1]
    target, others = differ[0], differ[1:]
    if a >> (k - 1 - target) & 1:
        a, b = b, a  # now the target is 0 in a, so that the cx below leave a alone
    for q in others:
        circuit.cx(target, q)
    controls = [q for q in range(k) if q != target]
    if controls:
        circuit.mcx(controls, target, "".join(str(a >> (k - 1 - q) & 1) for q in controls))
    else:
        circuit.x(target)
    for q in reversed(others):
        circuit.cx(target, q)
