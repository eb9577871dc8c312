"""Observables with the shape of an array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from qsim._errors import ObservableError
from qsim.interop import pauli_from_qiskit
from qsim.ir.pauli import PauliSum
from qsim.primitives import qiskit_circuit
from qsim.primitives.shaped import Shaped, new_shape

QISKIT = ("Pauli", "SparsePauliOp", "SparseObservable")


class ObservablesArray(Shaped):
    """An array whose entries are Hermitian sums of Pauli strings.

    An entry is a `PauliSum`, a label such as "XIZ", a mapping of labels to coefficients, or
    Qiskit's `Pauli`, `SparsePauliOp` or `SparseObservable`; arrays of them are nested sequences or
    NumPy object arrays. In labels character i acts on qubit i, beside a Qiskit circuit on
    qubit n - 1 - i.

    Args:
        observables: one entry, or a nested sequence or array of entries.
        num_qubits: how many letters labels must have; None lets them differ.

    Attributes:
        shape: the shape of the array.

    Raises:
        ObservableError: something that is no observable, a ragged list, or a sum that is not Hermitian.

    Example:
        >>> from qsim import Z
        >>> from qsim.primitives import ObservablesArray
        >>> ObservablesArray([["ZI", {"XX": 0.5, "IY": 1.0}, Z(1)]])
        ObservablesArray(shape=(1, 3))
    """

    __slots__ = ("shape", "_entries")

    def __init__(self, observables: Any, num_qubits: int | None = None):
        entries: list[Any] = []
        self.shape = _collect(observables, entries)
        self._entries = entries
        for entry in entries:
            size = _label_size(entry)
            if num_qubits is not None and size is not None and size != num_qubits:
                raise ObservableError(f"The labels of an observable must have {num_qubits} letters, but are {entry!r}.")

    @classmethod
    def coerce(cls, observables: Any) -> ObservablesArray:
        """`observables` as an array, itself where it is one.

        Raises:
            ObservableError: as for the class.
        """
        if type(observables) is PauliSum or type(observables) is str:  # what most PUBs have
            new = object.__new__(cls)
            new.shape, new._entries = (), [observables if type(observables) is PauliSum else _known(observables)]
            return new
        if isinstance(observables, ObservablesArray):
            return observables
        return cls(observables)

    def sums(self, first: str = "left", num_qubits: int | None = None) -> list[PauliSum]:
        """The entries in row-major order as sums; qubit 0 of a label is on its left or on its right.

        Raises:
            ObservableError: a sum that is not Hermitian, or one on other qubits than the circuit has.
        """
        if len(self._entries) == 1 and type(self._entries[0]) is str:
            return _sums_of_label(self._entries[0], first, num_qubits)
        found = []
        for entry in self._entries:
            made = entry if type(entry) is PauliSum else _sum(entry, first, num_qubits)
            if num_qubits is not None and made.num_qubits > num_qubits:
                raise ObservableError(
                    f"The observable {made!r} acts on qubit {made.num_qubits - 1}, but the circuit has {num_qubits} "
                    f"qubits, numbered 0 to {num_qubits - 1}."
                )
            if not made.is_hermitian:
                raise ObservableError(f"An observable must be Hermitian, but {made!r} has complex coefficients.")
            found.append(made)
        return found

    def __getitem__(self, index: Any) -> Any:
        """The entry at an index, or an array of some of them, as NumPy's rules say."""
        array = np.empty(self.size, object)
        array[:] = self._entries
        found = array.reshape(self.shape)[index]
        if not isinstance(found, np.ndarray):
            return found
        new = object.__new__(ObservablesArray)
        new.shape, new._entries = found.shape, list(found.flat)
        return new

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A single observable has no length.")
        return self.shape[0]

    def reshape(self, *shape: Any) -> ObservablesArray:
        """The same entries in another shape."""
        new = object.__new__(ObservablesArray)
        new.shape, new._entries = new_shape("ObservablesArray", shape, self.size), self._entries
        return new

    def ravel(self) -> ObservablesArray:
        """The same entries along one axis."""
        return self.reshape(self.size)

    def tolist(self) -> Any:
        """The entries as nested lists; a single one as it is."""
        if not self.shape:
            return self._entries[0]
        array = np.empty(self.size, object)
        array[:] = self._entries
        return array.reshape(self.shape).tolist()

    def __repr__(self) -> str:
        return f"ObservablesArray(shape={self.shape})"


def _collect(value: Any, entries: list[Any]) -> tuple[int, ...]:
    """Put the entries of a nested sequence into a list; its shape."""
    if isinstance(value, (PauliSum, str)):
        entries.append(_known(value))
        return ()
    if isinstance(value, ObservablesArray):
        entries += value._entries
        return value.shape
    if isinstance(value, Mapping):
        if not value:
            raise ObservableError('A mapping of labels to coefficients must have an entry. Try {"II": 0.0}.')
        entries.append({_letters(label): coefficient for label, coefficient in value.items()})
        return ()
    if qiskit_circuit.comes_from_qiskit(value, *QISKIT):
        entries.append(value)
        return ()
    if qiskit_circuit.comes_from_qiskit(value, "ObservablesArray"):
        value = value.sparse_observables_array()
    if isinstance(value, np.ndarray) and value.dtype == object and value.ndim == 0:
        return _collect(value.item(), entries)
    nested = (list, tuple, np.ndarray)
    if not isinstance(value, nested) and not qiskit_circuit.comes_from_qiskit(value, "PauliList"):
        raise ObservableError(
            "An observable must be a PauliSum, a label such as 'XIZ', or a mapping of labels to coefficients, but is "
            f"{type(value).__name__}."
        )
    shapes = {_collect(part, entries) for part in value}
    if len(shapes) > 1:
        words = " and ".join(map(str, sorted(shapes)))
        raise ObservableError(f"Nested observables must be an array, but parts have shapes {words}.")
    return (len(value), *(shapes.pop() if shapes else ()))


def _known(value: Any) -> Any:
    return _letters(value) if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _letters_of(label: str) -> str:
    if set(label) - set("IXYZ"):
        raise ObservableError(f"A Pauli label must be a string of I, X, Y and Z, but is {label!r}.")
    return label


def _letters(label: Any) -> Any:
    if isinstance(label, str):
        return _letters_of(label)
    if qiskit_circuit.comes_from_qiskit(label, "Pauli"):
        return label
    raise ObservableError(f"A Pauli label must be a string of I, X, Y and Z, but is {label!r}.")


def _label_size(entry: Any) -> int | None:
    if isinstance(entry, Mapping):
        sizes = {len(label) for label in entry}
        if len(sizes) > 1:
            raise ObservableError(f"The labels of one observable must be of one length, but are {list(entry)}.")
        return sizes.pop()
    return len(entry) if isinstance(entry, str) else None


def _sum(entry: Any, first: str, num_qubits: int | None) -> PauliSum:
    """An entry that is no `PauliSum` as one."""
    if isinstance(entry, str):
        _check_size(entry, len(entry), first, num_qubits)
        return _of_label(entry, first)
    if isinstance(entry, Mapping):
        pairs: list[tuple[str, Any]] = []
        for label, coefficient in entry.items():
            if isinstance(label, str):
                _check_size(entry, len(label), first, num_qubits)
                pairs.append((label if first == "left" else label[::-1], coefficient))
            else:
                found = pauli_from_qiskit(label)
                phase = found.coefficients.tolist()[0]
                pairs.append((found.labels(label.num_qubits)[0], coefficient if phase == 1 else phase * coefficient))
        return PauliSum.from_list(pairs)
    _check_size(entry, entry.num_qubits, "right", num_qubits if first == "right" else None)
    return pauli_from_qiskit(entry)


def _check_size(entry: Any, size: int, first: str, num_qubits: int | None) -> None:
    """Labels have a letter for each qubit; of our circuits too, since fewer are more likely a slip."""
    if num_qubits is not None and size != num_qubits:
        end, words = "the last" if first == "right" else "qubit 0", " ".join(repr(entry).split())
        raise ObservableError(
            f"The observable {words} is on {size} qubits, but the circuit has {num_qubits}. A label has one "
            f"letter for each qubit, {end} first."
        )


@lru_cache(maxsize=4096)
def _sums_of_label(label: str, first: str, num_qubits: int | None) -> list[PauliSum]:
    return [_sum(label, first, num_qubits)]


@lru_cache(maxsize=4096)
def _of_label(label: str, first: str) -> PauliSum:
    return PauliSum.from_label(label if first == "left" else label[::-1])
