"""High-level operations, which stay whole in a circuit, and functions that make operations from operations."""

from __future__ import annotations

from typing import Any

from qsim.ir.arguments import gate, ints
from qsim.ir.controlled import Controlled, controlled
from qsim.ir.operation import add_maker
from qsim.ir.ops.clifford import Clifford
from qsim.ir.ops.diagonal import Diagonal
from qsim.ir.ops.functions import inverse, power
from qsim.ir.ops.pauli_evolution import PauliEvolution
from qsim.ir.ops.permutation import Permutation
from qsim.ir.ops.prepare_state import PrepareState
from qsim.ir.ops.qft import QFT
from qsim.ir.ops.unitary import Unitary

__all__ = [
    "QFT",
    "Clifford",
    "Controlled",
    "Diagonal",
    "PauliEvolution",
    "Permutation",
    "PrepareState",
    "Unitary",
    "controlled",
    "inverse",
    "power",
]


def _pauli_evolution(hamiltonian: Any, time: Any, qubits: Any, order: int, steps: int) -> tuple[Any, Any]:
    if qubits is not None:
        places = ints(qubits, "qubits")
        return PauliEvolution(hamiltonian, time, order, steps, len(places)), places
    if hasattr(hamiltonian, "support"):
        support = hamiltonian.support
        hamiltonian = hamiltonian.relabel({q: i for i, q in enumerate(support)})
        return PauliEvolution(hamiltonian, time, order, steps), support
    return PauliEvolution(hamiltonian, time, order, steps), ()


def _under_controls(name: str, params: tuple[Any, ...], controls: Any, target: Any, state: Any) -> tuple[Any, Any]:
    places = ints(controls, "controls")
    return controlled(gate(name, *params), len(places), state), [*places, *ints(target, "target")]


add_maker("unitary", lambda matrix, qubits: (Unitary(matrix), qubits))
add_maker("diagonal", lambda diagonal, qubits: (Diagonal(diagonal), qubits))
add_maker("permutation", lambda permutation, qubits: (Permutation(permutation), qubits))
add_maker("pauli_evolution", _pauli_evolution)
add_maker("qft", lambda qubits: (QFT(len(ints(qubits, "qubits"))), qubits))
add_maker("prepare_state", lambda state, qubits: (PrepareState(state), qubits))
add_maker("clifford", lambda tableau, qubits: (Clifford(tableau), qubits))
add_maker("mcx", lambda controls, target, state: _under_controls("x", (), controls, target, state))
add_maker("mcz", lambda controls, target, state: _under_controls("z", (), controls, target, state))
add_maker("mcp", lambda lam, controls, target, state: _under_controls("p", (lam,), controls, target, state))
