"""Preparing a state from |0..0>."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, clean_array, complex_array, identity, namespace, num_qubits_of
from qsim.ir.ops.multiplexed import diagonal_gates, multiplexed_rotation

TOLERANCE = 1e-6


class PrepareState(HighLevel):
    """A unitary U with U |0..0> = |state>: multiplexed ry rotations from the first qubit on, then phases.

    On other inputs it does what those gates do, the same in `matrix`, `apply` and
    `definition`. Real amplitudes need no phases.

    Args:
        state: amplitudes (2^k,), qubit 0 most significant. Host numbers are constants and
            must have norm 1 to 1e-6; a JAX array is a parameter, and only its direction matters.
        adjoint: True for the inverse.

    Raises:
        CircuitError: a wrong shape or norm.

    Reference: Möttönen, Vartiainen, Bergholm, Salomaa, arXiv:quant-ph/0407010.

    Example:
        >>> from qsim import Circuit
        >>> Circuit(2).prepare_state([0.6, 0, 0, 0.8], (0, 1)).count_ops()
        {'prepare_state': 1}
    """

    __slots__ = ("adjoint",)

    def __init__(self, state: Any, adjoint: bool = False):
        found = clean_array(state, "Argument `state`")
        if len(found.shape) != 1:
            raise CircuitError(f"Argument `state` must have shape (2^k,), but has shape {tuple(found.shape)}.")
        num_qubits_of(found.shape[0], "Argument `state`")
        if isinstance(found, np.ndarray):
            norm = float(np.linalg.norm(found))
            if abs(norm - 1) > TOLERANCE:
                raise CircuitError(
                    f"Argument `state` must have norm 1, but its norm is {norm:.9g}. "
                    "Try state / numpy.linalg.norm(state)."
                )
        self.params, self.arrays, self.adjoint = (), (found,), bool(adjoint)

    @property
    def name(self) -> str:
        return "prepare_state_dg" if self.adjoint else "prepare_state"

    @property
    def label(self) -> str:
        """What a drawing writes in its box."""
        return "Prep†" if self.adjoint else "Prep"

    @property
    def num_qubits(self) -> int:
        return self.arrays[0].shape[0].bit_length() - 1

    @property
    def key(self) -> Hashable:
        return (self.name, self.num_qubits, np.dtype(self.arrays[0].dtype).kind)

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> PrepareState:
        new = object.__new__(PrepareState)
        new.params, new.arrays, new.adjoint = (), tuple(arrays), self.adjoint
        return new

    def matrix(self, xp: Any = np) -> Any:
        """U, (2^k, 2^k); its first column is the state."""
        return self.apply(xp, identity(xp, self.num_qubits, xp.asarray(self.arrays[0])))

    def apply(self, xp: Any, columns: Any) -> Any:
        """U columns, (2^k, m)."""
        rotations, phases = _angles_of(xp, self.arrays[0])
        phases = None if phases is None else xp.astype(phases, columns.dtype)[:, None]
        levels = list(enumerate(rotations))
        if not self.adjoint:
            for level, (cos, sin) in levels:
                columns = _rotate(xp, columns, level, cos, sin)
            return columns if phases is None else phases * columns
        columns = columns if phases is None else xp.conj(phases) * columns
        for level, (cos, sin) in reversed(levels):
            columns = _rotate(xp, columns, level, cos, -sin)
        return columns

    def definition(self) -> Circuit:
        """Multiplexed ry, then multiplexed rz and a global phase; arXiv:quant-ph/0407010."""
        circuit = Circuit(self.num_qubits)
        xp = namespace(self.arrays[0])
        rotations, phases = _angles_of(xp, self.arrays[0])
        for level, (cos, sin) in enumerate(rotations):
            multiplexed_rotation(circuit, "ry", 2 * xp.atan2(sin, cos), range(level), level)
        if phases is not None:
            diagonal_gates(circuit, xp.atan2(xp.imag(phases), xp.real(phases)), range(self.num_qubits))
        return circuit.inverse() if self.adjoint else circuit

    def inverse(self) -> PrepareState:
        """The unitary that takes the state to |0..0>."""
        new = self.replace((), self.arrays)
        new.adjoint = not self.adjoint
        return new


def _angles_of(xp: Any, state: Any) -> tuple[list[tuple[Any, Any]], Any]:
    """Per qubit the cosines and sines (2^i,) of half the ry angles, and the phases (2^k,) or None for a real state.

    Where a whole branch has no weight its angle and phase are 0, with zero gradient.
    """
    state = xp.asarray(state)
    phases = None
    sizes = state
    if xp.isdtype(state.dtype, "complex floating"):
        square = xp.real(state) ** 2 + xp.imag(state) ** 2
        sizes = _root(xp, square)
        unit = state / xp.astype(xp.where(square > 0, sizes, xp.ones_like(sizes)), state.dtype)
        phases = xp.where(square > 0, unit, xp.ones_like(unit))
    elif state.shape[0] == 1:
        phases = complex_array(xp, xp.sign(state))
    found = []
    while sizes.shape[0] > 1:
        pairs = xp.reshape(sizes, (-1, 2))
        square = pairs[:, 0] ** 2 + pairs[:, 1] ** 2
        sizes = _root(xp, square)
        safe = xp.where(square > 0, sizes, xp.ones_like(sizes))
        found.append((xp.where(square > 0, pairs[:, 0] / safe, xp.ones_like(safe)), pairs[:, 1] / safe))
    return found[::-1], phases


def _root(xp: Any, square: Any) -> Any:
    """The square root, with gradient 0 at 0."""
    one = xp.ones_like(square)
    return xp.where(square > 0, xp.sqrt(xp.where(square > 0, square, one)), 0 * one)


def _rotate(xp: Any, columns: Any, level: int, cos: Any, sin: Any) -> Any:
    """ry on qubit `level`, by the angle that belongs to the qubits before it."""
    tensor = xp.reshape(columns, (1 << level, 2, -1))
    cos, sin = (xp.astype(a, columns.dtype)[:, None] for a in (cos, sin))
    zero, one = tensor[:, 0, :], tensor[:, 1, :]
    return xp.reshape(xp.stack([cos * zero - sin * one, sin * zero + cos * one], axis=1), columns.shape)
