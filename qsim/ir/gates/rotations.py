"""One-qubit gates with angles, and the global phase."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim.ir.gates.terms import I, Terms, X, Y, Z, from_terms, phase, rotation, unit
from qsim.ir.operation import GateRow, add_rows

HALF = (-0.5, 0.5)
"""The spectrum of exp(-i t G / 2) with G^2 = 1."""


rx, ry, rz = rotation(X), rotation(Y), rotation(Z)


def p(xp: Any, lam: Any) -> Terms:
    return [(None, unit(2, 0, 0)), (phase(xp, lam), unit(2, 1, 1))]


def u(xp: Any, theta: Any, phi: Any, lam: Any) -> Terms:
    cos, sin, e_phi, e_lam = xp.cos(theta / 2), xp.sin(theta / 2), phase(xp, phi), phase(xp, lam)
    return [
        (cos, unit(2, 0, 0)),
        (sin * e_lam, -unit(2, 0, 1)),
        (sin * e_phi, unit(2, 1, 0)),
        (cos * e_phi * e_lam, unit(2, 1, 1)),
    ]


def prx(xp: Any, theta: Any, phi: Any) -> Terms:
    cos, sin = xp.cos(theta / 2), xp.sin(theta / 2)
    return [(cos, I), (sin * xp.cos(phi), -1j * X), (sin * xp.sin(phi), -1j * Y)]


def gphase(xp: Any, gamma: Any) -> Terms:
    return [(phase(xp, gamma), np.ones((1, 1), dtype=complex))]


add_rows(
    [
        GateRow(
            "rx",
            1,
            from_terms(rx),
            "Rotation about X: exp(-i theta X / 2).",
            params=("theta",),
            inverse=("rx", lambda theta: (-theta,)),
            power=lambda exponent, theta: ("rx", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RX",),
            qasm="rx",
        ),
        GateRow(
            "ry",
            1,
            from_terms(ry),
            "Rotation about Y: exp(-i theta Y / 2).",
            params=("theta",),
            inverse=("ry", lambda theta: (-theta,)),
            power=lambda exponent, theta: ("ry", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RY",),
            qasm="ry",
        ),
        GateRow(
            "rz",
            1,
            from_terms(rz),
            "Rotation about Z: exp(-i theta Z / 2).",
            params=("theta",),
            inverse=("rz", lambda theta: (-theta,)),
            power=lambda exponent, theta: ("rz", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RZ",),
            qasm="rz",
        ),
        GateRow(
            "p",
            1,
            from_terms(p),
            "Phase on |1>: diag(1, e^(i lam)).",
            params=("lam",),
            inverse=("p", lambda lam: (-lam,)),
            power=lambda exponent, lam: ("p", (exponent * lam,)),
            spectra=((0.0, 1.0),),
            symbols=("P",),
            qasm="p",
            aliases=("u1",),
        ),
        GateRow(
            "u",
            1,
            from_terms(u),
            "Any one-qubit gate up to a phase: e^(i (phi + lam) / 2) rz(phi) ry(theta) rz(lam).",
            params=("theta", "phi", "lam"),
            inverse=("u", lambda theta, phi, lam: (-theta, -lam, -phi)),
            spectra=(HALF, (0.0, 1.0), (0.0, 1.0)),
            symbols=("U",),
            qasm="u",
            aliases=("u3", "U"),
        ),
        GateRow(
            "prx",
            1,
            from_terms(prx),
            "Rotation about an axis in the XY plane: exp(-i theta (cos(phi) X + sin(phi) Y) / 2).",
            params=("theta", "phi"),
            inverse=("prx", lambda theta, phi: (-theta, phi)),
            power=lambda exponent, theta, phi: ("prx", (exponent * theta, phi)),
            spectra=(HALF, (-1.0, 0.0, 1.0)),
            symbols=("PRX",),
            qasm="r",
            qasm_body="gate r(theta,phi) q0 { u3(theta,phi-pi/2,pi/2-phi) q0; }",
        ),
        GateRow(
            "gphase",
            0,
            from_terms(gphase),
            "Global phase: e^(i gamma), on no qubit.",
            params=("gamma",),
            inverse=("gphase", lambda gamma: (-gamma,)),
            power=lambda exponent, gamma: ("gphase", (exponent * gamma,)),
            under_control="p",
            spectra=((1.0,),),
        ),
    ]
)
