"""Operations made from other operations: inverses and powers. `controlled` is in `qsim.ir.controlled`."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.arguments import gate
from qsim.ir.controlled import Controlled
from qsim.ir.interface import check_operation
from qsim.ir.ops.base import is_device_array, namespace
from qsim.ir.ops.block_zxz import unitary_eigen
from qsim.ir.ops.diagonal import Diagonal
from qsim.ir.ops.pauli_evolution import PauliEvolution
from qsim.ir.ops.permutation import Permutation
from qsim.ir.ops.unitary import Unitary
from qsim.ir.parameter import is_number, to_float
from qsim.ir.table import Gate

MAX_QUBITS = 12


def inverse(operation: Any) -> Any:
    """The operation that undoes another one.

    Args:
        operation: any operation with `inverse()`, or a constant one with `matrix(xp)`.

    Raises:
        CircuitError: it has neither.

    Example:
        >>> from qsim import gates, ops
        >>> ops.inverse(gates.gate("s"))
        sdg
    """
    check_operation(operation)
    if hasattr(operation, "inverse"):
        return operation.inverse()
    return Unitary(_constant_matrix(operation, "inverse").conj().T)


def power(operation: Any, exponent: float) -> Any:
    """An operation to a real power; U^e = sum_j e^(i e phi_j) |j><j| with phases phi_j in (-pi, pi].

    Gates with one generator stay gates of the table, with the angle scaled: rx(t)^e = rx(e t).
    Others become diagonals or unitary matrices, by eigendecomposition where e is not an int.

    Args:
        operation: any unitary operation.
        exponent: a number, not necessarily an int.

    Raises:
        CircuitError: an exponent that is no number, or an operation whose power is not known
            before its parameters have values.

    Example:
        >>> from qsim import gates, ops
        >>> ops.power(gates.gate("rx", 0.5), 2)
        rx(1.0)
        >>> ops.power(gates.gate("z"), 0.5)
        p(1.57...)
    """
    check_operation(operation)
    if not is_number(exponent) or not np.isfinite(to_float(exponent)):
        raise CircuitError(f"power: argument `exponent` must be a finite number, but is {exponent!r}.")
    exponent = float(exponent)
    times = round(exponent)
    whole = exponent == times
    if exponent == 1:
        return operation
    if exponent == -1:
        return inverse(operation)
    if isinstance(operation, Gate) and operation.row.power is not None:
        name, params = operation.row.power(exponent, *operation.params)
        return gate(name, *params)
    if isinstance(operation, Controlled):
        return Controlled(power(operation.base, exponent), operation.num_controls, operation.control_state)
    if isinstance(operation, Diagonal):
        return _diagonal_power(operation, exponent)
    if isinstance(operation, Permutation) and whole:
        return _permutation_power(operation, times)
    if isinstance(operation, PauliEvolution):
        if len(operation.strings) <= 1:
            return operation.replace((exponent * operation.params[0],), operation.arrays)
        if whole and times > 0:
            return PauliEvolution(
                operation.hamiltonian,
                times * operation.params[0],
                operation.order,
                times * operation.steps,
                operation.num_qubits,
            )
        if whole and times < 0:
            return power(operation.inverse(), -times)
    if isinstance(operation, Unitary) and is_device_array(operation.arrays[0]) and whole:
        base = operation if times >= 0 else operation.inverse()
        xp = namespace(base.arrays[0])
        return base.replace((), (xp.linalg.matrix_power(base.arrays[0], abs(times)),))
    matrix = _constant_matrix(operation, "power")
    if whole:
        return Unitary(np.linalg.matrix_power(matrix if times >= 0 else matrix.conj().T, abs(times)))
    phases, vectors = unitary_eigen(matrix)
    return Unitary((vectors * np.exp(1j * exponent * phases)) @ vectors.conj().T)


def _diagonal_power(operation: Diagonal, exponent: float) -> Diagonal:
    entries = operation.arrays[0]
    xp = namespace(entries)
    if xp.isdtype(entries.dtype, "real floating"):
        entries = entries + 0j
    phases = xp.atan2(xp.imag(entries), xp.real(entries))
    return operation.replace((), (xp.exp(1j * exponent * phases),))


def _permutation_power(operation: Permutation, times: int) -> Permutation:
    table = operation.table if times >= 0 else np.argsort(operation.table)
    found, times = np.arange(len(table)), abs(times)
    while times:
        found = table[found] if times & 1 else found
        table, times = table[table], times >> 1
    return Permutation(found)


def _constant_matrix(operation: Any, what: str) -> np.ndarray:
    """The matrix of an operation that is made of host numbers."""
    values = (*operation.params, *getattr(operation, "arrays", ()))
    if not all(is_number(v) or isinstance(v, np.ndarray) for v in values):
        raise CircuitError(
            f"{what}: {operation.name} has parameters without values or of JAX, and its {what} is no gate of the "
            "table. Bind them first."
        )
    if operation.num_clbits or not hasattr(operation, "matrix") or operation.num_qubits > MAX_QUBITS:
        raise CircuitError(
            f"{what}: {operation.name} has no matrix of at most {MAX_QUBITS} qubits to take it from. "
            "Repeat the operation, or put its definition into a circuit."
        )
    return np.asarray(operation.matrix(np), dtype=complex)
