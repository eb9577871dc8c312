"""Two-qubit gates that are not controlled ones."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from qsim.ir.gates.rotations import HALF
from qsim.ir.gates.terms import I, Terms, X, Y, Z, constant, from_terms, phase, rotation, unit
from qsim.ir.operation import GateRow, add_rows

SWAP = np.eye(4, dtype=complex)[[0, 2, 1, 3]]
EVEN = np.diag([1 + 0j, 0, 0, 1])
ODD = np.diag([0j, 1, 1, 0])
FLIP = SWAP - EVEN
DCX = np.eye(4, dtype=complex)[[0, 2, 3, 1]]
ECR = (np.kron(X, I) - np.kron(Y, X)) / np.sqrt(2)


def xx_plus_yy(xp: Any, theta: Any, beta: Any) -> Terms:
    cos, sin, turn = xp.cos(theta / 2), xp.sin(theta / 2), phase(xp, beta)
    return [
        (None, EVEN),
        (cos, ODD),
        (sin * turn, -1j * unit(4, 1, 2)),
        (sin * xp.conj(turn), -1j * unit(4, 2, 1)),
    ]


def fsim(xp: Any, theta: Any, phi: Any) -> Terms:
    return [
        (None, unit(4, 0, 0)),
        (xp.cos(theta), ODD),
        (xp.sin(theta), -1j * FLIP),
        (phase(xp, -phi), unit(4, 3, 3)),
    ]


def _negate(theta: Any) -> tuple[Any, ...]:
    return (-theta,)


add_rows(
    [
        GateRow(
            "swap",
            2,
            constant(SWAP),
            "Exchange of two qubits.",
            inverse=("swap", tuple),
            symbols=("×", "×"),
            qasm="swap",
        ),
        GateRow(
            "iswap",
            2,
            constant(EVEN + 1j * FLIP),
            "Exchange with a factor i: exp(i pi/4 (XX + YY)).",
            inverse=("xx_plus_yy", lambda: (pi, 0.0)),
            power=lambda exponent: ("xx_plus_yy", (-pi * exponent, 0.0)),
            symbols=("iSWAP", "iSWAP"),
            qasm_body="gate iswap q0,q1 { s q0; s q1; h q0; cx q0,q1; cx q1,q0; h q1; }",
        ),
        GateRow(
            "sqrt_iswap",
            2,
            constant(EVEN + (ODD + 1j * FLIP) / np.sqrt(2)),
            "Square root of iswap: exp(i pi/8 (XX + YY)).",
            inverse=("xx_plus_yy", lambda: (pi / 2, 0.0)),
            power=lambda exponent: ("xx_plus_yy", (-pi / 2 * exponent, 0.0)),
            symbols=("√iSWAP", "√iSWAP"),
            qasm_body="gate sqrt_iswap q0,q1 { h q0; h q1; cx q0,q1; rz(-pi/4) q1; cx q0,q1; h q0; h q1; "
            "sdg q0; sdg q1; h q0; h q1; cx q0,q1; rz(-pi/4) q1; cx q0,q1; h q0; h q1; s q0; s q1; }",
        ),
        GateRow(
            "ecr",
            2,
            constant(ECR),
            "Echoed cross resonance: (X 1 - Y X) / sqrt(2).",
            inverse=("ecr", tuple),
            symbols=("ECR", "ECR"),
            qasm_body="gate ecr q0,q1 { s q0; rx(pi/2) q1; cx q0,q1; x q0; }",
        ),
        GateRow(
            "dcx",
            2,
            constant(DCX),
            "Double CX: cx(a, b), then cx(b, a).",
            inverse=("dcxdg", tuple),
            symbols=("DCX", "DCX"),
            qasm_body="gate dcx q0,q1 { cx q0,q1; cx q1,q0; }",
        ),
        GateRow(
            "dcxdg",
            2,
            constant(DCX.T),
            "Inverse of dcx: cx(b, a), then cx(a, b).",
            inverse=("dcx", tuple),
            symbols=("DCX†", "DCX†"),
            qasm_body="gate dcxdg q0,q1 { cx q1,q0; cx q0,q1; }",
        ),
        GateRow(
            "rxx",
            2,
            from_terms(rotation(np.kron(X, X))),
            "Two-qubit rotation: exp(-i theta XX / 2).",
            params=("theta",),
            inverse=("rxx", _negate),
            power=lambda exponent, theta: ("rxx", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RXX", "RXX"),
            qasm="rxx",
        ),
        GateRow(
            "ryy",
            2,
            from_terms(rotation(np.kron(Y, Y))),
            "Two-qubit rotation: exp(-i theta YY / 2).",
            params=("theta",),
            inverse=("ryy", _negate),
            power=lambda exponent, theta: ("ryy", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RYY", "RYY"),
            qasm_body="gate ryy(theta) q0,q1 { rx(pi/2) q0; rx(pi/2) q1; cx q0,q1; rz(theta) q1; cx q0,q1; "
            "rx(-pi/2) q0; rx(-pi/2) q1; }",
        ),
        GateRow(
            "rzz",
            2,
            from_terms(rotation(np.kron(Z, Z))),
            "Two-qubit rotation: exp(-i theta ZZ / 2).",
            params=("theta",),
            inverse=("rzz", _negate),
            power=lambda exponent, theta: ("rzz", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RZZ", "RZZ"),
            qasm="rzz",
        ),
        GateRow(
            "rzx",
            2,
            from_terms(rotation(np.kron(Z, X))),
            "Two-qubit rotation: exp(-i theta ZX / 2), Z on the first qubit.",
            params=("theta",),
            inverse=("rzx", _negate),
            power=lambda exponent, theta: ("rzx", (exponent * theta,)),
            spectra=(HALF,),
            symbols=("RZX", "RZX"),
            qasm_body="gate rzx(theta) q0,q1 { h q1; cx q0,q1; rz(theta) q1; cx q0,q1; h q1; }",
        ),
        GateRow(
            "xx_plus_yy",
            2,
            from_terms(xx_plus_yy),
            "Exchange of two qubits: exp(-i theta (XX + YY) / 4) between rz(beta) and rz(-beta) on the first.",
            params=("theta", "beta"),
            inverse=("xx_plus_yy", lambda theta, beta: (-theta, beta)),
            power=lambda exponent, theta, beta: ("xx_plus_yy", (exponent * theta, beta)),
            spectra=((-0.5, 0.0, 0.5), (-1.0, 0.0, 1.0)),
            symbols=("XX+YY", "XX+YY"),
            qasm_body="gate xx_plus_yy(theta,beta) q0,q1 { rz(beta) q0; rz(-pi/2) q1; rx(pi/2) q1; rz(pi/2) q1; s q0; "
            "cx q1,q0; ry(-theta/2) q1; ry(-theta/2) q0; cx q1,q0; sdg q0; rz(-pi/2) q1; rx(-pi/2) q1; rz(pi/2) q1; "
            "rz(-beta) q0; }",
        ),
        GateRow(
            "fsim",
            2,
            from_terms(fsim),
            "Fermionic simulation gate: exp(-i theta (XX + YY) / 2) and a phase e^(-i phi) on |11>.",
            params=("theta", "phi"),
            inverse=("fsim", lambda theta, phi: (-theta, -phi)),
            power=lambda exponent, theta, phi: ("fsim", (exponent * theta, exponent * phi)),
            spectra=((-1.0, 0.0, 1.0), (-1.0, 0.0)),
            symbols=("fSim", "fSim"),
            qasm_body="gate fsim(theta,phi) q0,q1 { h q0; h q1; cx q0,q1; rz(theta) q1; cx q0,q1; h q0; h q1; "
            "sdg q0; sdg q1; h q0; h q1; cx q0,q1; rz(theta) q1; cx q0,q1; h q0; h q1; s q0; s q1; "
            "cu1(-phi) q0,q1; }",
        ),
    ]
)
