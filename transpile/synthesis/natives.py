"""What a target offers at each qubit and each edge, in the form that synthesis needs; worked out once per target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from math import pi
from typing import Any

import numpy as np

from qsim._errors import TargetError
from qsim.ir.gates import gate
from qsim.ir.operation import Gate, row_of, rows
from qsim.ir.target import Target
from qsim.ir.target_facts import Interval, Native
from transpile.synthesis.cores import Entangler
from transpile.synthesis.matrices import reordered
from transpile.synthesis.one_qubit import OneQubitBasis, basis_of
from transpile.synthesis.rotations import rotations_of
from transpile.synthesis.two_qubit import Continuous, Fixed, TwoQubitBasis
from transpile.synthesis.weyl import QUARTER, cx_cost, swapped, weyl_coordinates

__all__ = ["Facts", "facts_of"]

_Table = Mapping[str, Native] | None
_UNKNOWN = object()
GRID = (pi, pi / 2, 0.0, -pi / 2, -pi)
PREFERRED = ("cz", "cx", "ecr", "rzz", "iswap")


class Facts:
    """The bases of one target, looked up by place."""

    __slots__ = ("target", "_ones", "_twos", "_any", "_native")

    def __init__(self, target: Target):
        self.target = target
        self._ones: dict[Any, OneQubitBasis | None] = {}
        self._twos: dict[Any, TwoQubitBasis | None] = {}
        self._any: TwoQubitBasis | None = None
        self._native: dict[Any, bool | None] = {}

    def is_native(self, operation: Any, qubits: tuple[int, ...]) -> bool:
        """Whether the target has the operation there; remembered where its angles do not matter."""
        key = (operation.name, qubits)
        known = self._native.get(key, _UNKNOWN)
        if known is _UNKNOWN:
            table = self.target.natives_at(qubits)
            native = None if table is None else table.get(operation.name)
            known = self._native[key] = (
                None if native is not None and native.angles else (operation, qubits) in self.target
            )
        return (operation, qubits) in self.target if known is None else known  # type: ignore[return-value]

    def one(self, qubit: int) -> OneQubitBasis:
        """The basis of a qubit.

        Raises:
            TargetError: its natives are not universal.
        """
        if qubit not in self._ones:
            self._ones[qubit] = basis_of(self.target.natives_at(qubit))
        found = self._ones[qubit]
        if found is None:
            table = _names(self.target.natives_at(qubit), 1)
            raise TargetError(
                f"No universal set of gates is native on qubit {qubit} ({table}), so not every gate can be written "
                "there. What would be needed: u; or prx; or rz (or p) with one of sx, h, rx, ry; or rx and ry; all "
                "with any angle."
            )
        return found

    def two(self, a: int, b: int) -> TwoQubitBasis:
        """The basis of a pair, in the order given.

        Raises:
            TargetError: the pair is not joined, or has no entangling gate that is known.
        """
        if (a, b) not in self._twos:
            forward, backward = self.target.natives_at((a, b)), self.target.natives_at((b, a))
            self._twos[a, b] = self._basis(forward, backward)
        found = self._twos[a, b]
        if found is None:
            tables = [self.target.natives_at(place) for place in ((a, b), (b, a))]
            if not any(t is None or t for t in tables):
                raise TargetError(
                    f"Qubits {a} and {b} are not joined by an edge of the target; route the circuit first."
                )
            known = " and ".join(sorted({_names(t, 2) for t in tables}))
            raise TargetError(
                f"No two-qubit gate that is native on qubits {a} and {b} ({known}) can make all others. What would be "
                "needed: cz, cx, ecr, iswap, or rzz of a quarter turn or of any angle, or a gate equal to one of them "
                "up to one-qubit gates."
            )
        return found

    def anywhere(self) -> TwoQubitBasis:
        """The basis of the first pair that has one, for circuits that are not placed yet."""
        if self._any is None:
            if self.target.edges is None:
                pairs: Any = [(0, 1)] if self.target.num_qubits is None else list(self.target.local) + [(0, 1)]
                pairs = [p for p in pairs if len(p) == 2]
            else:
                pairs = self.target.edges
            for a, b in pairs:
                try:
                    self._any = self.two(a, b)
                    break
                except TargetError:
                    continue
            else:
                self._any = _CX_BASIS
        return self._any

    def _basis(self, forward: _Table, backward: _Table) -> TwoQubitBasis | None:
        key = (_key(forward), _key(backward))
        if key not in self._twos:
            self._twos[key] = self._made(forward, backward)
        return self._twos[key]

    def _made(
        self, forward: Mapping[str, Native] | None, backward: Mapping[str, Native] | None
    ) -> TwoQubitBasis | None:
        if forward is None:
            return _CX_BASIS
        if backward is None:
            return _CX_BACKWARDS
        fixed: list[tuple[Any, Fixed]] = []
        swapping: list[tuple[Any, Fixed]] = []
        continuous: list[tuple[Any, Continuous]] = []
        for flipped, table in ((False, forward), (True, backward)):
            for name, native in table.items():
                order = (native.error is None, native.error or 0.0, flipped, _preference(name), name)
                for operation in self._candidates(name, native):
                    matrix = np.asarray(operation.matrix(np), complex)
                    matrix = reordered(matrix) if flipped else matrix
                    coordinates = weyl_coordinates(matrix)
                    if cx_cost(coordinates) == 1:
                        fixed.append((order, Fixed(operation, flipped, Entangler.of(matrix))))
                        break
                    if cx_cost(swapped(coordinates)) == 1:
                        swap = matrix[[0, 2, 1, 3]]
                        swapping.append((order, Fixed(operation, flipped, Entangler.of(swap))))
                        break
                found = _continuous(name, native, flipped)
                if found is not None:
                    continuous.append((order, found))
        pick = lambda found: min(found, key=lambda pair: pair[0])[1] if found else None  # noqa: E731
        if not (fixed or swapping or continuous):
            return None
        return TwoQubitBasis(pick(fixed), pick(continuous), pick(swapping))

    def _candidates(self, name: str, native: Native) -> Iterator[Any]:
        """The native gate with angles that are likely to make it of a known class."""
        defined = next((d for d in self.target.definitions if d.name == name), None)
        if defined is not None:
            if defined.num_qubits == 2:
                yield DefinedOperation(defined.name, defined.matrix)
            return
        row = next((r for r in rows() if r.name == name), None)
        if row is None or row.num_qubits != 2:
            return
        choices = [_allowed(native, place) for place in range(len(row.params))]
        for angles in product(*choices):
            yield gate(name, *angles)


class DefinedOperation:
    """A native gate that the target defines by its matrix."""

    __slots__ = ("name", "_matrix")
    num_clbits, num_params, params, arrays = 0, 0, (), ()

    def __init__(self, name: str, matrix: np.ndarray):
        self.name, self._matrix = name, matrix

    @property
    def num_qubits(self) -> int:
        return self._matrix.shape[0].bit_length() - 1

    @property
    def key(self) -> Any:
        return ("defined", self.name, self._matrix.tobytes())

    def matrix(self, xp: Any = np) -> Any:
        """The matrix (2^k, 2^k)."""
        return xp.asarray(self._matrix)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DefinedOperation) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return self.name


@lru_cache(maxsize=64)
def facts_of(target: Target) -> Facts:
    """The facts of a target; the same object every time."""
    return Facts(target)


def _allowed(native: Native, place: int) -> list[float]:
    angles = native.angles[place] if place < len(native.angles) else None
    if angles is None:
        return list(GRID)
    if isinstance(angles, Interval):
        return [g for g in GRID if g in angles]
    return list(angles)


def _continuous(name: str, native: Native, flipped: bool) -> Continuous | None:
    """A gate of one angle as a rotation exp(-i c t PQ / 2) of any strength, where it is one."""
    row = next((r for r in rows() if r.name == name), None)
    if row is None or row.num_qubits != 2 or len(row.params) != 1:
        return None
    items: list[Any] | None = rotations_of(gate(name, 1.0))
    if items is None or any(not isinstance(letters, str) for letters, _ in items):
        return None
    twos = [(letters, angle) for letters, angle in items if "I" not in letters]
    if len(twos) != 1:
        return None
    letters, factor = twos[0]
    ones = [(w, a) for w, a in items if w not in ("II", letters)]
    allowed = native.angles[0] if native.angles else None
    most = 2 * QUARTER / abs(factor)
    for sign in (1.0, -1.0):
        angle = sign * most
        if allowed is None or (isinstance(allowed, Interval) and 0.0 in allowed and angle in allowed):
            return Continuous(row, flipped, letters, factor, sign, tuple(ones), allowed is None)
    return None


def _preference(name: str) -> int:
    return PREFERRED.index(name) if name in PREFERRED else len(PREFERRED)


def _key(table: Mapping[str, Native] | None) -> Any:
    return None if table is None else tuple(table.items())


def _names(table: Mapping[str, Native] | None, size: int) -> str:
    if table is None:
        return "every gate"
    sizes = {r.name: r.num_qubits for r in rows()}
    return ", ".join(n for n in table if sizes.get(n, size) == size) or "none"


_CX = np.asarray(gate("cx").matrix(np), complex)
_CX_BASIS = TwoQubitBasis(Fixed(Gate(row_of("cx")), False, Entangler.of(_CX)), None, None)
_CX_BACKWARDS = TwoQubitBasis(Fixed(Gate(row_of("cx")), True, Entangler.of(reordered(_CX))), None, None)
