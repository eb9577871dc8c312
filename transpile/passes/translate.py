"""Write two-qubit operations with open angles in native gates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate, is_constant
from qsim.ir.target import Target
from transpile.passes.blocks import Block, collect_blocks, spliced
from transpile.synthesis.emit import Writer, canonical_count, write_canonical
from transpile.synthesis.kak import PAULIS, kak
from transpile.synthesis.matrices import has_constant_matrix, reordered, unitary_of
from transpile.synthesis.natives import facts_of
from transpile.synthesis.rotations import rotations_of
from transpile.synthesis.symbolic import Canonical, canonical_of, pauli_matrix
from transpile.synthesis.two_qubit import TwoQubitBasis

__all__ = ["translate"]

_Item = Any  # a constant (4, 4), or (word, angle)
SWAP = np.eye(4)[[0, 2, 1, 3]]


def translate(circuit: Circuit, target: Target) -> Circuit:
    """Write blocks that hold open angles in native gates, by rules; the angles stay symbolic and linear.

    Runs of a block that are one exp(i (a PP' + b QQ' + c RR')) up to rotations of single qubits
    take two or three gates of the class of cx, swaps included; or one gate of any angle per
    coordinate. A block whose gates are all native stays as it is unless that saves some.

    Args:
        circuit: placed on the target, with the constant blocks already in native gates. target: the device.

    Raises:
        TargetError: an operation that no rule is known for.

    Example:
        >>> from qsim import Circuit, Parameter
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import translate
        >>> made = translate(Circuit(2).rzz(Parameter("a"), 0, 1).swap(0, 1), Target.line(2, ["u", "cx"]))
        >>> made.count_ops()["cx"]
        3
    """
    instructions = circuit.instructions
    facts = facts_of(target)
    if not any(
        _is_open(i) or (len(i.qubits) == 2 and not facts.is_native(i.operation, i.qubits)) for i in instructions
    ):
        return circuit
    new: dict[int, list[Instruction]] = {}
    dropped: set[int] = set()
    for block in collect_blocks(circuit, with_matrices=False):
        members = [instructions[m] for m in block.members]
        large = [i for i in members if len(i.qubits) == 2]
        foreign = any(not facts.is_native(i.operation, i.qubits) for i in large)
        if not foreign and (len(large) < 2 or all(has_constant_matrix(i.operation) for i in members)):
            continue
        basis = facts.two(*block.qubits)
        made = _written(members, block, basis)
        if foreign or sum(len(i.qubits) == 2 for i in made) < len(large):
            dropped.update(block.members)
            new[next(m for m in block.members if len(instructions[m].qubits) == 2)] = made
    if not new:
        return circuit
    return circuit.with_instructions(spliced(instructions, new, dropped))


def _is_open(instruction: Instruction) -> bool:
    return not all(map(is_constant, instruction.operation.params))


def _written(members: Sequence[Instruction], block: Block, basis: TwoQubitBasis) -> list[Instruction]:
    """The members of one block: as long runs as possible as one canonical form each."""
    writer = Writer(*block.qubits)
    run: list[_Item] = []
    form: Canonical | None = None
    entangles = False
    for item in _items(members, block):
        constant = isinstance(item, np.ndarray)
        if not run and constant and _is_local(item):
            _write_constant(writer, item, basis)
            continue
        longer = canonical_of([*run, item])
        if run and longer is None and (entangles or not constant) and not _still_open(run, item):
            _write_run(writer, run, form, basis)
            run, form = [item], canonical_of([item])
        else:
            run, form = [*run, item], longer
        entangles = form is not None
    if run:
        _write_run(writer, run, form, basis)
    return writer.finish()


def _still_open(run: list[_Item], item: _Item) -> bool:
    """True while a run has no rotation of both qubits yet, so that it may still become a canonical form."""
    return all(isinstance(x, np.ndarray) or "I" in x[0] for x in [*run, item])


def _write_run(writer: Writer, run: list[_Item], form: Canonical | None, basis: TwoQubitBasis) -> None:
    separate = sum(_cost(item, basis) for item in run)
    if form is not None and canonical_count(form, basis) <= separate:
        write_canonical(form, basis, writer)
        return
    constant: np.ndarray | None = None
    for item in run:
        if isinstance(item, np.ndarray):
            constant = item if constant is None else item @ constant
            continue
        if constant is not None:
            _write_constant(writer, constant, basis)
            constant = None
        word, angle = item
        if word == "II":
            continue
        if "I" in word:
            place = 0 if word[0] != "I" else 1
            writer.turn(place, word[place], angle)
        else:
            single = canonical_of([item])
            assert single is not None
            write_canonical(single, basis, writer)
    if constant is not None:
        _write_constant(writer, constant, basis)


def _cost(item: _Item, basis: TwoQubitBasis) -> int:
    if isinstance(item, np.ndarray):
        return int(basis.counts(kak(item[None]).coordinates)[0])
    if "I" in item[0]:
        return 0
    single = canonical_of([item])
    assert single is not None
    return canonical_count(single, basis)


def _write_constant(writer: Writer, matrix: np.ndarray, basis: TwoQubitBasis) -> None:
    sequence = basis.sequences(matrix[None], kak(matrix[None]))[0]
    writer.pair(sequence.layers[0])
    for layer, (operation, flipped) in zip(sequence.layers[1:], sequence.operations, strict=True):
        writer.gate(operation, flipped)
        writer.pair(layer)


def _is_local(matrix: np.ndarray) -> bool:
    parts = matrix.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(4, 4)
    row, column = divmod(int(np.abs(parts).argmax()), 4)
    return bool(np.abs(parts * parts[row, column] - np.outer(parts[:, column], parts[row])).max() < 1e-9)


def _items(members: Sequence[Instruction], block: Block) -> list[_Item]:
    """The members as constants on both qubits and rotations, in time order."""
    found: list[_Item] = []
    for i in members:
        places = [block.qubits.index(q) for q in i.qubits]
        if has_constant_matrix(i.operation):
            found.append(_wide(unitary_of(i.operation), places))
            continue
        items = rotations_of(i.operation)
        if items is None:
            raise TargetError(
                f"{i.operation.name} on qubits {i.qubits} has open angles, and nothing is known to write it in other "
                "gates. What would be needed: a definition() in gates of the table."
            )
        for what, rest in items:
            if isinstance(what, str):
                word = ["I", "I"]
                for letter, place in zip(what, places, strict=True):
                    word[place] = letter
                angle = rest
                if isinstance(angle, float):
                    pauli = pauli_matrix("".join(word))
                    found.append(np.cos(angle / 2) * np.eye(4) - 1j * np.sin(angle / 2) * pauli)
                else:
                    found.append(("".join(word), angle))
            else:
                assert isinstance(what, Gate)
                found.append(_wide(np.asarray(what.matrix(np), complex), [places[q] for q in rest]))
    return found


def _wide(matrix: np.ndarray, places: list[int]) -> np.ndarray:
    if len(places) == 2:
        return reordered(matrix) if places == [1, 0] else matrix
    return np.kron(matrix, PAULIS[0]) if places == [0] else np.kron(PAULIS[0], matrix)
