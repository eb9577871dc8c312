"""Controlled gates with names of their own; any other is a `Controlled`."""

from __future__ import annotations

from math import pi
from typing import Any

from qsim.ir.gates import fixed, rotations
from qsim.ir.gates.terms import Terms, X, Y, Z, constant, controlled_terms, from_terms, phase, under_control
from qsim.ir.gates.two_qubit import SWAP
from qsim.ir.operation import GateRow, add_rows

HALF0 = (-0.5, 0.0, 0.5)
"""The spectrum of a controlled rotation."""


def cu_base(xp: Any, theta: Any, phi: Any, lam: Any, gamma: Any) -> Terms:
    turn = phase(xp, gamma)
    return [(turn * xp.astype(c, turn.dtype), m) for c, m in rotations.u(xp, theta, phi, lam)]


def _negate(theta: Any) -> tuple[Any, ...]:
    return (-theta,)


add_rows(
    [
        GateRow(
            "cx",
            2,
            constant(under_control(X)),
            "X under one control.",
            inverse=("cx", tuple),
            symbols=("●", "⊕"),
            base="x",
            num_controls=1,
            qasm="cx",
            aliases=("CX",),
        ),
        GateRow(
            "cy",
            2,
            constant(under_control(Y)),
            "Y under one control.",
            inverse=("cy", tuple),
            symbols=("●", "Y"),
            base="y",
            num_controls=1,
            qasm="cy",
        ),
        GateRow(
            "cz",
            2,
            constant(under_control(Z)),
            "Z under one control: diag(1, 1, 1, -1).",
            inverse=("cz", tuple),
            power=lambda exponent: ("cp", (pi * exponent,)),
            symbols=("●", "●"),
            base="z",
            num_controls=1,
            qasm="cz",
        ),
        GateRow(
            "ch",
            2,
            constant(under_control(fixed.H)),
            "h under one control.",
            inverse=("ch", tuple),
            symbols=("●", "H"),
            base="h",
            num_controls=1,
            qasm="ch",
        ),
        GateRow(
            "cs",
            2,
            constant(under_control(fixed.S)),
            "s under one control: diag(1, 1, 1, i).",
            inverse=("csdg", tuple),
            power=lambda exponent: ("cp", (pi / 2 * exponent,)),
            symbols=("●", "S"),
            base="s",
            num_controls=1,
            qasm_body="gate cs q0,q1 { cu1(pi/2) q0,q1; }",
        ),
        GateRow(
            "csdg",
            2,
            constant(under_control(fixed.S.conj())),
            "sdg under one control: diag(1, 1, 1, -i).",
            inverse=("cs", tuple),
            power=lambda exponent: ("cp", (-pi / 2 * exponent,)),
            symbols=("●", "S†"),
            base="sdg",
            num_controls=1,
            qasm_body="gate csdg q0,q1 { cu1(-pi/2) q0,q1; }",
        ),
        GateRow(
            "csx",
            2,
            constant(under_control(fixed.SX)),
            "sx under one control.",
            inverse=("cu", lambda: (-pi / 2, -pi / 2, pi / 2, -pi / 4)),
            symbols=("●", "√X"),
            base="sx",
            num_controls=1,
            qasm="csx",
        ),
        GateRow(
            "crx",
            2,
            from_terms(controlled_terms(rotations.rx)),
            "rx(theta) under one control.",
            params=("theta",),
            inverse=("crx", _negate),
            power=lambda exponent, theta: ("crx", (exponent * theta,)),
            spectra=(HALF0,),
            symbols=("●", "RX"),
            base="rx",
            num_controls=1,
            qasm="crx",
        ),
        GateRow(
            "cry",
            2,
            from_terms(controlled_terms(rotations.ry)),
            "ry(theta) under one control.",
            params=("theta",),
            inverse=("cry", _negate),
            power=lambda exponent, theta: ("cry", (exponent * theta,)),
            spectra=(HALF0,),
            symbols=("●", "RY"),
            base="ry",
            num_controls=1,
            qasm="cry",
        ),
        GateRow(
            "crz",
            2,
            from_terms(controlled_terms(rotations.rz)),
            "rz(theta) under one control.",
            params=("theta",),
            inverse=("crz", _negate),
            power=lambda exponent, theta: ("crz", (exponent * theta,)),
            spectra=(HALF0,),
            symbols=("●", "RZ"),
            base="rz",
            num_controls=1,
            qasm="crz",
        ),
        GateRow(
            "cp",
            2,
            from_terms(controlled_terms(rotations.p)),
            "Phase on |11>: diag(1, 1, 1, e^(i lam)).",
            params=("lam",),
            inverse=("cp", _negate),
            power=lambda exponent, theta: ("cp", (exponent * theta,)),
            spectra=((0.0, 1.0),),
            symbols=("●", "P"),
            base="p",
            num_controls=1,
            qasm="cp",
            aliases=("cu1",),
        ),
        GateRow(
            "cu",
            2,
            from_terms(controlled_terms(cu_base)),
            "e^(i gamma) u(theta, phi, lam) under one control.",
            params=("theta", "phi", "lam", "gamma"),
            inverse=("cu", lambda theta, phi, lam, gamma: (-theta, -lam, -phi, -gamma)),
            spectra=(HALF0, (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)),
            symbols=("●", "U"),
            qasm="cu",
        ),
        GateRow(
            "ccx",
            3,
            constant(under_control(X, 2)),
            "X under two controls (Toffoli).",
            inverse=("ccx", tuple),
            symbols=("●", "●", "⊕"),
            base="x",
            num_controls=2,
            qasm="ccx",
        ),
        GateRow(
            "ccz",
            3,
            constant(under_control(Z, 2)),
            "Z under two controls: -1 on |111>.",
            inverse=("ccz", tuple),
            symbols=("●", "●", "●"),
            base="z",
            num_controls=2,
            qasm_body="gate ccz q0,q1,q2 { h q2; ccx q0,q1,q2; h q2; }",
        ),
        GateRow(
            "cswap",
            3,
            constant(under_control(SWAP)),
            "swap under one control (Fredkin).",
            inverse=("cswap", tuple),
            symbols=("●", "×", "×"),
            base="swap",
            num_controls=1,
            qasm="cswap",
        ),
    ]
)
