"""One-qubit gates without parameters."""

from __future__ import annotations

from math import pi

import numpy as np

from qsim.ir.gates.terms import I, X, Y, Z, constant
from qsim.ir.operation import GateRow, add_rows

H = (X + Z) / np.sqrt(2)
S = np.diag([1, 1j])
T = np.diag([1, np.exp(0.25j * np.pi)])
SX = ((1 + 1j) * I + (1 - 1j) * X) / 2

add_rows(
    [
        GateRow(
            "id",
            1,
            constant(I),
            "Does nothing: 1.",
            inverse=("id", tuple),
            symbols=("I",),
            qasm="id",
        ),
        GateRow(
            "x",
            1,
            constant(X),
            "Pauli X: exchanges |0> and |1>.",
            inverse=("x", tuple),
            symbols=("X",),
            qasm="x",
        ),
        GateRow(
            "y",
            1,
            constant(Y),
            "Pauli Y: i X Z.",
            inverse=("y", tuple),
            symbols=("Y",),
            qasm="y",
        ),
        GateRow(
            "z",
            1,
            constant(Z),
            "Pauli Z: diag(1, -1).",
            inverse=("z", tuple),
            power=lambda exponent: ("p", (pi * exponent,)),
            symbols=("Z",),
            qasm="z",
        ),
        GateRow(
            "h",
            1,
            constant(H),
            "Hadamard: (X + Z) / sqrt(2).",
            inverse=("h", tuple),
            symbols=("H",),
            qasm="h",
        ),
        GateRow(
            "s",
            1,
            constant(S),
            "Square root of z: diag(1, i).",
            inverse=("sdg", tuple),
            power=lambda exponent: ("p", (pi / 2 * exponent,)),
            symbols=("S",),
            qasm="s",
        ),
        GateRow(
            "sdg",
            1,
            constant(S.conj()),
            "Inverse of s: diag(1, -i).",
            inverse=("s", tuple),
            power=lambda exponent: ("p", (-pi / 2 * exponent,)),
            symbols=("S†",),
            qasm="sdg",
        ),
        GateRow(
            "t",
            1,
            constant(T),
            "Fourth root of z: diag(1, e^(i pi/4)).",
            inverse=("tdg", tuple),
            power=lambda exponent: ("p", (pi / 4 * exponent,)),
            symbols=("T",),
            qasm="t",
        ),
        GateRow(
            "tdg",
            1,
            constant(T.conj()),
            "Inverse of t: diag(1, e^(-i pi/4)).",
            inverse=("t", tuple),
            power=lambda exponent: ("p", (-pi / 4 * exponent,)),
            symbols=("T†",),
            qasm="tdg",
        ),
        GateRow(
            "sx",
            1,
            constant(SX),
            "Square root of x: e^(i pi/4) rx(pi/2).",
            inverse=("sxdg", tuple),
            symbols=("√X",),
            qasm="sx",
        ),
        GateRow(
            "sxdg",
            1,
            constant(SX.conj().T),
            "Inverse of sx: e^(-i pi/4) rx(-pi/2).",
            inverse=("sx", tuple),
            symbols=("√X†",),
            qasm="sxdg",
        ),
    ]
)
