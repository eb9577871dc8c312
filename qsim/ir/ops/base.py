"""What the high-level operations have in common, and helpers on any array-API namespace."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from qsim._errors import CircuitError


class HighLevel(ABC):
    """An operation that stays whole in the circuit.

    `params` are scalar angles, `arrays` NumPy constants or JAX parameters; `key` fixes the
    rest, and with it the structure of `definition()`. `matrix(xp)` traces under JAX.
    """

    __slots__ = ("params", "arrays")
    num_clbits = 0
    spectra: tuple[tuple[float, ...] | None, ...] = ()
    params: tuple[Any, ...]
    arrays: tuple[Any, ...]

    @property
    @abstractmethod
    def name(self) -> str:
        """The name, as in `count_ops`."""

    @property
    @abstractmethod
    def num_qubits(self) -> int:
        """How many qubits it acts on."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """Everything but the values of `params` and `arrays`."""

    @abstractmethod
    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> Any:
        """The same operation with other values, not looked at."""

    @abstractmethod
    def matrix(self, xp: Any = np) -> Any:
        """The matrix (2^k, 2^k), the first qubit most significant."""

    @abstractmethod
    def definition(self) -> Any:
        """A `Circuit` of gates of the table that is equal to it, global phase included."""

    @abstractmethod
    def inverse(self) -> Any:
        """The operation that undoes it."""

    @property
    def num_params(self) -> int:
        return len(self.params)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, HighLevel)
            and self.key == other.key
            and self.params == other.params
            and all(map(_same, self.arrays, other.arrays))
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        inside = [str(self.num_qubits), *map(str, self.params)]
        return f"{self.name}[{', '.join(inside)}]"


def clean_array(array: Any, what: str) -> Any:
    """An array as operations keep it: a read-only float64 or complex128 copy, or the JAX array as given.

    Raises:
        CircuitError: not an array of finite numbers.
    """
    if is_device_array(array):
        if np.dtype(array.dtype).kind not in "fc":
            raise CircuitError(f"{what} must be real or complex numbers, but has dtype {array.dtype}.")
        return array
    try:
        host = np.array(array)
    except (ValueError, TypeError):
        host = np.array(None)
    if host.dtype.kind not in "iufc":
        raise CircuitError(f"{what} must be an array of numbers, but is {type(array).__name__}.")
    if not np.isfinite(host).all():
        raise CircuitError(f"{what} must be finite, but holds NaN or an infinite number.")
    host = host.astype(np.complex128 if host.dtype.kind == "c" else np.float64)
    host.setflags(write=False)
    return host


def is_device_array(array: Any) -> bool:
    """True for an array of a device library, traced or not."""
    return hasattr(array, "dtype") and hasattr(array, "shape") and not isinstance(array, (np.ndarray, np.generic))


def read_only(array: np.ndarray) -> np.ndarray:
    """The array, marked so that nobody writes to it."""
    array.setflags(write=False)
    return array


def namespace(array: Any) -> Any:
    """The array-API namespace of an array."""
    return array.__array_namespace__() if is_device_array(array) else np


def complex_array(xp: Any, array: Any) -> Any:
    """An array of numbers as a complex one of its precision."""
    array = xp.asarray(array)
    if xp.isdtype(array.dtype, "complex floating"):
        return array
    return xp.astype(array, xp.complex128 if array.dtype == xp.float64 else xp.complex64)


def num_qubits_of(size: int, what: str) -> int:
    """k where size = 2^k.

    Raises:
        CircuitError: there is no such k.
    """
    if size < 1 or size & (size - 1):
        raise CircuitError(f"{what} must have a power of 2 of entries, but has {size}.")
    return size.bit_length() - 1


def apply_matrix(xp: Any, matrix: Any, qubits: Sequence[int], columns: Any) -> Any:
    """A matrix (2^j, 2^j) on some qubits of columns (2^k, m)."""
    k = columns.shape[0].bit_length() - 1
    order = [*qubits, *(q for q in range(k) if q not in qubits), k]
    tensor = xp.permute_dims(xp.reshape(columns, (2,) * k + (columns.shape[1],)), tuple(order))
    moved = xp.reshape(tensor, (1 << len(qubits), -1))
    moved = xp.reshape(xp.astype(xp.asarray(matrix), columns.dtype) @ moved, tensor.shape)
    home = tuple(int(i) for i in np.argsort(order))
    return xp.reshape(xp.permute_dims(moved, home), columns.shape)


def apply_circuit(xp: Any, circuit: Any, columns: Any) -> Any:
    """The gates of a circuit, one after the other, on columns (2^k, m)."""
    for i in circuit.instructions:
        columns = apply_matrix(xp, i.operation.matrix(xp), i.qubits, columns)
    return columns


def identity(xp: Any, num_qubits: int, like: Any = None) -> Any:
    """The complex identity (2^k, 2^k), of the precision of an array where one is given."""
    single = like is not None and like.dtype in (xp.float32, xp.complex64)
    dtype = xp.complex64 if single else complex_array(xp, xp.asarray([0.0])).dtype
    return xp.eye(1 << num_qubits, dtype=dtype)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return a is b
