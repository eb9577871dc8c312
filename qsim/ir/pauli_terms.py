"""The parts of a Pauli sum, checked: its strings, and its coefficients on the host or the device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import index
from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.ir.pauli_masks import PauliString

MAX_QUBITS = 1_000_000

_PHASES = np.array([1, 1j, -1, -1j])


def times_phase(coefficients: Any, power: np.ndarray) -> Any:
    """coefficients * i^power; stays real where every phase is."""
    if not (power % 2).any():
        return coefficients * (1.0 - power)
    return real_if_real(coefficients * _PHASES[power])


def sum_groups(values: Any, group: np.ndarray, count: int) -> Any:
    """The sum of `values` (p,) over each group, (count,)."""
    if isinstance(values, np.ndarray):
        sums = np.zeros(count, dtype=values.dtype)
        np.add.at(sums, group, values)
        return real_if_real(sums)
    xp = namespace([values])
    return xp.zeros(count, dtype=values.dtype).at[group].add(values)


def real_if_real(values: Any) -> Any:
    """Host complex numbers without any imaginary part as real ones; others as they are."""
    is_real = isinstance(values, np.ndarray) and values.dtype.kind == "c" and not values.imag.any()
    return values.real.copy() if is_real else values


def check_qubit(qubit: Any) -> int:
    """A qubit as an int.

    Raises:
        ObservableError: it is no int, or out of range.
    """
    try:
        place = index(qubit)
    except TypeError:
        place = -1
    if not 0 <= place < MAX_QUBITS or isinstance(qubit, (bool, np.bool_)):
        raise ObservableError(f"A qubit must be an int from 0 to {MAX_QUBITS - 1}, but is {qubit!r}.")
    return place


def clean_string(string: PauliString | Mapping[int, str]) -> PauliString:
    """The letters of one term, sorted by qubit, from pairs or a mapping.

    Raises:
        ObservableError: a letter or qubit that cannot be.
    """
    try:
        pairs = [(q, p) for q, p in (string.items() if isinstance(string, Mapping) else string)]
    except (TypeError, ValueError):
        raise ObservableError(
            f"A Pauli string must be pairs such as ((0, 'X'), (2, 'Z')), but is {string!r}. For labels such as "
            "'XIZ' use PauliSum.from_list([(label, coefficient)])."
        ) from None
    clean = {check_qubit(q): p for q, p in pairs}
    for qubit, letter in clean.items():
        if letter not in ("X", "Y", "Z"):
            raise ObservableError(f"A Pauli letter must be 'X', 'Y' or 'Z', but is {letter!r} on qubit {qubit}.")
    if len(clean) < len(pairs):
        raise ObservableError(f"A Pauli string must name each qubit once, but is {string!r}. Multiply with @.")
    return tuple(sorted(clean.items()))


def clean_coefficients(values: Any, count: int) -> Any:
    """Coefficients (T,) as a sum keeps them: float64, complex128, or a JAX array as given.

    Raises:
        ObservableError: no numbers, NaN or infinity, or another shape.
    """
    if not hasattr(values, "__array_namespace__") or isinstance(values, (np.ndarray, np.generic)):
        try:
            array = np.array(values)
        except (TypeError, ValueError):
            array = np.array(None)
        if array.dtype.kind not in "iufc" and array.size:
            raise ObservableError(
                f"Pauli coefficients must be numbers or a JAX array, but are {type(values).__name__}. A Parameter "
                "cannot be one: build the sum from values, or scale by a JAX value."
            )
        if not np.isfinite(array.astype(complex)).all():
            raise ObservableError("Pauli coefficients must be finite, but NaN or infinity is among them.")
        values = array.astype(np.complex128 if array.dtype.kind == "c" else np.float64)
    if tuple(values.shape) != (count,):
        raise ObservableError(f"{count} Pauli strings need coefficients of shape ({count},), not {values.shape}.")
    return values


def is_scalar(value: Any) -> bool:
    """True for a number and for a scalar of a device library."""
    if isinstance(value, (bool, np.bool_)):
        return False
    return isinstance(value, (int, float, complex, np.number)) or (
        hasattr(value, "__array_namespace__") and value.shape == ()
    )


def namespace(values: Iterable[Any]) -> Any:
    """The array namespace of the first value that is no host number; numpy where all are."""
    for value in values:
        if hasattr(value, "__array_namespace__") and not isinstance(value, (np.ndarray, np.generic)):
            return value.__array_namespace__()
    return np


def host(coefficients: Any, what: str) -> np.ndarray:
    """The coefficients as host numbers, for something that needs them.

    Raises:
        ObservableError: they are traced.
    """
    try:
        return np.asarray(coefficients)
    except TypeError as error:
        raise ObservableError(
            f"{what}: needs the numbers of the Pauli coefficients, but they are traced (inside jit, grad or vmap). "
            f"Call it outside, or use execute(..., Expectation(...))."
        ) from error


def number(value: Any) -> str:
    """A coefficient for people, to 12 digits."""
    if not value.imag:
        return repr(float(f"{value.real:.12g}"))
    return f"({value:.12g})" if value.real else f"{value.imag:.12g}j"
