"""Arguments of gates and circuits: what is taken, and the form it is kept in."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.operation import Gate, row_of
from qsim.ir.parameter import ArrayElement, ParameterVector, is_number, is_symbolic

MAX_QUBITS = 1_000_000


def clean_param(param: Any, name: str) -> Any:
    """A gate argument as it is kept: float, `Parameter`, `Expression`, `ArrayElement` or JAX scalar."""
    if is_number(param):
        value = float(param)
        if not np.isfinite(value):
            raise CircuitError(f"{name}: a parameter must be a finite number, but is {value}.")
        return value
    if is_symbolic(param) or isinstance(param, ArrayElement):
        return param
    shape, dtype = getattr(param, "shape", None), getattr(param, "dtype", None)
    if shape == () and dtype is not None and not isinstance(param, (np.ndarray, np.generic)):
        _check_dtype(dtype, name)
        return param
    what = f"an array of shape {shape}" if shape else f"{type(param).__name__} {param!r}"
    raise CircuitError(f"{name}: a parameter must be a real number, a Parameter or a JAX scalar, but is {what}.")


def spread_param(param: Any, name: str) -> Any:
    """A gate argument, or a list of them where an array or a sequence was given."""
    if isinstance(param, (list, tuple)):
        return [clean_param(p, name) for p in param]
    if isinstance(param, ParameterVector):
        param = np.asarray(param, dtype=object)
    shape = getattr(param, "shape", ())
    if not shape:
        return clean_param(param, name)
    if len(shape) > 1:
        raise CircuitError(f"{name}: parameters must be single or one-dimensional, but have shape {tuple(shape)}.")
    if isinstance(param, np.ndarray):
        return [clean_param(p, name) for p in param]
    _check_dtype(param.dtype, name)
    return [ArrayElement(param, i) for i in range(shape[0])]


def gate(name: str, *params: Any) -> Gate:
    """The table's gate `name` with its parameters, on no qubits yet.

    Raises:
        CircuitError: no such gate, or a wrong number or kind of parameters.

    Example:
        >>> from qsim import gates
        >>> gates.gate("rx", 0.5)
        rx(0.5)
    """
    try:
        row = row_of(name)
    except KeyError:
        raise CircuitError(f"There is no gate {name!r}. The gates are the methods of Circuit, such as 'rx'.") from None
    if len(params) != len(row.params):
        raise CircuitError(
            f"{name} has {len(row.params)} parameters ({', '.join(row.params)}), but was given {len(params)}."
        )
    return Gate(row, tuple(clean_param(p, name) for p in params))


def count(what: str, value: Any) -> int:
    """A number of qubits or bits."""
    try:
        if isinstance(value, bool):
            raise TypeError
        found = operator.index(value)
    except TypeError:
        raise CircuitError(f"Argument `{what}` must be an int, but is {value!r}.") from None
    if not 0 <= found <= MAX_QUBITS:
        raise CircuitError(f"Argument `{what}` must be between 0 and {MAX_QUBITS}, but is {found}.")
    return found


def ints(values: Any, what: str) -> list[int]:
    """One int or several, as a list."""
    try:
        if isinstance(values, (int, np.integer)):
            values = (values,)
        if isinstance(values, range):
            return list(values)
        found = list(values)
        if any(isinstance(v, bool) for v in found):
            raise TypeError
        return [operator.index(v) for v in found]
    except TypeError:
        raise CircuitError(f"Argument `{what}` must be an int or a sequence of ints, but is {values!r}.") from None


def _check_dtype(dtype: Any, name: str) -> None:
    kind = np.dtype(dtype).kind
    if kind in "cb":
        fix = "complex. Take its .real part." if kind == "c" else "a boolean."
        raise CircuitError(f"{name}: a parameter must be real, but is {fix}")
