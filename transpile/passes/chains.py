"""Write runs of one-qubit gates in the natives of their qubit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate
from qsim.ir.target import Target
from transpile.synthesis.angles import is_multiple, total, wrapped
from transpile.synthesis.axes import axes_of
from transpile.synthesis.matrices import has_constant_matrix
from transpile.synthesis.natives import Facts, facts_of
from transpile.synthesis.one_qubit import TURN
from transpile.synthesis.quaternion import Quaternion, eulers, quaternions, rotation, run_products
from transpile.synthesis.rotations import rotations_of

__all__ = ["one_qubit_chains"]

TINY = 1e-9
IDENTITY: Quaternion = (1.0, 0.0, 0.0, 0.0)
_FROM_Z = {"Z": IDENTITY, "X": rotation("y", TURN / 4), "Y": rotation("x", -TURN / 4)}
"""V with V Z V^dagger = P."""


class _Chain:
    """The one-qubit gates of one run: constants (by their numbers), with open rotations about Z between them."""

    __slots__ = ("qubit", "members", "open")

    def __init__(self, qubit: int):
        self.qubit = qubit
        self.members: list[Instruction] = []
        self.open = False


class _Products:
    """The constants of all chains, multiplied out together: euler angles by number."""

    def __init__(self) -> None:
        self._factors: list[np.ndarray] = []
        self._lengths: list[int] = []
        self.starts: list[int] = []  # the first number of each chain
        self.angles: list[list[Any]] = []  # the open rotations of each chain, between its constants
        self.theta: list[float] = []
        self.phi: list[float] = []
        self.lam: list[float] = []

    def fill(self, chains: Sequence[_Chain]) -> None:
        """Work out every chain."""
        constants = [i.operation for chain in chains if not chain.open for i in chain.members]
        found = quaternions(constants)
        at = 0
        for chain in chains:
            self.starts.append(len(self._lengths))
            self.angles.append([])
            if chain.open:
                self._open(chain)
            else:
                size = len(chain.members)
                self._factors.append(found[at : at + size])
                self._lengths.append(size)
                at += size
        if self._lengths:
            products = run_products(np.concatenate(self._factors), self._lengths)
            self.theta, self.phi, self.lam = eulers(products)

    def _open(self, chain: _Chain) -> None:
        """A chain with open angles: each P rotation is one about Z in another frame."""
        part: list[Any] = [IDENTITY]
        angles = self.angles[-1]
        for i in chain.members:
            if has_constant_matrix(i.operation):
                part.append(quaternions([i.operation])[0])
                continue
            for letters, angle in rotations_of(i.operation) or ():
                if letters == "I":
                    continue
                if type(angle) is float:
                    part.append(rotation(letters.lower(), angle))  # type: ignore[union-attr]
                    continue
                w, x, y, z = v = _FROM_Z[letters]  # type: ignore[index]
                self._close([*part, (w, -x, -y, -z)])
                angles.append(angle)
                part = [v]
        self._close(part)

    def _close(self, part: list[Any]) -> None:
        self._factors.append(np.array(part, float))
        self._lengths.append(len(part))


def one_qubit_chains(circuit: Circuit, target: Target) -> Circuit:
    """Merge runs of one-qubit gates, and write them in native gates; rotations about Z move on where they may.

    Open parameters stay symbolic, and the new angles are linear in them. A run of native gates
    stays as it is where nothing gets shorter.

    Args:
        circuit: placed on the target. target: the device.

    Raises:
        TargetError: the natives of a qubit are not universal, and a gate there is not native.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile.passes import one_qubit_chains
        >>> one_qubit_chains(Circuit(1).h(0).t(0).h(0), Target.line(1, ["rz", "sx"])).count_ops()
        {'rz': 3, 'sx': 2}
    """
    events: list[Instruction | int] = []
    chains = _collect(circuit, events)
    if not chains:
        return circuit
    products = _Products()
    products.fill(chains)
    writer = _Writer(facts_of(target), chains, products, circuit.num_qubits)
    for event in events:
        if type(event) is int:
            writer.ready[chains[event].qubit] = event
        else:
            writer.pass_by(event)  # type: ignore[arg-type]
    out = writer.finish()
    return circuit.with_instructions(out) if writer.changed else circuit


def _collect(circuit: Circuit, events: list[Instruction | int]) -> list[_Chain]:
    """The chains; into `events` their numbers where they end, between the other instructions."""
    chains: list[_Chain] = []
    current: list[int] = [-1] * circuit.num_qubits
    for instruction in circuit.instructions:
        qubits = instruction.qubits
        if len(qubits) == 1 and not instruction.clbits:
            constant = has_constant_matrix(instruction.operation)
            if constant or (type(instruction.operation) is Gate and rotations_of(instruction.operation) is not None):
                (q,) = qubits
                if current[q] < 0:
                    current[q] = len(chains)
                    chains.append(_Chain(q))
                chain = chains[current[q]]
                chain.members.append(instruction)
                chain.open |= not constant
                continue
        for q in qubits:
            if current[q] >= 0:
                events.append(current[q])
                current[q] = -1
        events.append(instruction)
    events += [number for number in current if number >= 0]
    return chains


class _Writer:
    """The new circuit as it grows: for each qubit a chain that is ready, and a rotation about Z that moves on."""

    def __init__(self, facts: Facts, chains: list[_Chain], products: _Products, num_qubits: int):
        self.facts, self.chains, self.products = facts, chains, products
        self.ready: list[int] = [-1] * num_qubits
        self.frames: list[Any] = [_ZERO] * num_qubits
        self.places = [(q,) for q in range(num_qubits)]
        self.shared: dict[Any, Instruction] = {}
        self.out: list[Instruction] = []
        self.changed = False

    def pass_by(self, instruction: Instruction) -> None:
        """Append an operation that ends the chains of its qubits."""
        qubits = instruction.qubits
        axes = axes_of(instruction.operation) if type(instruction.operation) is Gate and len(qubits) > 1 else None
        for place, q in enumerate(qubits):
            if self.ready[q] >= 0 or self.frames[q] is not _ZERO:
                self._flush(q, axes is not None and axes[place] == "z")
        self.out.append(instruction)

    def finish(self) -> list[Instruction]:
        """Everything, with what still waits."""
        for q in range(len(self.ready)):
            if self.ready[q] >= 0 or self.frames[q] is not _ZERO:
                self._flush(q, False)
        return self.out

    def _flush(self, q: int, passes: bool) -> None:
        number, frame = self.ready[q], self.frames[q]
        framed = type(frame) is not float or frame != 0.0
        if number < 0:
            if framed and not passes:
                self._write(q, self.facts.one(q).z(frame))
                self.frames[q] = _ZERO
            return
        self.ready[q] = -1
        members = self.chains[number].members
        single = len(members) == 1
        if single and not framed and not passes and self._is_native(members[0]) and not self._is_trivial(number):
            self.out.append(members[0])
            return
        gates, rest = self._gates(number, q, frame, passes)
        tail = passes and not is_multiple(rest, TURN)
        if not framed and len(gates) + tail >= len(members) and (not tail or (single and not self._is_z(number))):
            if all(map(self._is_native, members)):
                self.out += members
                self.frames[q] = _ZERO
                return
        self._write(q, gates)
        self.changed = True
        self.frames[q] = rest if tail else _ZERO

    def _gates(self, number: int, q: int, rest: Any, passes: bool) -> tuple[list[Gate], Any]:
        basis = self.facts.one(q)
        p = self.products
        start, angles = p.starts[number], p.angles[number]
        if not angles:
            theta, phi, lam = p.theta[start], p.phi[start], total(p.lam[start], rest)
            return basis.up_to_z(theta, phi, lam) if passes else (basis.whole(theta, phi, lam), 0.0)
        found: list[Gate] = []
        last = len(angles)
        for place in range(last + 1):
            theta, phi, lam = p.theta[start + place], p.phi[start + place], total(p.lam[start + place], rest)
            if place == last and not passes:
                return found + basis.whole(theta, phi, lam), 0.0
            gates, rest = basis.up_to_z(theta, phi, lam)
            found += gates
            if place < last:
                rest = total(rest, angles[place])
                if type(rest) is not float:
                    rest = wrapped(rest)
        return found, rest

    def _write(self, q: int, gates: list[Gate]) -> None:
        place = self.places[q]
        for g in gates:
            if g.params:
                self.out.append(Instruction(g, place))
                continue
            key = (g.row.name, q)
            same = self.shared.get(key)
            if same is None:
                same = self.shared[key] = Instruction(g, place)
            self.out.append(same)

    def _is_native(self, instruction: Instruction) -> bool:
        return self.facts.is_native(instruction.operation, instruction.qubits)

    def _is_trivial(self, number: int) -> bool:
        p = self.products
        start = p.starts[number]
        return not p.angles[number] and p.theta[start] < TINY and is_multiple(p.phi[start] + p.lam[start], TURN)

    def _is_z(self, number: int) -> bool:
        p = self.products
        start = p.starts[number]
        return all(theta < TINY for theta in p.theta[start : start + len(p.angles[number]) + 1])


_ZERO = 0.0
