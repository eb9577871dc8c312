"""Gates with parameters as rotations exp(-i angle P / 2) about Pauli strings: what stays symbolic is taken apart so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qsim.ir.controlled import split_controls
from qsim.ir.gates import gate
from qsim.ir.operation import Gate
from transpile.synthesis.angles import scaled, total

__all__ = ["Item", "Rotation", "rotations_of"]

Rotation = tuple[str, Any]
"""The Pauli letters on the operation's qubits, and the angle. All I: a global phase of -angle / 2."""

Item = Rotation | tuple[Gate, tuple[int, ...]]
"""A rotation, or a constant gate and which of the operation's qubits it acts on."""


def _cu(theta: Any, phi: Any, lam: Any, gamma: Any) -> list[Item]:
    both = total(phi, lam)
    cx = (gate("cx"), (0, 1))
    return [
        ("IZ", scaled(total(lam, scaled(phi, -1.0)), 0.5)),
        cx,
        ("IZ", scaled(both, -0.5)),
        ("IY", scaled(theta, -0.5)),
        cx,
        ("IY", scaled(theta, 0.5)),
        ("IZ", phi),
        ("ZI", total(gamma, scaled(both, 0.5))),
        ("II", scaled(total(gamma, scaled(both, 0.5)), -1.0)),
    ]


_ROTATIONS: dict[str, Callable[..., list[Item]]] = {
    "rx": lambda t: [("X", t)],
    "ry": lambda t: [("Y", t)],
    "rz": lambda t: [("Z", t)],
    "p": lambda t: [("I", scaled(t, -1.0)), ("Z", t)],
    "u": lambda t, p, q: [("I", scaled(total(p, q), -1.0)), ("Z", q), ("Y", t), ("Z", p)],
    "prx": lambda t, p: [("Z", scaled(p, -1.0)), ("X", t), ("Z", p)],
    "gphase": lambda t: [("", scaled(t, -2.0))],
    "rxx": lambda t: [("XX", t)],
    "ryy": lambda t: [("YY", t)],
    "rzz": lambda t: [("ZZ", t)],
    "rzx": lambda t: [("ZX", t)],
    "xx_plus_yy": lambda t, b: [("ZI", b), ("XX", scaled(t, 0.5)), ("YY", scaled(t, 0.5)), ("ZI", scaled(b, -1.0))],
    "fsim": lambda t, p: [
        ("XX", t),
        ("YY", t),
        ("II", scaled(p, 0.5)),
        ("ZI", scaled(p, -0.5)),
        ("IZ", scaled(p, -0.5)),
        ("ZZ", scaled(p, 0.5)),
    ],
    "cu": _cu,
}


def rotations_of(operation: Any) -> list[Item] | None:
    """An operation as rotations (and constant gates) in time order; None where no rule is known.

    Example:
        >>> from qsim.ir.gates import gate
        >>> rotations_of(gate("crz", 0.5))
        [('IZ', 0.25), ('ZZ', -0.25)]
    """
    if type(operation) is Gate and operation.row.name in _ROTATIONS:
        return _ROTATIONS[operation.row.name](*operation.params)
    base, number, state = split_controls(operation)
    if number == 0 or not (type(base) is Gate and base.row.name in _ROTATIONS):
        return None
    if number == 1 and state == 1 and base.row.name == "u":
        theta, phi, lam = base.params
        return _cu(theta, phi, lam, 0.0)
    items = _ROTATIONS[base.row.name](*base.params)
    if any(not isinstance(letters, str) for letters, _ in items):
        return None
    for place in reversed(range(number)):
        items = _under_control(items, 1.0 if state >> number - 1 - place & 1 else -1.0)
    return items


def _under_control(items: list[Any], sign: float) -> list[Item]:
    """exp(-i t P / 2) under a control: exp(-i t P / 4) exp(i t ZP / 4); what is undone at the end needs none."""
    first, last = items[0], items[-1]
    around = len(items) > 2 and first[0] == last[0] and total(first[1], last[1]) == 0.0
    inside = items[1:-1] if around else items
    found: list[Item] = []
    for letters, angle in inside:
        found += [("I" + letters, scaled(angle, 0.5)), ("Z" + letters, scaled(angle, -0.5 * sign))]
    if around:
        return [("I" + first[0], first[1]), *found, ("I" + last[0], last[1])]
    return found
