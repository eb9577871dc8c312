"""Sums of Pauli strings: `0.5 * X(0) @ Z(1) + Y(2)`, exactly, with host or traced coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from qsim._errors import MemoryLimitError, ObservableError
from qsim.ir import pauli_masks, pauli_matrix
from qsim.ir.pauli_masks import PauliString
from qsim.ir.pauli_terms import (
    check_qubit,
    clean_coefficients,
    clean_string,
    host,
    is_scalar,
    namespace,
    number,
    real_if_real,
    sum_groups,
    times_phase,
)

MAX_PRODUCTS = 1 << 24


class PauliSum:
    """A sum of Pauli strings with coefficients, sum_t c_t P_t. Immutable.

    Made from `X(0)`, `Y(1)`, `Z(2)`, `I()` by `@` (operator product), `*` and `/` with numbers,
    `+` and `-`. Terms stay in the order they were written, equal strings side by side, until
    `simplify()`; products and commutators come merged. Coefficients may be a JAX array,
    traced too: arithmetic keeps them so, and they are never read to decide structure.

    Args:
        strings: for each term its letters, ((qubit, "X" | "Y" | "Z"), ...) or {qubit: letter};
            () is the identity.
        coefficients: (T,) numbers: host ones become float64 (complex128 where any is complex),
            a JAX array is kept as it is.

    Attributes:
        strings: the letters of each term, sorted by qubit. coefficients: (T,).

    Raises:
        ObservableError: a letter, qubit or coefficient that cannot be.

    Example:
        >>> from qsim import X, Z
        >>> hamiltonian = Z(0) @ Z(1) + 0.5 * X(0)
        >>> hamiltonian @ X(0)
        1j*Y(0)@Z(1) + 0.5*I()
    """

    __slots__ = ("strings", "coefficients")
    __array_ufunc__ = None
    strings: tuple[PauliString, ...]
    coefficients: Any

    def __init__(self, strings: Iterable[PauliString | Mapping[int, str]], coefficients: Any):
        clean = tuple(clean_string(string) for string in strings)
        _fill(self, clean, clean_coefficients(coefficients, len(clean)))

    @classmethod
    def from_label(cls, label: str, coefficient: Any = 1.0) -> PauliSum:
        """One term from a label such as "XIZ": character i acts on qubit i.

        Example:
            >>> from qsim import PauliSum
            >>> PauliSum.from_label("XIZ", 0.5)
            0.5*X(0)@Z(2)
        """
        return cls.from_list([(label, coefficient)])

    @classmethod
    def from_list(cls, terms: Iterable[tuple[str, Any]]) -> PauliSum:
        """A sum from (label, coefficient) pairs; character i of a label acts on qubit i.

        Raises:
            ObservableError: a label with other letters than I, X, Y, Z.
        """
        pairs = list(terms)
        strings = []
        for label, _ in pairs:
            if not isinstance(label, str) or set(label) - set("IXYZ"):
                raise ObservableError(f"A Pauli label must be a string of I, X, Y and Z, but is {label!r}.")
            strings.append(tuple((q, letter) for q, letter in enumerate(label) if letter != "I"))
        values = [value for _, value in pairs]
        xp = namespace(values)
        return cls(strings, values if xp is np else xp.stack([xp.asarray(v) for v in values]))

    # ---------------------------------------------------------------- what it holds

    @property
    def num_qubits(self) -> int:
        """One more than the highest qubit acted on; 0 for multiples of the identity."""
        return max((string[-1][0] + 1 for string in self.strings if string), default=0)

    @property
    def support(self) -> tuple[int, ...]:
        """The qubits acted on, sorted."""
        return tuple(pauli_masks.support(self.strings))

    @property
    def is_hermitian(self) -> bool:
        """True where all coefficients are real once equal terms are merged (to 1e-12 of the largest).

        Raises:
            ObservableError: complex coefficients whose values are traced.
        """
        if getattr(self.coefficients.dtype, "kind", "") != "c":
            return True
        values = PauliSum._of(self.strings, host(self.coefficients, "is_hermitian")).simplify(0.0).coefficients
        return bool(np.all(np.abs(values.imag) <= 1e-12 * np.abs(values).max(initial=0.0)))

    def masks(self, num_qubits: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The terms as bits x and z, uint8 (T, n) each: X has x, Z has z, Y has both.

        Raises:
            ObservableError: the sum acts on a qubit beyond `num_qubits`.
        """
        return pauli_masks.masks(self.strings, range(self._size(num_qubits)))

    def labels(self, num_qubits: int | None = None) -> tuple[str, ...]:
        """The terms as labels such as "XIZ", without their coefficients."""
        x, z = self.masks(num_qubits)
        letters = np.array(["I", "X", "Z", "Y"])[x + 2 * z]
        return tuple("".join(row) for row in letters)

    def __len__(self) -> int:
        return len(self.strings)

    def __iter__(self) -> Iterator[PauliSum]:
        return (self.take([term]) for term in range(len(self)))

    def take(self, terms: Sequence[int] | np.ndarray) -> PauliSum:
        """The sum of the terms at these places, in that order."""
        places = np.asarray(terms, dtype=int)
        return PauliSum._of(tuple(self.strings[t] for t in places.tolist()), self.coefficients[places])

    def replace(self, coefficients: Any) -> PauliSum:
        """The same strings with other coefficients (T,), not looked at."""
        own = isinstance(coefficients, np.ndarray) and coefficients.flags.writeable
        return PauliSum._of(self.strings, coefficients.copy() if own else coefficients)

    def relabel(self, qubits: Sequence[int] | Mapping[int, int]) -> PauliSum:
        """The same sum with qubit i moved to `qubits[i]`.

        Raises:
            ObservableError: two qubits moved to one, or one that has no new place.

        Example:
            >>> from qsim import X, Z
            >>> (X(0) @ Z(1)).relabel([5, 3])
            1.0*Z(3)@X(5)
        """
        try:
            moved = [tuple((qubits[q], letter) for q, letter in string) for string in self.strings]
            return PauliSum(moved, self.coefficients)
        except LookupError as error:
            raise ObservableError(f"relabel: argument `qubits` has no place for qubit {error}.") from None

    # ---------------------------------------------------------------- arithmetic

    def __add__(self, other: Any) -> PauliSum:
        if not isinstance(other, PauliSum):
            if not is_scalar(other):
                return NotImplemented
            if isinstance(other, int) and other == 0:
                return self
            other = other * I()
        xp = namespace([self.coefficients, other.coefficients])
        parts = [xp.asarray(self.coefficients), xp.asarray(other.coefficients)]
        return PauliSum._of(self.strings + other.strings, xp.concat(parts))

    __radd__ = __add__

    def __sub__(self, other: Any) -> PauliSum:
        return self + -other if isinstance(other, PauliSum) or is_scalar(other) else NotImplemented

    def __rsub__(self, other: Any) -> PauliSum:
        return -self + other

    def __neg__(self) -> PauliSum:
        return PauliSum._of(self.strings, -self.coefficients)

    def __pos__(self) -> PauliSum:
        return self

    def __mul__(self, other: Any) -> PauliSum:
        if isinstance(other, PauliSum):
            return self @ other
        if not is_scalar(other):
            return NotImplemented
        if namespace([other]) is np:
            clean_coefficients([other], 1)
        return PauliSum._of(self.strings, real_if_real(self.coefficients * other))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> PauliSum:
        if not is_scalar(other):
            return NotImplemented
        if namespace([other]) is np and other == 0:
            raise ObservableError("A Pauli sum cannot be divided by 0.")
        return PauliSum._of(self.strings, self.coefficients / other)

    def __matmul__(self, other: Any) -> PauliSum:
        if not isinstance(other, PauliSum):
            return NotImplemented
        if len(self) == len(other) == 1:
            string, power = pauli_masks.multiply_strings(self.strings[0], other.strings[0])
            return PauliSum._of((string,), times_phase(self.coefficients * other.coefficients, np.array([power])))
        return _product(self, other)

    def adjoint(self) -> PauliSum:
        """The Hermitian conjugate: the same strings with conjugate coefficients."""
        return PauliSum._of(self.strings, self.coefficients.conj())

    def simplify(self, tolerance: float = 1e-15) -> PauliSum:
        """The same operator with equal strings merged, in order of first appearance.

        Host coefficients of modulus at most `tolerance` are dropped; JAX ones all stay.
        """
        qubits = self.support
        x, z = pauli_masks.masks(self.strings, qubits)
        first, group = pauli_masks.merge(np.packbits(np.concatenate([x, z], axis=1), axis=1))
        merged = PauliSum._of(
            tuple(self.strings[t] for t in first.tolist()), sum_groups(self.coefficients, group, len(first))
        )
        if not isinstance(merged.coefficients, np.ndarray):
            return merged
        return merged.take(np.flatnonzero(np.abs(merged.coefficients) > tolerance))

    # ---------------------------------------------------------------- questions

    def commuting_groups(self, qubit_wise: bool = True) -> tuple[PauliSum, ...]:
        """The sum split into sums of terms that commute with each other; reads strings only.

        Args:
            qubit_wise: True where the terms of a group must commute on every qubit, so that
                one-qubit rotations measure all of them at once.

        Reference: largest-first greedy colouring, arXiv:1907.03358.

        Example:
            >>> from qsim import X, Z
            >>> (Z(0) @ Z(1) + X(0) + Z(0)).commuting_groups()
            (1.0*Z(0)@Z(1) + 1.0*Z(0), 1.0*X(0))
        """
        return tuple(self.take(group) for group in pauli_masks.group_terms(self.strings, qubit_wise))

    def to_matrix(self, num_qubits: int | None = None) -> np.ndarray:
        """The dense matrix (2^n, 2^n), complex128, qubit 0 most significant; host coefficients.

        Raises:
            ObservableError: traced coefficients, or too few qubits. MemoryLimitError: too many.
        """
        return pauli_matrix.dense(*self.masks(num_qubits), host(self.coefficients, "to_matrix"))

    def to_sparse(self, num_qubits: int | None = None) -> Any:
        """The matrix as a `scipy.sparse.csr_array`: float64 where it is real, else complex128.

        Raises:
            ObservableError: traced coefficients, or too few qubits. MemoryLimitError: too many.
        """
        return pauli_matrix.sparse(*self.masks(num_qubits), host(self.coefficients, "to_sparse"))

    def ground_state(self, num_qubits: int | None = None) -> tuple[float, np.ndarray]:
        """The lowest eigenvalue and an eigenvector (2^n,), by Lanczos on the host.

        Raises:
            ObservableError: traced coefficients, a sum that is not Hermitian, or too few qubits.
            MemoryLimitError: too many qubits.

        Example:
            >>> from qsim import X, Z
            >>> energy, state = (Z(0) @ Z(1) + X(0)).ground_state()
            >>> round(energy, 6)
            -1.414214
        """
        if not self.is_hermitian:
            raise ObservableError("ground_state: the sum must be Hermitian, but it has complex coefficients.")
        return pauli_matrix.ground_state(*self.masks(num_qubits), host(self.coefficients, "ground_state"))

    # ---------------------------------------------------------------- as a value

    def __eq__(self, other: object) -> bool:
        """Same strings in the same order and equal numbers; a JAX array equals only itself."""
        if not isinstance(other, PauliSum) or self.strings != other.strings:
            return False
        mine, theirs = self.coefficients, other.coefficients
        return mine is theirs or (
            isinstance(mine, np.ndarray) and isinstance(theirs, np.ndarray) and bool(np.array_equal(mine, theirs))
        )

    def __hash__(self) -> int:
        return hash((self.strings, tuple(host(self.coefficients, "hash").tolist())))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A PauliSum is immutable; make another with replace(...) instead of setting `{name}`.")

    def __reduce__(self) -> tuple[Any, ...]:
        return PauliSum, (self.strings, self.coefficients)

    def __repr__(self) -> str:
        if not self.strings:
            return "0*I()"
        shown = range(len(self) if len(self) <= 12 else 8)
        known = isinstance(self.coefficients, np.ndarray)
        words = [
            f"{number(self.coefficients[t]) if known else f'c[{t}]'}*"
            + ("@".join(f"{letter}({qubit})" for qubit, letter in self.strings[t]) or "I()")
            for t in shown
        ]
        more = f" + ... ({len(self)} terms on {self.num_qubits} qubits)" if len(shown) < len(self) else ""
        return " + ".join(words).replace(" + -", " - ") + more

    # ---------------------------------------------------------------- inside

    @classmethod
    def _of(cls, strings: tuple[PauliString, ...], coefficients: Any) -> PauliSum:
        """A sum of parts known to be clean."""
        new = object.__new__(cls)
        _fill(new, strings, coefficients)
        return new

    def _size(self, num_qubits: int | None) -> int:
        least = self.num_qubits
        if num_qubits is None:
            return least
        if num_qubits < least:
            raise ObservableError(
                f"Argument `num_qubits` must be at least {least}, since the sum acts on qubit {least - 1}, but is "
                f"{num_qubits}."
            )
        return num_qubits


def X(qubit: int) -> PauliSum:
    """The Pauli operator X on one qubit.

    Args:
        qubit: the number of the qubit, 0 or more.

    Raises:
        ObservableError: it is not such a number.

    Example:
        >>> from qsim import X, Y
        >>> X(0) @ Y(0)
        1j*Z(0)
    """
    return _letter(qubit, "X")


def Y(qubit: int) -> PauliSum:
    """The Pauli operator Y on one qubit.

    Args:
        qubit: the number of the qubit, 0 or more.

    Raises:
        ObservableError: it is not such a number.

    Example:
        >>> from qsim import Y
        >>> Y(1).labels()
        ('IY',)
    """
    return _letter(qubit, "Y")


def Z(qubit: int) -> PauliSum:
    """The Pauli operator Z on one qubit.

    Args:
        qubit: the number of the qubit, 0 or more.

    Raises:
        ObservableError: it is not such a number.

    Example:
        >>> from qsim import Z
        >>> Z(0) @ Z(1) - 0.5 * Z(2)
        1.0*Z(0)@Z(1) - 0.5*Z(2)
    """
    return _letter(qubit, "Z")


def I(qubit: int = 0) -> PauliSum:  # noqa: E743 - the name of the operator
    """The identity.

    Args:
        qubit: there for symmetry; changes nothing.

    Raises:
        ObservableError: `qubit` is not the number of a qubit.

    Example:
        >>> from qsim import I, Z
        >>> 0.5 * (I() - Z(0))
        0.5*I() - 0.5*Z(0)
    """
    check_qubit(qubit)
    return PauliSum._of(((),), np.ones(1))


def commutator(a: PauliSum, b: PauliSum) -> PauliSum:
    """The commutator [a, b] = a b - b a, from the pairs of strings that anticommute.

    Raises:
        MemoryLimitError: more than 2^24 products.

    Example:
        >>> from qsim import X, Y
        >>> from qsim.ir.pauli import commutator
        >>> commutator(X(0), Y(0))
        2j*Z(0)
    """
    return 2.0 * _product(a, b, only_anticommuting=True)


def _product(a: PauliSum, b: PauliSum, only_anticommuting: bool = False) -> PauliSum:
    if len(a) * len(b) > MAX_PRODUCTS:
        raise MemoryLimitError(
            f"The product of {len(a):,} and {len(b):,} terms has more than {MAX_PRODUCTS:,} terms. Multiply parts, or "
            "apply one factor to a state."
        )
    products = pauli_masks.Products(a.strings, b.strings, only_anticommuting)
    each = a.coefficients[products.left] * b.coefficients[products.right]
    coefficients = sum_groups(times_phase(each, products.power), products.group, len(products.strings))
    return PauliSum._of(products.strings, coefficients)


def _letter(qubit: int, letter: str) -> PauliSum:
    return PauliSum._of((((check_qubit(qubit), letter),),), np.ones(1))


def _fill(new: PauliSum, strings: tuple[PauliString, ...], coefficients: Any) -> None:
    if isinstance(coefficients, np.ndarray) and coefficients.flags.writeable:
        coefficients.flags.writeable = False
    object.__setattr__(new, "strings", strings)
    object.__setattr__(new, "coefficients", coefficients)
