"""Arguments of gates and circuits: what is taken, and the form it is kept in."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.operation import Gate, row_of
from qsim.ir.parameter import ArrayElement, ParameterVector, is_number, is_symbolic, to_float

MAX_QUBITS = 1_000_000


def clean_param(param: Any, name: str) -> Any:
    """A gate argument as it is kept: float, `Parameter`, `Expression`, `ArrayElement` or JAX scalar."""
    if is_number(param):
        value = to_float(param)
        if not math.isfinite(value):
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


def broadcast(
    name: str, params: tuple[Any, ...], qubits: tuple[Any, ...]
) -> Iterator[tuple[tuple[Any, ...], tuple[int, ...]]]:
    """(parameters, qubits) of each gate that one call of a gate method makes.

    Raises:
        CircuitError: lengths that differ, or parameters or qubits that cannot be.
    """
    columns = [ints(q, "qubits") for q in qubits]
    arrays = [spread_param(p, name) for p in params]
    many = {len(c) for c, q in zip(columns, qubits, strict=True) if not is_int(q)}
    lengths = many | {len(a) for a in arrays if isinstance(a, list)}
    sizes = lengths - {1}
    if len(sizes) > 1:
        raise CircuitError(
            f"{name}: qubits and parameters must have one length or be single, but have lengths {sorted(sizes)}."
        )
    if not many and sizes:
        raise CircuitError(
            f"{name}: {max(sizes)} parameter values were given for one place. Give as many qubits, or index the array."
        )
    size = sizes.pop() if sizes else 1
    columns = [c * size if len(c) == 1 else c for c in columns]
    arrays = [([a] if not isinstance(a, list) else a) for a in arrays]
    arrays = [a * size if len(a) == 1 else a for a in arrays]
    places = zip(*columns, strict=True) if columns else iter([()] * size)
    values = zip(*arrays, strict=True) if arrays else iter([()] * size)
    return zip(values, places, strict=True)


def is_int(value: Any) -> bool:
    """True for one int, False for a sequence of them."""
    return isinstance(value, (int, np.integer)) or (isinstance(value, np.ndarray) and value.ndim == 0)


def check_qubits(name: str, places: Sequence[int], num_qubits: int) -> None:
    """Refuse a qubit out of range, or one that is named twice."""
    for q in places:
        if not 0 <= q < num_qubits:
            raise CircuitError(
                f"{name}: qubit {q} is out of range; the circuit has {num_qubits} qubits, numbered "
                f"0 to {num_qubits - 1}."
            )
    if len(set(places)) != len(places):
        raise CircuitError(f"{name}: the qubits must be different, but are {tuple(places)}.")


def check_bits(name: str, bits: Sequence[int], size: int, num_clbits: int) -> None:
    """Refuse a wrong number of classical bits, one out of range, or one that is named twice."""
    if len(bits) != size or len(set(bits)) != size or any(not 0 <= b < num_clbits for b in bits):
        raise CircuitError(
            f"{name}: argument `clbits` must be {size} different ones of the circuit's {num_clbits} "
            f"classical bits, but is {tuple(bits)}."
        )


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
    except (KeyError, TypeError):
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


def exact_int(method: str, argument: str, value: Any) -> int:
    """How often something is to be repeated, of either sign."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return operator.index(value)
    except TypeError:
        raise CircuitError(
            f"{method}: argument `{argument}` must be an int, but is {value!r}. For roots of a gate, try "
            "qsim.ops.power(operation, exponent)."
        ) from None


def ints(values: Any, what: str) -> list[int]:
    """One int or several, as a list."""
    try:
        if isinstance(values, range) and len(values[: MAX_QUBITS + 1]) > MAX_QUBITS:
            raise CircuitError(f"Argument `{what}` must be at most {MAX_QUBITS} ints, but is {values!r}.")
        if isinstance(values, Mapping):
            raise TypeError
        found: list[Any] = [values] if is_int(values) else list(values)
        if any(isinstance(v, (bool, np.bool_)) for v in found):
            raise TypeError
        return [operator.index(v) for v in found]
    except TypeError:
        raise CircuitError(f"Argument `{what}` must be an int or a sequence of ints, but is {values!r}.") from None


def _check_dtype(dtype: Any, name: str) -> None:
    try:
        kind = np.dtype(dtype).kind
    except TypeError:  # a JAX key
        kind = "b"
    if kind in "cb":
        fix = "complex. Take its .real part." if kind == "c" else f"of {dtype}."
        raise CircuitError(f"{name}: a parameter must be real, but is {fix}")
