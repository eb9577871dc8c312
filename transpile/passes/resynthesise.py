"""Look for three-qubit parts of a circuit that fewer two-qubit gates can do."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.target import Target
from transpile.base import Timed
from transpile.passes.blocks import spliced
from transpile.passes.consolidate import unitary as as_unitary
from transpile.synthesis.cores import Entangler
from transpile.synthesis.kak import PAULIS
from transpile.synthesis.matrices import has_constant_matrix, reordered
from transpile.synthesis.natives import facts_of
from transpile.synthesis.resynthesis import MOST, circuit_matrix, fewer
from transpile.synthesis.weyl import cx_cost, weyl_coordinates

__all__ = ["Resynthesise"]

LEAST = 3
"""How many two-qubit gates a part must have to be worth a try."""

_CZ = gate("cz")
_CZ_PARTS = Entangler.of(np.asarray(_CZ.matrix(np), complex))


@dataclass(slots=True, eq=False)
class _Part:
    """A run of operations on up to three qubits."""

    qubits: list[int]
    members: list[int] = field(default_factory=list)
    size: int = 0
    closed: bool = False


@dataclass(frozen=True)
class Resynthesise(Timed):
    """Fit three-qubit parts with one cz less, and then one less again, as long as that can be done.

    Args:
        seed: of the random starts.
        seconds: after which no further part is tried; None tries all. What was found until then counts.
        starts: how many starts a fit gets.
        cut: how often a part is ended before it has to be, from 0 to 1, so that other rounds see other parts.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import Resynthesise
        >>> circuit = Circuit(3).cz(0, 1).sx(1).cz(1, 2)
        >>> Resynthesise()(circuit, Target.line(3, ["rz", "sx", "cz"])) is circuit  # none to be saved
        True
    """

    seed: int = 0
    seconds: float | None = None
    starts: int = 2
    cut: float = 0.0

    def outcome(self, circuit: Circuit, target: Target) -> tuple[Circuit, bool]:
        """The circuit with every part that was bettered in cz and `unitary`, to be written in natives again.

        And True where parts were left untried because time was over.
        """
        facts = facts_of(target)
        instructions = circuit.instructions
        begin = time.monotonic()
        rng = np.random.default_rng(self.seed)
        known: dict[bytes, tuple[list[tuple[int, int]], np.ndarray] | None] = {}
        new: dict[int, list[Instruction]] = {}
        dropped: set[int] = set()
        cut_short = False
        for part in _parts(circuit, rng if self.cut else None, self.cut):
            if self.seconds is not None and time.monotonic() - begin > self.seconds:
                cut_short = True
                break
            if len(part.qubits) != 3 or not LEAST <= part.size <= MOST:
                continue
            members = [instructions[m] for m in part.members]
            large = [i for i in members if len(i.qubits) == 2]
            if any(facts.two(*sorted(i.qubits)).fixed is None for i in large):
                continue
            read = _read(members, part.qubits)
            if read is None:
                continue
            pairs, ones = read
            matrix = circuit_matrix(pairs, ones)
            row = int(np.abs(matrix[0]).argmax())
            key = np.round(matrix * (abs(matrix[0, row]) / matrix[0, row]), 9).tobytes() + bytes(str(pairs), "ascii")
            if key not in known:
                known[key] = fewer(matrix, pairs, ones, rng, self.starts)
            found = known[key]
            if found is not None:
                dropped.update(part.members)
                new[part.members[-1]] = _written(found, part.qubits)
        if not new:
            return circuit, cut_short
        return circuit.with_instructions(spliced(instructions, new, dropped)), cut_short


def _parts(circuit: Circuit, rng: np.random.Generator | None = None, cut: float = 0.0) -> list[_Part]:
    """Runs on up to three qubits, none of which another operation interrupts."""
    parts: list[_Part] = []
    of: list[_Part | None] = [None] * circuit.num_qubits
    for place, i in enumerate(circuit.instructions):
        qubits = i.qubits
        plain = len(qubits) in (1, 2) and not i.clbits and has_constant_matrix(i.operation)
        if plain and len(qubits) == 1:
            (q,) = qubits
            part = of[q]
            if part is None:
                part = of[q] = _Part([q])
                parts.append(part)
            part.members.append(place)
            continue
        if plain:
            if rng is not None and rng.random() < cut:
                _close(of, qubits)
            joined = [p for p in {id(of[q]): of[q] for q in qubits}.values() if p is not None]
            wires = {q for p in joined for q in p.qubits} | set(qubits)
            if len(wires) > 3:  # begin a new part; one-qubit gates before it stay where they are
                _close(of, qubits)
                joined, wires = [], set(qubits)
            part = _Part(sorted(wires), sorted(m for p in joined for m in p.members), sum(p.size for p in joined))
            part.members.append(place)
            part.size += 1
            for p in joined:
                parts.remove(p)
            parts.append(part)
            for q in wires:
                of[q] = part
            continue
        _close(of, qubits)
    return parts


def _close(of: list[_Part | None], qubits: Sequence[int]) -> None:
    """End the parts that these qubits are in."""
    for q in qubits:
        part = of[q]
        if part is not None:
            for w in part.qubits:
                if of[w] is part:
                    of[w] = None


def _read(members: Sequence[Instruction], qubits: list[int]) -> tuple[list[tuple[int, int]], np.ndarray] | None:
    """The members as cz gates with one-qubit gates between; None where a gate is not of the class of cx."""
    pairs: list[tuple[int, int]] = []
    layers = [np.broadcast_to(PAULIS[0], (3, 2, 2)).copy()]
    for i in members:
        matrix = np.asarray(i.operation.matrix(np), complex)
        places = [qubits.index(q) for q in i.qubits]
        if len(places) == 1:
            layers[-1][places[0]] = matrix @ layers[-1][places[0]]
            continue
        a, b = places
        if a > b:
            a, b, matrix = b, a, reordered(matrix)
        if cx_cost(weyl_coordinates(matrix)) != 1:
            return None
        own = Entangler.of(matrix)
        for side, q in enumerate((a, b)):
            layers[-1][q] = _CZ_PARTS.right[side].conj().T @ own.right[side] @ layers[-1][q]
        layers.append(np.broadcast_to(PAULIS[0], (3, 2, 2)).copy())
        for side, q in enumerate((a, b)):
            layers[-1][q] = own.left[side] @ _CZ_PARTS.left[side].conj().T
        pairs.append((a, b))
    return pairs, np.stack(layers)


def _written(found: tuple[list[tuple[int, int]], np.ndarray], qubits: list[int]) -> list[Instruction]:
    pairs, layers = found
    out: list[Instruction] = []
    for step, layer in enumerate(layers):
        if step:
            a, b = pairs[step - 1]
            out.append(Instruction(_CZ, (qubits[a], qubits[b])))
        out += [Instruction(as_unitary(m), (q,)) for m, q in zip(layer, qubits, strict=True)]
    return out
