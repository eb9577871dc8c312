"""What makes one circuit better than another."""

from __future__ import annotations

from qsim.ir.circuit import Circuit

__all__ = ["score", "two_qubit_depth"]


def score(circuit: Circuit) -> tuple[int, int]:
    """(operations on two or more qubits, all operations); barriers and global phases aside. Less is better."""
    large = small = 0
    for i in circuit.instructions:
        size = len(i.qubits)
        if size == 1:
            small += 1
        elif size > 1 and i.operation.name != "barrier":
            large += 1
    return large, large + small


def two_qubit_depth(circuit: Circuit) -> int:
    """The longest path in operations on two or more qubits."""
    levels = [0] * circuit.num_qubits
    for i in circuit.instructions:
        if len(i.qubits) > 1 and i.operation.name != "barrier":
            level = 1 + max([levels[q] for q in i.qubits])
            for q in i.qubits:
                levels[q] = level
    return max(levels, default=0)
