"""One-qubit gates in the gates that a qubit has.

Every basis turns u(theta, phi, lam) = rz(phi) ry(theta) rz(lam) into its gates, and may leave
an rz at the end to whoever comes next: rotations about Z are often free, and pass many
two-qubit gates. `theta` is always a number; `phi` and `lam` may be open angles, which stay
symbolic, and appear linearly: what comes out is smooth in them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import pi
from typing import Any

from qsim.ir.gates import gate
from qsim.ir.operation import Gate, row_of
from qsim.ir.target_facts import Interval, Native
from transpile.synthesis.angles import is_multiple, scaled, total, wrapped
from transpile.synthesis.quaternion import Quaternion, euler_of, rotation, times

__all__ = ["OneQubitBasis", "basis_of"]

Gates = list[Gate]
TOLERANCE = 1e-9
HALF, TURN = pi / 2, 2 * pi

_U_ROW, _RX_ROW, _RY_ROW, _PRX_ROW = row_of("u"), row_of("rx"), row_of("ry"), row_of("prx")
_Z_ROWS = {"rz": row_of("rz"), "p": row_of("p")}
_X = gate("x")


class OneQubitBasis(ABC):
    """A way to write every one-qubit gate, up to a phase."""

    __slots__ = ()

    @abstractmethod
    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        """Gates in time order, and the angle of the rz that is still to come after them."""

    @abstractmethod
    def z(self, angle: Any) -> Gates:
        """rz(angle)."""

    def whole(self, theta: float, phi: Any, lam: Any) -> Gates:
        """u(theta, phi, lam), nothing left over."""
        gates, rest = self.up_to_z(theta, phi, lam)
        return gates + self.z(rest)


@dataclass(frozen=True)
class _U(OneQubitBasis):
    """u itself, and a rotation about Z where there is one."""

    axis: str | None

    def z(self, angle: Any) -> Gates:
        if is_multiple(angle, TURN):
            return []
        return [
            Gate(_U_ROW, (0.0, 0.0, wrapped(angle)))
            if self.axis is None
            else Gate(_Z_ROWS[self.axis], (wrapped(angle),))
        ]

    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        if theta < TOLERANCE:
            return [], total(phi, lam)
        return [Gate(_U_ROW, (theta, wrapped(phi), wrapped(lam)))], 0.0


@dataclass(frozen=True)
class _Quarters(OneQubitBasis):
    """rz and a quarter turn: rz(phi + pi) sx rz(theta + pi) sx rz(lam), one sx where that is enough.

    The quarter turn may be another one than sx = rz(after) quarter rz(before). A gate x saves
    one where theta = pi; a rotation about X of any angle saves one everywhere else.
    """

    axis: str
    quarter: Gate | None = None
    after: float = 0.0
    before: float = 0.0
    flip: bool = False
    rx: bool = False

    def z(self, angle: Any) -> Gates:
        return [] if is_multiple(angle, TURN) else [Gate(_Z_ROWS[self.axis], (wrapped(angle),))]

    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        if theta < TOLERANCE:
            return [], total(phi, lam)
        if self.flip and theta > pi - TOLERANCE:
            return [_X], total(phi, scaled(lam, -1.0), pi)
        if self.quarter is not None and abs(theta - HALF) < TOLERANCE:
            return [*self.z(total(lam, self.before - HALF)), self.quarter], total(phi, HALF + self.after)
        if self.rx:
            return [*self.z(total(lam, -HALF)), Gate(_RX_ROW, (theta,))], total(phi, HALF)
        assert self.quarter is not None
        middle = self.z(theta + pi + self.after + self.before)
        first = self.z(total(lam, self.before))
        return [*first, self.quarter, *middle, self.quarter], total(phi, pi + self.after)


@dataclass(frozen=True)
class _Ry(OneQubitBasis):
    """rz ry rz."""

    axis: str

    def z(self, angle: Any) -> Gates:
        return [] if is_multiple(angle, TURN) else [Gate(_Z_ROWS[self.axis], (wrapped(angle),))]

    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        if theta < TOLERANCE:
            return [], total(phi, lam)
        return [*self.z(lam), Gate(_RY_ROW, (theta,))], phi


@dataclass(frozen=True)
class _Prx(OneQubitBasis):
    """prx(theta, pi/2 - lam), then an rz: one pulse for every gate that leaves its rz to the next one.

    Without a rotation about Z, rz(a) = prx(pi, a / 2) prx(pi, 0).
    """

    axis: str | None

    def z(self, angle: Any) -> Gates:
        if is_multiple(angle, TURN):
            return []
        if self.axis is not None:
            return [Gate(_Z_ROWS[self.axis], (wrapped(angle),))]
        return [gate("prx", pi, 0.0), gate("prx", pi, scaled(wrapped(angle), 0.5))]

    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        if theta < TOLERANCE:
            return [], total(phi, lam)
        return [Gate(_PRX_ROW, (theta, wrapped(total(HALF, scaled(lam, -1.0)))))], total(phi, lam)

    def whole(self, theta: float, phi: Any, lam: Any) -> Gates:
        rest = total(phi, lam)
        if self.axis is not None or theta < TOLERANCE or is_multiple(rest, TURN):
            gates, rest = self.up_to_z(theta, phi, lam)
            return gates + self.z(rest)
        middle = total(HALF, scaled(total(phi, scaled(lam, -1.0)), 0.5))
        if theta > pi - TOLERANCE:
            return [gate("prx", pi, wrapped(middle))]
        first = total(HALF, scaled(lam, -1.0))
        return [gate("prx", wrapped(theta + pi), wrapped(first)), gate("prx", pi, wrapped(middle))]


@dataclass(frozen=True)
class _RxRy(OneQubitBasis):
    """rx ry rx, where no rotation about Z is to be had."""

    def z(self, angle: Any) -> Gates:
        if is_multiple(angle, TURN):
            return []
        return [gate("rx", -HALF), gate("ry", wrapped(angle)), gate("rx", HALF)]

    def up_to_z(self, theta: float, phi: Any, lam: Any) -> tuple[Gates, Any]:
        if theta < TOLERANCE:
            return [], total(phi, lam)
        return [*self.z(lam), Gate(_RY_ROW, (theta,))], phi

    def whole(self, theta: float, phi: Any, lam: Any) -> Gates:
        if not isinstance(phi, float) or not isinstance(lam, float):
            gates, rest = self.up_to_z(theta, phi, lam)
            return gates + self.z(rest)
        q = times(rotation("z", phi), times(rotation("y", theta), rotation("z", lam)))
        middle, last, first = euler_of(_axes_moved(q))
        turns = [("rx", first), ("ry", middle), ("rx", last)]
        return [gate(name, wrapped(angle)) for name, angle in turns if not is_multiple(angle, TURN)]


def _axes_moved(q: Quaternion) -> Quaternion:
    """The quaternion with X in the place of Z, and Z in that of -X."""
    w, x, y, z = q
    return w, -z, y, x


QUARTER_TURNS: Sequence[tuple[str, tuple[float, ...], float, float]] = (
    ("sx", (), 0.0, 0.0),
    ("rx", (HALF,), 0.0, 0.0),
    ("prx", (HALF, 0.0), 0.0, 0.0),
    ("sxdg", (), pi, pi),
    ("rx", (-HALF,), pi, pi),
    ("ry", (HALF,), -HALF, HALF),
    ("h", (), -HALF, -HALF),
)
"""(gate, its angles, after, before) with sx = rz(after) gate rz(before), up to a phase."""


def basis_of(natives: Mapping[str, Native] | None) -> OneQubitBasis | None:
    """The best basis among native gates of one qubit; None where they are not universal (or not known to be).

    Args:
        natives: as `Target.natives_at` gives them; None means every gate.

    Example:
        >>> from qsim.ir.target import Native
        >>> from transpile.synthesis.one_qubit import basis_of
        >>> basis_of({"rz": Native(), "sx": Native()}).whole(0.3, 0.0, 0.0)
        [sx, rz(-2.84...), sx, rz(3.14...)]
    """
    if natives is None:
        return _U("rz")
    axis = next((name for name in ("rz", "p") if _covers(natives, name, -pi, pi)), None)
    if _covers(natives, "u", -pi, pi):
        return _U(axis)
    if _covers(natives, "prx", -pi, pi):
        return _Prx(axis)
    if axis is None:
        return _RxRy() if _covers(natives, "rx", -pi, pi) and _covers(natives, "ry", -pi, pi) else None
    rx = _covers(natives, "rx", 0, pi)
    for name, angles, after, before in QUARTER_TURNS:
        native = natives.get(name)
        if native is not None and native.refuses(angles) is None:
            return _Quarters(axis, gate(name, *angles), after, before, "x" in natives, rx)
    if rx:
        return _Quarters(axis, flip="x" in natives, rx=True)
    return _Ry(axis) if _covers(natives, "ry", 0, pi) else None


def _covers(natives: Mapping[str, Native], name: str, low: float, high: float) -> bool:
    """True where a gate takes all angles of an interval, for each of its parameters."""
    native = natives.get(name)
    return native is not None and all(
        a is None or (isinstance(a, Interval) and low in a and high in a) for a in native.angles
    )
