"""Gates of the table and PennyLane's operations that are the same, and the others in terms of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import pi
from typing import Any

from qsim.interop.base import Steps
from qsim.ir.circuit import Circuit

NAMES: Mapping[str, str] = {
    "PauliX": "x",
    "PauliY": "y",
    "PauliZ": "z",
    "Hadamard": "h",
    "S": "s",
    "T": "t",
    "SX": "sx",
    "Adjoint(S)": "sdg",
    "Adjoint(T)": "tdg",
    "Adjoint(SX)": "sxdg",
    "CNOT": "cx",
    "CY": "cy",
    "CZ": "cz",
    "CH": "ch",
    "SWAP": "swap",
    "ISWAP": "iswap",
    "SISWAP": "sqrt_iswap",
    "ECR": "ecr",
    "CSWAP": "cswap",
    "Toffoli": "ccx",
    "CCZ": "ccz",
    "RX": "rx",
    "RY": "ry",
    "RZ": "rz",
    "PhaseShift": "p",
    "U3": "u",
    "CRX": "crx",
    "CRY": "cry",
    "CRZ": "crz",
    "ControlledPhaseShift": "cp",
    "IsingXX": "rxx",
    "IsingYY": "ryy",
    "IsingZZ": "rzz",
}
"""PennyLane's name -> ours; parameters and qubits come in the same order."""


def _excitation(phases: float) -> Steps:
    """A rotation in the space of one excitation; the other states turn by `phases` times half the angle."""

    def steps(c: Circuit, phi: Any) -> Circuit:
        c.xx_plus_yy(phi, -pi / 2, 0, 1)
        return c.rzz(-phases / 2 * phi, 0, 1).gphase(phases / 4 * phi) if phases else c

    return steps


def _on_zeros(c: Circuit, phi: Any) -> Circuit:
    return c.x([0, 1]).cp(phi, 0, 1).x([0, 1])


IN_OUR_WORDS: Mapping[str, Steps] = {
    "Identity": lambda c: c.id(range(c.num_qubits)),
    "Rot": lambda c, phi, theta, omega: c.rz(phi, 0).ry(theta, 0).rz(omega, 0),
    "U1": lambda c, phi: c.p(phi, 0),
    "U2": lambda c, phi, delta: c.u(pi / 2, phi, delta, 0),
    "GlobalPhase": lambda c, phi: c.gphase(-phi),
    "IsingXY": lambda c, phi: c.xx_plus_yy(-phi, 0.0, 0, 1),
    "PSWAP": lambda c, phi: c.swap(0, 1).rzz(phi, 0, 1).gphase(phi / 2),
    "CPhaseShift00": _on_zeros,
    "CPhaseShift01": lambda c, phi: c.x(0).cp(phi, 0, 1).x(0),
    "CPhaseShift10": lambda c, phi: c.x(1).cp(phi, 0, 1).x(1),
    "SingleExcitation": _excitation(0),
    "SingleExcitationPlus": _excitation(1),
    "SingleExcitationMinus": _excitation(-1),
}
"""PennyLane's operations that are no row of the table."""

Write = Callable[..., list[Any]]
IN_THEIR_WORDS: Mapping[str, Write] = {
    "id": lambda qml, q: [qml.Identity(q)],
    "sdg": lambda qml, q: [qml.adjoint(qml.S(q[0]))],
    "tdg": lambda qml, q: [qml.adjoint(qml.T(q[0]))],
    "sxdg": lambda qml, q: [qml.adjoint(qml.SX(q[0]))],
    "cs": lambda qml, q: [qml.ctrl(qml.S(q[1]), q[0])],
    "csdg": lambda qml, q: [qml.ctrl(qml.adjoint(qml.S(q[1])), q[0])],
    "csx": lambda qml, q: [qml.ctrl(qml.SX(q[1]), q[0])],
    "gphase": lambda qml, q, gamma: [qml.GlobalPhase(-gamma)],
    "xx_plus_yy": lambda qml, q, theta, beta: [
        qml.RZ(beta, q[0]),
        qml.IsingXY(-theta, q),
        qml.RZ(-beta, q[0]),
    ],
    "rzx": lambda qml, q, theta: [qml.PauliRot(theta, "ZX", q)],
}
"""f(pennylane, wires, *parameters) for gates of the table that are not in `NAMES`."""
