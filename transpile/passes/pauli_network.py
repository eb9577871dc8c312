"""Write runs of Pauli rotations and Clifford gates anew, as networks of cx gates and rz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from math import pi
from typing import Any

import numpy as np

from qsim._errors import CircuitError, TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.controlled import split_controls
from qsim.ir.expand import expand
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Controlled, Gate
from qsim.ir.ops import Clifford, PauliEvolution, Unitary
from qsim.ir.parameter import is_symbolic
from qsim.ir.symbols import name_values
from qsim.ir.target import Target
from transpile.base import Pass
from transpile.passes.canonicalise import Canonicalise
from transpile.passes.chains import one_qubit_chains
from transpile.passes.consolidate import consolidate
from transpile.passes.peephole import Peephole
from transpile.passes.translate import translate
from transpile.passes.unroll import unroll
from transpile.synthesis.angles import is_multiple, scaled, total
from transpile.synthesis.kak import PAULIS
from transpile.synthesis.matrices import has_constant_matrix
from transpile.synthesis.natives import facts_of
from transpile.synthesis.pauli_network import pauli_network
from transpile.synthesis.rotations import rotations_of

__all__ = ["PauliNetwork"]

HALF = pi / 2
TOLERANCE = 1e-9
MAX_CONTROLLED = 3
"""The largest operation under controls that is taken for rotations: there are 2^k - 1 of them."""

MAX_AGAIN = 100_000
"""The most operations of a circuit that is gone through again and again, as by the presets."""

MAX_LEFT = 10_000
"""How many instructions a run may be moved past."""

NATIVES = ("rz", "sx", "x", "cx")
"""What circuits are compared in where every gate is native."""

_Row = tuple[int, int, int]
"""Masks x and z over the qubits, and a power of i: i^power prod_j X_j^x_j prod_j Z_j^z_j."""


@dataclass(frozen=True)
class PauliNetwork:
    """Resynthesise Pauli rotations and Clifford gates: for Trotter, UCCSD and QAOA circuits, and phase polynomials.

    Runs of rotations exp(-i t P / 2) (rz, rxx, t, cp, `pauli_evolution` and the like), and of
    Clifford gates, are taken as a list of rotations and a Clifford C at their end,
    U = C exp(-i t_R P_R / 2) ... exp(-i t_1 P_1 / 2). Rotations about equal strings are merged
    where nothing that does not commute stands between them, and the rest is written as a Pauli
    network. A run is replaced only where that has fewer two-qubit gates once both are written
    in the natives of the target with all pairs joined, or as many and a lower depth. Open
    angles stay open: they are never read. Equal up to a global phase.

    For circuits that are not placed yet, before a preset. Where the target's pairs are few,
    routing may cost more than was saved.

    Args:
        elide: True counts swaps as free, because a preset turns them into a permutation of the
            qubits; False counts them as gates.
        trials: how many settings of the search to try on each run, from 1 to 8; the best is kept.
        max_rotations: where a run is cut at the latest.

    Raises:
        TargetError: an argument that cannot be.

    References: de Brugiere, Martiel, arXiv:2404.03280; Amy, Azimzadeh, Mosca, arXiv:1712.01859.

    Example:
        >>> from qsim import Target
        >>> from qsim.library import uccsd
        >>> from transpile import Pipeline, preset, transpile
        >>> from transpile.passes import PauliNetwork
        >>> device = Target.from_edges(4, [(a, b) for a in range(4) for b in range(a)], ["rz", "sx", "cz"])
        >>> transpile(uccsd(2, 4), device, effort=2).count_ops()["cz"]
        60
        >>> Pipeline((PauliNetwork(), preset(2)))(uccsd(2, 4), device).count_ops()["cz"]
        16
    """

    elide: bool = True
    trials: int = 2
    max_rotations: int = 10_000

    def __post_init__(self) -> None:
        for name, low, high in (("trials", 1, 8), ("max_rotations", 1, None)):
            value = getattr(self, name)
            if type(value) is not int or value < low or (high is not None and value > high):
                bounds = f"{low} or more" if high is None else f"from {low} to {high}"
                raise TargetError(f"Argument `{name}` must be an int {bounds}, but is {value!r}.")

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """The circuit with shorter runs, or the same one where none gets shorter."""
        named, values = name_values(_with_open_times(circuit))
        done: list[Instruction] = []
        rest: Sequence[Instruction] = named.instructions
        changed = False
        while rest:
            run, rest = _first_run(rest, named.num_qubits, self.max_rotations)
            for part in _components(run):
                better = self._better(part, target)
                changed |= better is not None
                done += [i for i, _ in part] if better is None else better
            first = next((place for place, i in enumerate(rest) if _items(i.operation) is not None), len(rest))
            done += rest[:first]
            rest = rest[first:]
        if not changed:
            return circuit
        made = named.with_instructions(done)
        return made.bind({n: v for n, v in values.items() if n in made.parameter_shapes()}) if values else made

    def _better(self, run: list[_Member], target: Target) -> list[Instruction] | None:
        """A network that does the same, where it is shorter."""
        if all(len(i.qubits) < 2 for i, _ in run):
            return None
        qubits = sorted({q for i, _ in run for q in i.qubits})
        places = {q: place for place, q in enumerate(qubits)}
        size = len(qubits)
        joined = _joined(target, size)
        local = [Instruction(i.operation, tuple([places[q] for q in i.qubits])) for i, _ in run]
        plain = self._cost(local, joined)
        if plain[0] == 0:
            return None
        frame = _Frame(size)
        for i, (_, items) in zip(local, run, strict=True):
            for item in items:
                at = [i.qubits[q] for q in item.qubits]
                if isinstance(item, _Turn):
                    frame.rotate(item.letters, at, item.angle)
                else:
                    frame.apply(item.images, at)
        network = pauli_network(*frame.bits(), trials=self.trials)
        made = [*network.instructions, *_swaps(network.places)]
        if self._cost(made, joined) >= plain:
            return None
        return [Instruction(i.operation, tuple([qubits[q] for q in i.qubits])) for i in made]

    def _cost(self, instructions: Sequence[Instruction], target: Target) -> tuple[int, int]:
        """(two-qubit gates, depth) in native gates."""
        circuit = Circuit(target.num_qubits or 0).with_instructions(instructions)
        write: tuple[Pass, ...] = (consolidate, translate, one_qubit_chains)
        again = Peephole((Canonicalise(), *write), max_size=MAX_AGAIN)
        for step in (unroll, Canonicalise(elide=self.elide), *write, again):
            circuit = step(circuit, target)
        return sum(len(i.qubits) > 1 for i in circuit.instructions), circuit.depth()


# -------------------------------------------------------------------- what is taken


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """A rotation exp(-i angle P / 2) on some qubits of an operation, P by its letters."""

    letters: str
    angle: Any
    qubits: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Fixed:
    """A Clifford gate g on some qubits of an operation, by g^dagger X_j g for each, then g^dagger Z_j g."""

    images: tuple[_Row, ...]
    qubits: tuple[int, ...]


_Member = tuple[Instruction, Sequence[_Turn | _Fixed]]


def _items(operation: Any) -> Sequence[_Turn | _Fixed] | None:
    """An operation as rotations and Clifford gates in time order; None where it is none of these."""
    if isinstance(operation, (PauliEvolution, Clifford)):
        try:
            definition = operation.definition()
        except CircuitError:  # JAX coefficients, and a time without a value
            return None
        return _moved_items(definition)
    if not isinstance(operation, (Gate, Controlled, Unitary)) or not operation.num_qubits:
        return None
    qubits = tuple(range(operation.num_qubits))
    if len(qubits) <= 2 and has_constant_matrix(operation):
        images = _images_of(operation) if type(operation) is Gate else _images(operation)
        if images is not None:
            return [_Fixed(images, qubits)]
    if isinstance(operation, Unitary) or len(qubits) > MAX_CONTROLLED:
        return None
    items = rotations_of(operation)
    if items is None:
        items = _rotations_of_power(operation)
    if items is None:
        return None
    found: list[_Turn | _Fixed] = []
    for what, rest in items:
        if isinstance(what, Gate):
            found += [_Fixed(images, rest) for images in [_images_of(what)] if images is not None]
        elif what.strip("I"):
            found.append(_Turn(what, rest, qubits))
    return found


def _moved_items(circuit: Circuit) -> Sequence[_Turn | _Fixed] | None:
    found: list[_Turn | _Fixed] = []
    for i in circuit.instructions:
        items = _items(i.operation)
        if items is None and i.qubits:
            return None
        found += [replace(item, qubits=tuple([i.qubits[q] for q in item.qubits])) for item in items or ()]
    return found


def _rotations_of_power(operation: Any) -> Any:
    """The rotations of a constant gate that is one of one angle (t, cs, ...), or a Pauli gate under controls."""
    base, number, state = split_controls(operation)
    if type(base) is not Gate or not has_constant_matrix(base) or base.num_qubits != 1:
        return None
    if base.row.power is not None:
        name, params = base.row.power(1.0, *base.params)
        rotation = gate(name, *params)
        return rotations_of(Controlled(rotation, number, state) if number else rotation)
    matrix = np.asarray(base.matrix(np), complex)
    letter = next((x for x, pauli in zip("IXYZ", PAULIS, strict=True) if np.allclose(matrix, pauli)), None)
    if letter is None or not number:
        return None
    phases = rotations_of(Controlled(gate("p", pi), number, state)) or ()
    return [(str(word)[:-1] + (letter if str(word)[-1] == "Z" else "I"), angle) for word, angle in phases]


def _first_run(
    instructions: Sequence[Instruction], num_qubits: int, max_rotations: int
) -> tuple[list[_Member], Sequence[Instruction]]:
    """A run that can be moved before all else, and the rest in its order."""
    run: list[_Member] = []
    rest: list[Instruction] = []
    ended: set[int] = set()
    rotations = 0
    for place, i in enumerate(instructions):
        items = None if not ended.isdisjoint(i.qubits) else _items(i.operation)
        if items is None:
            ended.update(i.qubits)
            rest.append(i)
        else:
            run.append((i, items))
            rotations += sum(isinstance(item, _Turn) for item in items)
        if len(ended) == num_qubits or len(rest) > MAX_LEFT or rotations >= max_rotations:
            return run, [*rest, *instructions[place + 1 :]]
    return run, rest


def _components(run: Sequence[_Member]) -> Iterator[list[_Member]]:
    """The parts of a run that share no qubits."""
    group: dict[int, list[int]] = {}
    for i, _ in run:
        joined = {id(group[q]): group[q] for q in i.qubits if q in group}
        largest = max(joined.values(), key=len, default=[])
        for qubits in joined.values():
            if qubits is not largest:
                largest += qubits
        largest += [q for q in i.qubits if q not in group]
        group.update(dict.fromkeys(largest if len(joined) > 1 else i.qubits, largest))
    parts: dict[int, list[_Member]] = {}
    for member in run:
        parts.setdefault(id(group[member[0].qubits[0]]), []).append(member)
    yield from parts.values()


def _with_open_times(circuit: Circuit) -> Circuit:
    """The circuit with evolutions under JAX coefficients written out: once named, their times have no values."""

    def stays(operation: Any) -> bool:
        return (
            not isinstance(operation, PauliEvolution)
            or isinstance(operation.arrays[0], np.ndarray)
            or is_symbolic(operation.params[0])
        )

    return circuit if all(stays(i.operation) for i in circuit.instructions) else expand(circuit, stays)


@lru_cache(maxsize=256)
def _joined(target: Target, size: int) -> Target:
    """All pairs of `size` qubits, with the natives that the target has everywhere; cx where they do not suffice."""
    if target.natives is not None:
        joined = Target(size, natives=target.natives, definitions=target.definitions)
        try:
            facts_of(joined).one(0)
            facts_of(joined).two(0, 1)
            return joined
        except TargetError:
            pass
    return Target(size, natives=NATIVES)


def _swaps(places: Sequence[int]) -> list[Instruction]:
    """Swaps that bring qubit i from `places[i]` to i."""
    where, made = list(places), []
    for q in range(len(where)):
        if where[q] != q:
            made.append(Instruction(gate("swap"), (q, where[q])))
            where[where.index(q)] = where[q]
            where[q] = q
    return made


# -------------------------------------------------------------------- Cliffords to the end


class _Frame:
    """The gates taken so far as rotations, and behind them a Clifford C by its rows C^dagger X_q C, C^dagger Z_q C."""

    def __init__(self, num_qubits: int):
        self.num_qubits = num_qubits
        self.rows: list[_Row] = [(1 << q, 0, 0) for q in range(num_qubits)]
        self.rows += [(0, 1 << q, 0) for q in range(num_qubits)]
        self.rotations: list[tuple[int, int, Any] | None] = []
        self.latest: dict[tuple[int, int], int] = {}

    def apply(self, images: Sequence[_Row], qubits: Sequence[int]) -> None:
        """A Clifford gate."""
        k, n = len(qubits), self.num_qubits
        new = [self._pulled(image, qubits) for image in images]
        for j, q in enumerate(qubits):
            self.rows[q], self.rows[n + q] = new[j], new[k + j]

    def rotate(self, letters: str, qubits: Sequence[int], angle: Any) -> None:
        """A rotation; one by a multiple of a quarter turn is a Clifford gate."""
        x = sum(1 << j for j, letter in enumerate(letters) if letter in "XY")
        z = sum(1 << j for j, letter in enumerate(letters) if letter in "YZ")
        x, z, power = self._pulled((x, z, (x & z).bit_count()), qubits)
        if (power - (x & z).bit_count()) % 4:
            angle = scaled(angle, -1.0)
        place = self._mergeable(x, z)
        if place is not None:
            angle = total(self.rotations[place][2], angle)  # type: ignore[index]
        if is_multiple(angle, HALF):
            self._quarters((x, z, (x & z).bit_count()), round(angle / HALF) % 4)
            if place is not None:
                self.rotations[place] = None
                del self.latest[x, z]
        elif place is not None:
            self.rotations[place] = x, z, angle
        else:
            self.latest[x, z] = len(self.rotations)
            self.rotations.append((x, z, angle))

    def bits(self) -> tuple[np.ndarray, np.ndarray, list[Any], np.ndarray]:
        """x and z (R, n), the angles, and the rows of C with their signs (2n, 2n + 1)."""
        n = self.num_qubits
        kept = [r for r in self.rotations if r is not None]
        x, z = (np.array([[r[part] >> q & 1 for q in range(n)] for r in kept], bool) for part in (0, 1))
        rows = [
            [*(x >> q & 1 for q in range(n)), *(z >> q & 1 for q in range(n)), (power - (x & z).bit_count()) % 4 > 0]
            for x, z, power in self.rows
        ]
        return x.reshape(-1, n), z.reshape(-1, n), [r[2] for r in kept], np.array(rows, bool)

    def _pulled(self, image: _Row, qubits: Sequence[int]) -> _Row:
        """C^dagger P C for a product P on some qubits."""
        x, z, power = image
        row: _Row = (0, 0, power)
        for bits, start in ((x, 0), (z, self.num_qubits)):
            for j, q in enumerate(qubits):
                if bits >> j & 1:
                    row = _times(row, self.rows[start + q])
        return row

    def _mergeable(self, x: int, z: int) -> int | None:
        """The place of a rotation about the same string that all rotations after it commute with."""
        place = self.latest.get((x, z))
        if place is None:
            return None
        for later in reversed(self.rotations[place + 1 :]):
            if later is not None and _anticommute(later, (x, z)):
                return None
        return place

    def _quarters(self, row: _Row, number: int) -> None:
        """exp(-i number pi/4 P) before C: rows that anticommute with P become i P times themselves, and so on."""
        if number == 0:
            return
        x, z, power = row
        for place, own in enumerate(self.rows):
            if _anticommute(own, row):
                turned = own if number == 2 else _times((x, z, power + 1), own)
                self.rows[place] = turned[0], turned[1], (turned[2] + (2 if number > 1 else 0)) % 4


def _times(a: _Row, b: _Row) -> _Row:
    return a[0] ^ b[0], a[1] ^ b[1], (a[2] + b[2] + 2 * (a[1] & b[0]).bit_count()) % 4


def _anticommute(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return ((a[0] & b[1]).bit_count() + (a[1] & b[0]).bit_count()) % 2 == 1


@lru_cache(maxsize=4096)
def _images_of(operation: Gate) -> tuple[_Row, ...] | None:
    return _images(operation)


def _images(operation: Any) -> tuple[_Row, ...] | None:
    """g^dagger X_j g, then g^dagger Z_j g, of a constant gate on one or two qubits; None where it is no Clifford."""
    k = operation.num_qubits
    matrix = np.asarray(operation.matrix(np), complex)
    found = []
    for bit in range(2 * k):
        x, z = (1 << bit, 0) if bit < k else (0, 1 << bit - k)
        moved = matrix.conj().T @ _matrix(x, z, k) @ matrix
        for x, z in product(range(1 << k), repeat=2):
            pauli = _matrix(x, z, k)
            sign = np.vdot(pauli, moved).real
            if abs(sign) > 0.5 and np.abs(moved - np.sign(sign) * pauli).max() < TOLERANCE:
                found.append((x, z, ((x & z).bit_count() + (2 if sign < 0 else 0)) % 4))
    return tuple(found) if len(found) == 2 * k else None


@lru_cache(maxsize=64)
def _matrix(x: int, z: int, num_qubits: int) -> np.ndarray:
    """The Pauli string of masks x and z, bit j for qubit j, (2^k, 2^k)."""
    found = np.eye(1, dtype=complex)
    for j in range(num_qubits):
        found = np.kron(found, PAULIS[(0, 1, 3, 2)[(x >> j & 1) + 2 * (z >> j & 1)]])
    return found
