"""What every operation has, and the refusal of what is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.parameter import ArrayElement, is_number, is_symbolic, kind_of, parameters_of, to_float

MEMBERS = ("name", "num_qubits", "num_clbits", "num_params", "params")

MAX_READ = 6
"""Qubits of the largest matrix that is read to check it, or to tell it from others."""


def is_of_user(operation: Any) -> bool:
    """True for an operation whose class is not of this package."""
    return not type(operation).__module__.startswith("qsim.")


def in_words(error: Exception) -> str:
    """What a function of a user raised, in one line."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


def check_operation(operation: Any) -> None:
    """Refuse what lacks a member of the operation interface, and a user's matrix that cannot be one.

    Raises:
        CircuitError: a member is missing, or the matrix of constants has another shape than
            (2^num_qubits, 2^num_qubits), or holds what is no finite number.
    """
    if hasattr(operation, "instructions"):
        raise CircuitError(
            "Argument `operation` must be an operation, but is a Circuit. Try circuit.extend(other, qubits)."
        )
    for member in MEMBERS:
        if not hasattr(operation, member):
            raise CircuitError(
                f"Argument `operation` must have name, num_qubits, num_clbits, num_params and params, but "
                f"{operation!r} has no `{member}`. Try gates.gate('h')."
            )
    if is_of_user(operation):
        _check_numbers(operation)
        _check_matrix(operation)


def _check_numbers(operation: Any) -> None:
    name, params, arrays = operation.name, operation.params, getattr(operation, "arrays", ())
    for member, held in (("params", params), ("arrays", arrays)):
        if not isinstance(held, Sequence):
            raise CircuitError(f"{name}: `{member}` must be a tuple, but is {held!r:.60}.")
    can_be_run = any(hasattr(operation, member) for member in ("matrix", "apply", "definition"))
    for param in params if can_be_run else ():  # what is only drawn or sent to a device may have others
        if is_number(param):
            is_one = math.isfinite(to_float(param))
        else:  # of a JAX value nothing but its type is known
            is_one = kind_of(getattr(param, "dtype", object)) in "iufV" and np.shape(param) == ()
        if not (is_one or is_symbolic(param) or isinstance(param, ArrayElement)):
            raise CircuitError(
                f"{name}: `params` must hold finite numbers, Parameters or JAX scalars, but holds {param!r:.60}."
            )
    for array in arrays:
        if kind_of(getattr(array, "dtype", object)) in "OSUmM?":
            raise CircuitError(f"{name}: `arrays` must hold NumPy or JAX arrays of numbers, but holds {array!r:.60}.")


def checked_definition(operation: Any) -> Any:
    """`operation.definition()`, a circuit on as many qubits, with no other parameters and no more classical bits.

    Raises:
        CircuitError: it gives anything else.
    """
    definition = operation.definition()
    if not hasattr(definition, "instructions"):
        raise CircuitError(
            f"{operation.name}: definition() must give a Circuit, but gives {type(definition).__name__}."
        )
    if definition.num_qubits != operation.num_qubits:
        raise CircuitError(
            f"{operation.name}: the definition is on {definition.num_qubits} qubits, but the operation on "
            f"{operation.num_qubits}."
        )
    if definition.num_clbits > operation.num_clbits:
        raise CircuitError(
            f"{operation.name}: the definition has {definition.num_clbits} classical bits, but the operation "
            f"{operation.num_clbits}."
        )
    if is_of_user(operation):
        own = {p for param in operation.params for p in parameters_of(param)}
        for parameter in definition.parameters:
            if parameter not in own:
                raise CircuitError(
                    f"{operation.name}: the definition has the parameter `{parameter.name}`, which is not in `params`."
                )
    return definition


def _check_matrix(operation: Any) -> None:
    values = (*operation.params, *getattr(operation, "arrays", ()))
    constant = all(is_number(v) or isinstance(v, np.ndarray) for v in values)
    if not constant or operation.num_clbits or operation.num_qubits > MAX_READ or not hasattr(operation, "matrix"):
        return
    try:
        matrix = np.asarray(operation.matrix(np))
    except Exception as error:
        raise CircuitError(
            f"{operation.name}: matrix(numpy) fails: {in_words(error)}. Values that JAX traces must be in `params` or "
            "`arrays`, with `key` and `replace(params, arrays)`."
        ) from error
    size = 1 << operation.num_qubits
    if matrix.shape != (size, size) or matrix.dtype.kind not in "iufcb":
        raise CircuitError(
            f"{operation.name}: matrix(xp) must give numbers of shape ({size}, {size}), 2^num_qubits by 2^num_qubits, "
            f"but gives {matrix.dtype} of shape {matrix.shape}."
        )
    if not np.isfinite(matrix).all():
        raise CircuitError(f"{operation.name}: matrix(xp) must give finite numbers, but gives NaN or infinity.")
