"""Runs of operations on one pair of qubits: what is resynthesised, placed and routed as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Barrier, Gate
from qsim.ir.ops.delay import Delay
from transpile.synthesis.matrices import has_constant_matrix, pair_products

__all__ = ["Block", "block_matrices", "collect_blocks", "spliced"]


@dataclass(slots=True, eq=False)
class Block:
    """A maximal run of one- and two-qubit operations on one pair.

    Attributes:
        qubits: (a, b), in the order of its first two-qubit operation.
        members: the places of its instructions in the circuit, in order. One-qubit operations
            before, between and after the two-qubit ones are among them.
        matrix: the product (4, 4), `a` most significant; None where an operation has a parameter
            or no matrix.
    """

    qubits: tuple[int, int]
    members: list[int] = field(default_factory=list)
    matrix: np.ndarray | None = None


def collect_blocks(circuit: Circuit, with_matrices: bool = True) -> list[Block]:
    """The blocks of a circuit, in the order of their first two-qubit operation.

    Every two-qubit operation is in exactly one block; operations on more qubits, barriers,
    measurements and the like end the blocks that they touch. A one-qubit operation with no
    two-qubit operation next to it on its qubit is in none.

    Args:
        circuit: any circuit.
        with_matrices: False leaves `matrix` None everywhere.

    Example:
        >>> from qsim import Circuit
        >>> from transpile.passes.blocks import collect_blocks
        >>> [(b.qubits, b.members) for b in collect_blocks(Circuit(3).h(0).cx(0, 1).cx(1, 2).h(0).cx(2, 1))]
        [((0, 1), [0, 1, 3]), ((1, 2), [2, 4])]
    """
    instructions = circuit.instructions
    blocks = _collect(instructions, circuit.num_qubits)
    if with_matrices:
        block_matrices(instructions, blocks)
    return blocks


def _collect(instructions: Sequence[Instruction], num_qubits: int) -> list[Block]:
    blocks: list[Block] = []
    last: list[Block | None] = [None] * num_qubits
    waiting: list[list[int]] = [[] for _ in range(num_qubits)]
    for place, instruction in enumerate(instructions):
        qubits = instruction.qubits
        size = len(qubits)
        if size == 2 and _is_gate(instruction):
            a, b = qubits
            block = last[a]
            if block is None or block is not last[b]:
                block = Block((a, b))
                blocks.append(block)
                for q in qubits:
                    block.members += waiting[q]
                    waiting[q] = []
                    last[q] = block
            block.members.append(place)
        elif size == 1 and _is_gate(instruction):
            (q,) = qubits
            block = last[q]
            if block is None:
                waiting[q].append(place)
            else:
                block.members.append(place)
        else:
            for q in qubits:
                last[q] = None
                waiting[q] = []
    for block in blocks:
        block.members.sort()
    return blocks


def _is_gate(instruction: Instruction) -> bool:
    operation = instruction.operation
    return type(operation) is Gate or not (
        isinstance(operation, (Barrier, Delay)) or operation.num_clbits or not hasattr(operation, "matrix")
    )


def block_matrices(instructions: Sequence[Instruction], blocks: Sequence[Block]) -> None:
    """Fill in the matrices of blocks whose operations are all constant; all of them in a few batched products."""
    constant: list[Block] = []
    runs: list[list[tuple[Any, tuple[int, ...]]]] = []
    for block in blocks:
        run = []
        for m in block.members:
            instruction = instructions[m]
            if not has_constant_matrix(instruction.operation):
                break
            run.append((instruction.operation, instruction.qubits))
        else:
            constant.append(block)
            runs.append(run)
    for block, matrix in zip(constant, pair_products(runs, [b.qubits[1] for b in constant]), strict=True):
        block.matrix = matrix


def spliced(
    instructions: Sequence[Instruction], new: dict[int, list[Instruction]], dropped: set[int]
) -> list[Instruction]:
    """The instructions without the dropped ones, and with new ones at their places."""
    out: list[Instruction] = []
    for place, instruction in enumerate(instructions):
        if place in new:
            out += new[place]
        elif place not in dropped:
            out.append(instruction)
    return out
