"""Rotations chosen by the value of other qubits, as gates of the table.

Reference: Möttönen, Vartiainen, Bergholm, Salomaa, arXiv:quant-ph/0407010.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim.ir.arguments import spread_param
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import namespace


def multiplexed_rotation(circuit: Circuit, name: str, angles: Any, controls: Sequence[int], target: int) -> None:
    """Append ry or rz by `angles[j]` on `target` where the controls read j; 2^k rotations and 2^k cx, in place.

    Args:
        circuit: appended to.
        name: "ry" or "rz".
        angles: (2^k,) real, host numbers or a JAX array; the first control is the most significant bit of j.
        controls: the k controls.
        target: the qubit that is rotated.
    """
    k = len(controls)
    turns = spread_param(_gray_angles(angles, k), name)
    rotate = getattr(circuit, name)
    for i, turn in enumerate(turns):
        rotate(turn, target)
        if k:
            changed = min(((i + 1) & -(i + 1)).bit_length() - 1, k - 1)
            circuit.cx(controls[k - 1 - changed], target)


def diagonal_gates(circuit: Circuit, phases: Any, qubits: Sequence[int]) -> None:
    """Append diag(exp(i phases)), (2^k,) real, as multiplexed rz and a global phase, in place."""
    xp = namespace(phases)
    for place in range(len(qubits) - 1, -1, -1):
        pairs = xp.reshape(phases, (-1, 2))
        multiplexed_rotation(circuit, "rz", pairs[:, 1] - pairs[:, 0], qubits[:place], qubits[place])
        phases = (pairs[:, 0] + pairs[:, 1]) / 2
    circuit.gphase(spread_param(phases, "gphase")[0])


def _gray_angles(angles: Any, k: int) -> Any:
    """The angles between the cx of a Gray code: 2^-k sum_j (-1)^(j . g_i) angles_j."""
    xp = namespace(angles)
    for _ in range(k):
        halves = xp.reshape(angles, (2, -1))
        angles = xp.reshape(xp.stack([halves[0, :] + halves[1, :], halves[0, :] - halves[1, :]], axis=-1), (-1,))
    index = np.arange(1 << k)
    return xp.take(angles, xp.asarray(index ^ index >> 1), axis=0) / (1 << k)
