"""What fixes an operation but for the values of its parameters and arrays."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.parameter import is_number

MAX_APPLIED = 20
"""Qubits of the largest operation that is applied to a vector to tell it from others."""


def key_of(operation: Any) -> Hashable:
    """The structural key of an operation: equal keys, one compiled program.

    An operation without `key`, or with numbers that nothing can replace, is known by its
    type, name, sizes and what it does, values included: its matrix, its definition, or what
    it makes of one vector.

    Raises:
        CircuitError: its parameters or arrays have no values yet, and it has no `replace`.
    """
    key = getattr(operation, "key", None)
    if key is None or not (type(operation).__module__.startswith("qsim.") or is_replaceable(operation)):
        return _content(operation)
    return key


def is_replaceable(operation: Any) -> bool:
    """Whether the numbers of an operation, if it has any, can be others; where not, its key has its own in it."""
    return hasattr(operation, "replace") or not (len(operation.params) or len(getattr(operation, "arrays", ())))


def _content(operation: Any) -> Hashable:
    o = operation
    arrays = getattr(o, "arrays", ())
    shapes = tuple((np.shape(a), np.dtype(a.dtype).str) for a in arrays)
    sizes = (type(o).__module__, type(o).__qualname__, o.name, o.num_qubits, o.num_clbits, o.num_params, shapes)
    if all(is_number(p) for p in o.params) and all(isinstance(a, np.ndarray) for a in arrays):
        values = tuple(float(p) for p in o.params)
        if hasattr(o, "matrix"):
            return (*sizes, values, np.asarray(o.matrix(np), dtype=complex).tobytes())
        if not hasattr(o, "definition"):
            return (*sizes, values, _image(o) if hasattr(o, "apply") else b"")
    if hasattr(o, "definition"):
        inside = o.definition()
        return (*sizes, inside.key, inside.numbers().tobytes())
    missing = " and ".join(f"`{member}`" for member in ("key", "replace") if not hasattr(o, member))
    raise CircuitError(
        f"{o.name}: an operation whose parameters or arrays are JAX values, or have no values yet, must have `key` "
        f"and `replace(params, arrays)`, or definition(), but {type(o).__name__} has no {missing}."
    )


def _image(operation: Any) -> bytes:
    """What an operation makes of one vector without symmetries, which no other is likely to make of it."""
    if operation.num_qubits > MAX_APPLIED:
        raise CircuitError(
            f"{operation.name}: an operation with apply() alone must have `key` on more than {MAX_APPLIED} qubits, "
            f"but is on {operation.num_qubits}."
        )
    parts = np.random.default_rng(0).normal(size=(2, 1 << operation.num_qubits, 1))
    return np.asarray(operation.apply(np, parts[0] + 1j * parts[1]), dtype=complex).tobytes()
