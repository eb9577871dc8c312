"""Mixers of QAOA: how a layer moves between the states that may be an answer, and where it starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import CircuitError
from qsim.ir.arguments import MAX_QUBITS, gate
from qsim.ir.circuit import Circuit
from qsim.ir.controlled import controlled
from qsim.ir.pauli import PauliSum, X, Y
from qsim.library.lattice import Edge, chain_edges, check_edges


class Mixer(ABC):
    """What QAOA alternates with the phases of the cost: a start and a unitary U(beta)."""

    @abstractmethod
    def start(self, num_qubits: int) -> Circuit:
        """The circuit that makes the initial state from |0...0>."""

    @abstractmethod
    def layer(self, num_qubits: int, beta: Any) -> Circuit:
        """U(beta), `beta` an angle in radians or a `Parameter`."""


@dataclass(frozen=True)
class XMixer(Mixer):
    """The transverse field: U(beta) = exp(-i beta sum_q X_q), from the uniform superposition.

    Reference: Farhi et al., arXiv:1411.4028.

    Example:
        >>> from qsim.library import XMixer
        >>> XMixer().layer(3, 0.1).count_ops()
        {'rx': 3}
    """

    def start(self, num_qubits: int) -> Circuit:
        return Circuit(num_qubits).h(range(num_qubits))

    def layer(self, num_qubits: int, beta: Any) -> Circuit:
        return Circuit(num_qubits).rx(2 * beta, range(num_qubits))


@dataclass(frozen=True)
class XYMixer(Mixer):
    """Hopping of ones: exp(-i beta (X_a X_b + Y_a Y_b) / 2) for each edge in turn; keeps the number of ones.

    Starts from the Dicke state, all strings with `weight` ones in equal parts.
    References: Hadfield et al., arXiv:1709.03489; Wang et al., arXiv:1904.09314.

    Args:
        weight: how many ones.
        edges: the pairs between which ones hop, in this order; None is the ring, even edges first.
            `complete_edges(n)` lets them hop anywhere.

    Raises:
        CircuitError: a negative weight; in use, a weight or an edge beyond the qubits.

    Example:
        >>> from qsim.library import XYMixer
        >>> XYMixer(weight=1).layer(4, 0.1).count_ops()
        {'pauli_evolution': 4}
    """

    weight: int
    edges: tuple[Edge, ...] | None = None

    def __post_init__(self) -> None:
        check_int("weight", self.weight, CircuitError)
        if self.edges is not None:
            object.__setattr__(self, "edges", check_edges(self.edges, MAX_QUBITS, CircuitError))

    def start(self, num_qubits: int) -> Circuit:
        return dicke_state(num_qubits, self.weight)

    def layer(self, num_qubits: int, beta: Any) -> Circuit:
        if self.edges is None:
            ring = chain_edges(num_qubits, periodic=True)
            edges = ring[0 : num_qubits - 1 : 2] + ring[1 : num_qubits - 1 : 2] + ring[num_qubits - 1 :]
        else:
            edges = check_edges(self.edges, num_qubits, CircuitError)
        circuit, hop = Circuit(num_qubits), 0.5 * (X(0) @ X(1) + Y(0) @ Y(1))
        for edge in edges:
            circuit.pauli_evolution(hop, beta, edge)
        return circuit


@dataclass(frozen=True, eq=False)
class GroverMixer(Mixer):
    """A phase on the initial state alone: U(beta) = exp(-i beta |s><s|), |s> what `preparation` makes of |0...0>.

    Mixes all states of |s> with equal amplitudes, and no others.
    Reference: Bärtschi and Eidenbenz, arXiv:2006.00354.

    Args:
        preparation: a circuit on all the qubits, such as `dicke_state(n, k)`; None is the
            uniform superposition.

    Raises:
        CircuitError: in use, a preparation on another number of qubits.

    Example:
        >>> from qsim.library import GroverMixer, dicke_state
        >>> GroverMixer(dicke_state(3, 1)).start(3).num_qubits
        3
    """

    preparation: Circuit | None = None

    def start(self, num_qubits: int) -> Circuit:
        if self.preparation is None:
            return Circuit(num_qubits).h(range(num_qubits))
        if not isinstance(self.preparation, Circuit) or self.preparation.num_qubits != num_qubits:
            raise CircuitError(f"Argument `preparation` must be a Circuit on the {num_qubits} qubits of the cost.")
        return self.preparation.copy()

    def layer(self, num_qubits: int, beta: Any) -> Circuit:
        circuit = self.start(num_qubits).inverse()
        if num_qubits == 0:
            return circuit.gphase(-1 * beta)
        circuit.x(range(num_qubits))
        circuit.mcp(-1 * beta, range(num_qubits - 1), num_qubits - 1)
        circuit.x(range(num_qubits))
        return circuit.extend(self.start(num_qubits))


@dataclass(frozen=True)
class HamiltonianMixer(Mixer):
    """The evolution of any Hamiltonian: the product formula of exp(-i beta H), from a circuit of one's own.

    Args:
        hamiltonian: a Hermitian Pauli sum; where its terms do not commute, their order counts.
        preparation: the circuit that makes the initial state; None is the uniform superposition.

    Raises:
        CircuitError: in use, more qubits than the cost has.

    Example:
        >>> from qsim import X
        >>> from qsim.library import HamiltonianMixer
        >>> HamiltonianMixer(X(0) + X(1) + X(0) @ X(1)).layer(2, 0.1).count_ops()
        {'pauli_evolution': 1}
    """

    hamiltonian: PauliSum
    preparation: Circuit | None = None

    def start(self, num_qubits: int) -> Circuit:
        return GroverMixer(self.preparation).start(num_qubits)

    def layer(self, num_qubits: int, beta: Any) -> Circuit:
        return Circuit(num_qubits).pauli_evolution(self.hamiltonian, beta, range(num_qubits))


def dicke_state(num_qubits: int, weight: int) -> Circuit:
    """The Dicke state from |0...0>: all bit strings with `weight` ones in equal parts.

    O(num_qubits * weight) gates without ancillas; weight 1 is the W state.
    Reference: Bärtschi and Eidenbenz, arXiv:1904.07358.

    Args:
        num_qubits: how many qubits. weight: how many ones, at most that.

    Raises:
        CircuitError: a weight beyond the qubits, or negative numbers.

    Example:
        >>> from qsim import execute
        >>> from qsim.library import dicke_state
        >>> from qsim.results import Probabilities
        >>> print(execute(dicke_state(2, 1), Probabilities()).round(3))
        [0.  0.5 0.5 0. ]
    """
    size = check_int("num_qubits", num_qubits, CircuitError)
    ones = check_int("weight", weight, CircuitError)
    if ones > size:
        raise CircuitError(f"Argument `weight` must be at most the {size} qubits, but is {ones}.")
    circuit = Circuit(size).x(range(size - ones, size))
    for last in range(size - 1, 0, -1):
        for j in range(1, min(ones, last) + 1):
            # of j ones at the end of the first last + 1 qubits, part goes one place to the left
            angle = 2 * float(np.arccos(np.sqrt(j / (last + 1))))
            target, inner = last - j, last - j + 1
            controls = [last] if j == 1 else [inner, last]
            circuit.cx(target, last)
            circuit.append(controlled(gate("ry", angle), len(controls)), [*controls, target])
            circuit.cx(target, last)
    return circuit
