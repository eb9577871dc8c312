"""Write every two-qubit block in as few native gates as it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate
from qsim.ir.ops import Unitary
from qsim.ir.target import Target
from transpile.passes.blocks import Block, collect_blocks, spliced
from transpile.synthesis.kak import Kak, kak
from transpile.synthesis.natives import Facts, facts_of
from transpile.synthesis.two_qubit import Sequence as Layers
from transpile.synthesis.two_qubit import TwoQubitBasis
from transpile.synthesis.weyl import cx_cost, weyl_coordinates

__all__ = ["consolidate", "fuse"]

TINY = 1e-11
_UNITARY = Unitary(np.eye(2))


def consolidate(circuit: Circuit, target: Target) -> Circuit:
    """Replace blocks of constants by native two-qubit gates and `u`, where that takes fewer of them.

    A block whose gates are all native stays as it is unless its KAK decomposition saves
    two-qubit gates; swaps that routing put in are merged with their neighbours this way. Blocks
    with open parameters stay for `translate`.

    Args:
        circuit: placed on the target. target: the device.

    Raises:
        TargetError: a pair that no entangling gate of the target joins.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import consolidate
        >>> consolidate(Circuit(2).swap(0, 1).cx(0, 1), Target.line(2, ["u", "cz"])).count_ops()["cz"]
        2
    """
    facts = facts_of(target)
    instructions = circuit.instructions
    blocks = [b for b in collect_blocks(circuit) if b.matrix is not None]
    chosen: dict[int, tuple[Block, Layers]] = {}
    groups: dict[int, tuple[TwoQubitBasis, list[Block]]] = {}
    for block in blocks:
        basis = facts.two(*block.qubits)
        groups.setdefault(id(basis), (basis, []))[1].append(block)
    for basis, group in groups.values():
        unitaries, which = _distinct([b.matrix for b in group])  # type: ignore[misc]
        decomposed = kak(unitaries)
        counts = basis.counts(decomposed.coordinates)[which].tolist()
        better = [n for n, (b, c) in enumerate(zip(group, counts, strict=True)) if _saves(instructions, b, c, facts)]
        if better:
            wanted = sorted({which[n] for n in better})
            part = Kak(*[x[wanted] for x in (decomposed.left, decomposed.coordinates, decomposed.right)])
            layers = dict(zip(wanted, basis.sequences(unitaries[wanted], part), strict=True))
            for n in better:
                chosen[id(group[n])] = group[n], layers[which[n]]
    if not chosen:
        return circuit
    return circuit.with_instructions(_rewritten(instructions, list(chosen.values())))


def fuse(circuit: Circuit, target: Target) -> Circuit:
    """Make every constant block one `unitary`; blocks that entangle nothing become one-qubit ones.

    For passes that are to see as few operations as there are.

    Args:
        circuit: any circuit; it is never changed. target: not looked at.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import fuse
        >>> fuse(Circuit(2).h(0).cx(0, 1).t(1).cx(0, 1), Target.ideal()).count_ops()
        {'unitary': 1}
    """
    instructions = circuit.instructions
    blocks = [b for b in collect_blocks(circuit) if b.matrix is not None]
    if not blocks:
        return circuit
    unitaries = np.stack([b.matrix for b in blocks])  # type: ignore[misc]
    local = np.flatnonzero(cx_cost(weyl_coordinates(unitaries)) == 0)
    parts = dict(zip(local.tolist(), _local_parts(unitaries[local]), strict=True))
    new: dict[int, list[Instruction]] = {}
    dropped: set[int] = set()
    for n, block in enumerate(blocks):
        dropped.update(block.members)
        first = next(m for m in block.members if len(instructions[m].qubits) == 2)
        if n in parts:
            new[first] = [Instruction(unitary(m), (q,)) for m, q in zip(parts[n], block.qubits, strict=True)]
        elif len(block.members) == 1:
            dropped.discard(first)
        else:
            new[first] = [Instruction(unitary(unitaries[n]), block.qubits)]
    return circuit.with_instructions(spliced(instructions, new, dropped))


def unitary(matrix: np.ndarray) -> Unitary:
    """A `Unitary` of a matrix that is known to be one."""
    return _UNITARY.replace((), (matrix,))


def _local_parts(unitaries: np.ndarray) -> np.ndarray:
    decomposed = kak(unitaries)
    return decomposed.left @ decomposed.right


def _distinct(matrices: Sequence[np.ndarray]) -> tuple[np.ndarray, list[int]]:
    """The different matrices (N, 4, 4), and for each one given which it is: the swaps of a routing are all the same."""
    numbers: dict[bytes, int] = {}
    which: list[int] = []
    first: list[np.ndarray] = []
    for matrix in matrices:
        number = numbers.setdefault(matrix.tobytes(), len(first))
        if number == len(first):
            first.append(matrix)
        which.append(number)
    return np.stack(first), which


def _saves(instructions: Sequence[Instruction], block: Block, count: int, facts: Facts) -> bool:
    """Whether `count` native gates are fewer than the block has, or it has gates that are not native."""
    found = 0
    for m in block.members:
        i = instructions[m]
        if len(i.qubits) == 2:
            found += 1
            if found > count:
                return True
            if not facts.is_native(i.operation, i.qubits):
                return True
    return False


def _rewritten(instructions: Sequence[Instruction], chosen: list[tuple[Block, Layers]]) -> list[Instruction]:
    distinct = {id(sequence): sequence for _, sequence in chosen}
    angles, trivial = u_angles(np.concatenate([c.layers.reshape(-1, 2, 2) for c in distinct.values()]))
    row = gate("u", 0.0, 0.0, 0.0).row
    steps: dict[int, list[tuple[Any, int]]] = {}
    at = 0
    for key, sequence in distinct.items():
        made = steps[key] = []
        for step in range(len(sequence.layers)):
            if step:
                operation, flipped = sequence.operations[step - 1]
                made.append((operation, 3 if flipped else 2))
            for place in (0, 1):
                if not trivial[at]:
                    made.append((Gate(row, angles[at]), place))
                at += 1
    new: dict[int, list[Instruction]] = {}
    dropped: set[int] = set()
    for block, sequence in chosen:
        dropped.update(block.members)
        a, b = block.qubits
        places = ((a,), (b,), (a, b), (b, a))
        first = next(m for m in block.members if len(instructions[m].qubits) == 2)
        new[first] = [Instruction(operation, places[place]) for operation, place in steps[id(sequence)]]
    return spliced(instructions, new, dropped)


def u_angles(matrices: np.ndarray) -> tuple[list[tuple[Any, ...]], list[bool]]:
    """(theta, phi, lam) of one-qubit matrices (N, 2, 2) up to a phase, and which are the identity up to one."""
    a, b, c, d = matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 1, 0], matrices[:, 1, 1]
    theta = 2 * np.arctan2(np.abs(b) + np.abs(c), np.abs(a) + np.abs(d))
    flat, full = theta < TINY, theta > np.pi - TINY
    alpha = np.angle(a)
    phi = np.where(flat, 0.0, np.angle(c) - np.where(full, np.angle(-b), alpha))
    lam = np.where(full, 0.0, np.where(flat, np.angle(d), np.angle(-b)) - alpha)
    trivial = (theta < 1e-9) & (np.abs(np.remainder(phi + lam + 1, 2 * np.pi) - 1) < 1e-9)
    return list(zip(theta.tolist(), phi.tolist(), lam.tolist(), strict=True)), trivial.tolist()
