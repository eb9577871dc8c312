"""Gates of the table and Cirq's gates that are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Any

from qsim.ir.circuit import Circuit

FIXED: Mapping[tuple[str, float], str] = {
    ("XPowGate", 1.0): "x",
    ("XPowGate", 0.5): "sx",
    ("XPowGate", -0.5): "sxdg",
    ("YPowGate", 1.0): "y",
    ("ZPowGate", 1.0): "z",
    ("ZPowGate", 0.5): "s",
    ("ZPowGate", -0.5): "sdg",
    ("ZPowGate", 0.25): "t",
    ("ZPowGate", -0.25): "tdg",
    ("HPowGate", 1.0): "h",
    ("CXPowGate", 1.0): "cx",
    ("CYPowGate", 1.0): "cy",
    ("CZPowGate", 1.0): "cz",
    ("CZPowGate", 0.5): "cs",
    ("CZPowGate", -0.5): "csdg",
    ("CCXPowGate", 1.0): "ccx",
    ("CCZPowGate", 1.0): "ccz",
    ("SwapPowGate", 1.0): "swap",
    ("ISwapPowGate", 1.0): "iswap",
    ("ISwapPowGate", 0.5): "sqrt_iswap",
}
"""(Cirq's class, exponent) -> our gate, for a global shift of 0."""

ROTATIONS: Mapping[str, str] = {
    "XPowGate": "rx",
    "YPowGate": "ry",
    "ZPowGate": "rz",
    "XXPowGate": "rxx",
    "YYPowGate": "ryy",
    "ZZPowGate": "rzz",
}
"""Cirq's class -> our rotation by pi times the exponent, for a global shift of -1/2."""


def _ccy(c: Circuit, e: Any) -> Circuit:
    return c.sdg(2).extend(POWERS["CCXPowGate"](Circuit(3), e)).s(2)


POWERS: Mapping[str, Callable[[Circuit, Any], Circuit]] = {
    "XPowGate": lambda c, e: c.rx(pi * e, 0).gphase(pi / 2 * e),
    "YPowGate": lambda c, e: c.ry(pi * e, 0).gphase(pi / 2 * e),
    "ZPowGate": lambda c, e: c.p(pi * e, 0),
    "HPowGate": lambda c, e: c.ry(-pi / 4, 0).p(pi * e, 0).ry(pi / 4, 0),
    "CXPowGate": lambda c, e: c.crx(pi * e, 0, 1).p(pi / 2 * e, 0),
    "CYPowGate": lambda c, e: c.cry(pi * e, 0, 1).p(pi / 2 * e, 0),
    "CZPowGate": lambda c, e: c.cp(pi * e, 0, 1),
    "CCXPowGate": lambda c, e: c.extend(Circuit(1).rx(pi * e, 0).controlled(2)).cp(pi / 2 * e, 0, 1),
    "CCYPowGate": _ccy,
    "CCZPowGate": lambda c, e: c.mcp(pi * e, (0, 1), 2),
    "SwapPowGate": lambda c, e: c.rxx(pi / 2 * e, 0, 1).ryy(pi / 2 * e, 0, 1).rzz(pi / 2 * e, 0, 1).gphase(pi / 4 * e),
    "ISwapPowGate": lambda c, e: c.xx_plus_yy(-pi * e, 0.0, 0, 1),
    "XXPowGate": lambda c, e: c.rxx(pi * e, 0, 1).gphase(pi / 2 * e),
    "YYPowGate": lambda c, e: c.ryy(pi * e, 0, 1).gphase(pi / 2 * e),
    "ZZPowGate": lambda c, e: c.rzz(pi * e, 0, 1).gphase(pi / 2 * e),
}
"""Cirq's class -> f(circuit, exponent), for a global shift of 0; a shift s adds the phase pi s times the exponent."""

GATES: Mapping[str, Callable[..., Any]] = {
    "id": lambda cirq: cirq.I,
    "x": lambda cirq: cirq.X,
    "y": lambda cirq: cirq.Y,
    "z": lambda cirq: cirq.Z,
    "h": lambda cirq: cirq.H,
    "s": lambda cirq: cirq.S,
    "sdg": lambda cirq: cirq.S**-1,
    "t": lambda cirq: cirq.T,
    "tdg": lambda cirq: cirq.T**-1,
    "sx": lambda cirq: cirq.X**0.5,
    "sxdg": lambda cirq: cirq.X**-0.5,
    "rx": lambda cirq, theta: cirq.rx(theta),
    "ry": lambda cirq, theta: cirq.ry(theta),
    "rz": lambda cirq, theta: cirq.rz(theta),
    "p": lambda cirq, lam: cirq.ZPowGate(exponent=lam / pi),
    "prx": lambda cirq, theta, phi: cirq.PhasedXPowGate(
        exponent=theta / pi, phase_exponent=phi / pi, global_shift=-0.5
    ),
    "u": lambda cirq, theta, phi, lam: cirq.PhasedXZGate(
        x_exponent=theta / pi, z_exponent=(phi + lam) / pi, axis_phase_exponent=0.5 - lam / pi
    ),
    "cx": lambda cirq: cirq.CX,
    "cy": lambda cirq: cirq.ControlledGate(cirq.Y),
    "cz": lambda cirq: cirq.CZ,
    "ch": lambda cirq: cirq.ControlledGate(cirq.H),
    "cs": lambda cirq: cirq.CZ**0.5,
    "csdg": lambda cirq: cirq.CZ**-0.5,
    "csx": lambda cirq: cirq.ControlledGate(cirq.X**0.5),
    "crx": lambda cirq, theta: cirq.ControlledGate(cirq.rx(theta)),
    "cry": lambda cirq, theta: cirq.ControlledGate(cirq.ry(theta)),
    "crz": lambda cirq, theta: cirq.ControlledGate(cirq.rz(theta)),
    "cp": lambda cirq, lam: cirq.CZPowGate(exponent=lam / pi),
    "ccx": lambda cirq: cirq.CCX,
    "ccz": lambda cirq: cirq.CCZ,
    "cswap": lambda cirq: cirq.CSWAP,
    "swap": lambda cirq: cirq.SWAP,
    "iswap": lambda cirq: cirq.ISWAP,
    "sqrt_iswap": lambda cirq: cirq.ISWAP**0.5,
    "rxx": lambda cirq, theta: cirq.XXPowGate(exponent=theta / pi, global_shift=-0.5),
    "ryy": lambda cirq, theta: cirq.YYPowGate(exponent=theta / pi, global_shift=-0.5),
    "rzz": lambda cirq, theta: cirq.ZZPowGate(exponent=theta / pi, global_shift=-0.5),
    "xx_plus_yy": lambda cirq, theta, beta: cirq.PhasedISwapPowGate(
        exponent=-theta / pi, phase_exponent=beta / (2 * pi)
    ),
    "fsim": lambda cirq, theta, phi: cirq.FSimGate(theta, phi),
}
"""Our gates -> f(cirq, *parameters), Cirq's; equal but for `PHASES`."""

PHASES: Mapping[str, Callable[..., Any]] = {"u": lambda theta, phi, lam: -theta / 2}
"""Our gate is Cirq's times e^(i f(*parameters))."""
