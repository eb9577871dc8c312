"""Observables beside `PauliSum`: dense Hermitian matrices, diagonals, projectors; and how each is lowered."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._errors import ObservableError, ResultError
from qsim.ir.ops.base import namespace
from qsim.ir.pauli import PauliSum
from qsim.kernels import bits, marginal, sampling
from qsim.kernels.take import take_places
from qsim.methods.base import AbstractState, Observable
from qsim.methods.paulis import PauliTable, pauli_apply, pauli_mean
from qsim.results.base import Context, clean_qubits, is_numeric, own_array, pytree

Array = Any
MAX_EIGENBASIS_QUBITS = 6


class LocalObservable(Observable):
    """An observable that acts on the qubits it names."""

    qubits: Sequence[int]

    @abstractmethod
    def check_shots(self) -> None:
        """Refuse to be measured, where no basis change for it is at hand.

        Raises:
            ResultError: a dense matrix on many qubits.
        """

    @abstractmethod
    def pauli_sum(self) -> PauliSum | None:
        """The same as a Pauli sum, to be measured on a device; None where the Z basis is all it takes."""

    def read(self, samples: np.ndarray) -> Array:
        """The values (shots,) of Z-basis outcomes uint8 (shots, k) of its qubits; where `pauli_sum` is None."""
        raise NotImplementedError

    @abstractmethod
    def draw(self, state: AbstractState, key: Array, shots: int) -> Array:
        """Measured values, real (shots,)."""


@pytree("matrix")
@dataclass(frozen=True, eq=False)
class Hermitian(LocalObservable):
    """A Hermitian matrix on some qubits.

    Args:
        matrix: complex (2^k, 2^k), the first of `qubits` most significant.
        qubits: the k qubits.

    Raises:
        ObservableError: a shape that does not fit, or a host matrix that is not Hermitian.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Expectation, Hermitian
        >>> float(execute(Circuit(2).x(1), Expectation(Hermitian([[1, 0], [0, 3]], 1))))
        3.0
    """

    matrix: Any
    qubits: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "qubits", clean_qubits("Hermitian", self.qubits))
        object.__setattr__(self, "matrix", _array("Hermitian", "matrix", self.matrix))
        size = 1 << len(self.qubits)
        _check_shape("Hermitian", "matrix", self.matrix, (size, size), self.qubits)
        if isinstance(self.matrix, np.ndarray):
            error = np.abs(self.matrix - self.matrix.conj().T).max(initial=0.0)
            if not error <= 1e-6 * max(1.0, np.abs(self.matrix).max(initial=0.0)):
                raise ObservableError(
                    f"Hermitian: argument `matrix` must equal its conjugate transpose, but differs by {error:.3g}."
                )

    def apply(self, psi: Array, num_qubits: int) -> Array:
        columns = marginal.rows(jnp, psi, num_qubits, self.qubits)
        return marginal.unrows(jnp, self._times(columns), num_qubits, self.qubits)

    def mean(self, psi: Array, num_qubits: int) -> Array:
        columns = marginal.rows(jnp, psi, num_qubits, self.qubits)
        return jnp.sum((jnp.conj(columns) * self._times(columns)).real)

    def check_shots(self) -> None:
        _check_eigenbasis("Hermitian", self.qubits)

    def pauli_sum(self) -> PauliSum | None:
        return _pauli_sum(np.asarray(self.matrix), self.qubits)

    def draw(self, state: AbstractState, key: Array, shots: int) -> Array:
        rho = state.reduced(self.qubits)
        values, vectors = jnp.linalg.eigh(jnp.asarray(self.matrix, rho.dtype))
        with jax.default_matmul_precision("highest"):
            weights = jnp.sum((jnp.conj(vectors) * (rho @ vectors)).real, axis=0)
        return values[_draw_index(weights, key, shots)]

    def _times(self, columns: Array) -> Array:
        return jnp.matmul(jnp.asarray(self.matrix, columns.dtype), columns, precision=jax.lax.Precision.HIGHEST)


@pytree("diagonal")
@dataclass(frozen=True, eq=False)
class DiagonalObservable(LocalObservable):
    """An observable that is diagonal in the Z basis of some qubits: a cost for each bit string.

    Args:
        diagonal: real (2^k,), the first of `qubits` most significant.
        qubits: the k qubits.

    Raises:
        ObservableError: a shape that does not fit, or complex numbers.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import DiagonalObservable, Expectation
        >>> float(execute(Circuit(2).x(1), Expectation(DiagonalObservable([0, 1, 2, 3], [0, 1]))))
        1.0
    """

    diagonal: Any
    qubits: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "qubits", clean_qubits("DiagonalObservable", self.qubits))
        object.__setattr__(self, "diagonal", _array("DiagonalObservable", "diagonal", self.diagonal))
        _check_shape("DiagonalObservable", "diagonal", self.diagonal, (1 << len(self.qubits),), self.qubits)
        if np.dtype(self.diagonal.dtype).kind == "c":
            raise ObservableError("DiagonalObservable: argument `diagonal` must be real. Take its .real part.")

    def apply(self, psi: Array, num_qubits: int) -> Array:
        columns = marginal.rows(jnp, psi, num_qubits, self.qubits)
        return marginal.unrows(jnp, self._values(psi)[:, None] * columns, num_qubits, self.qubits)

    def mean(self, psi: Array, num_qubits: int) -> Array:
        weights = marginal.marginal(jnp, marginal.squared(jnp, psi), num_qubits, self.qubits)
        return jnp.sum(self._values(psi) * weights)

    def check_shots(self) -> None:
        """Z-basis measurements do it."""

    def pauli_sum(self) -> PauliSum | None:
        return None

    def read(self, samples: np.ndarray) -> Array:
        xp = namespace(samples)
        return xp.asarray(self.diagonal)[bits.pack(xp, samples)]

    def draw(self, state: AbstractState, key: Array, shots: int) -> Array:
        drawn = state.sample(key, shots, self.qubits)
        values = jnp.asarray(self.diagonal, state.norm_squared().dtype)
        return take_places(values, bits.pack(jnp, drawn)[..., None])

    def _values(self, psi: Array) -> Array:
        return jnp.asarray(self.diagonal, psi.real.dtype)


@pytree("onto")
@dataclass(frozen=True, eq=False)
class Projector(LocalObservable):
    """The projector |b><b| or |phi><phi| on some qubits; its expectation value is a probability.

    Args:
        onto: a bit string such as "01", or a normalised state, complex (2^k,).
        qubits: the k qubits; the first is the most significant.

    Raises:
        ObservableError: a length that does not fit, or a host state whose norm is not 1.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Expectation, Projector
        >>> round(float(execute(Circuit(2).h(0), Expectation(Projector("1", 0)))), 6)
        0.5
    """

    onto: Any
    qubits: Sequence[int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "qubits", clean_qubits("Projector", self.qubits))
        k = len(self.qubits)
        if isinstance(self.onto, str):
            if len(self.onto) != k or set(self.onto) - {"0", "1"}:
                raise ObservableError(
                    f"Projector: argument `onto` must be {k} characters of 0 and 1, one a qubit, but is {self.onto!r}."
                )
            return
        object.__setattr__(self, "onto", _array("Projector", "onto", self.onto))
        _check_shape("Projector", "onto", self.onto, (1 << k,), self.qubits)
        if isinstance(self.onto, np.ndarray) and not abs(np.linalg.norm(self.onto) - 1) < 1e-5:
            norm = np.linalg.norm(self.onto)
            raise ObservableError(f"Projector: argument `onto` must be a state of norm 1, but has norm {norm:.6g}.")

    def apply(self, psi: Array, num_qubits: int) -> Array:
        columns = marginal.rows(jnp, psi, num_qubits, self.qubits)
        if isinstance(self.onto, str):
            place = lax.broadcasted_iota(jnp.uint32, columns.shape, 0)
            image = jnp.where(place == np.uint32(self._place()), columns, 0)
        else:
            image = self._state(psi)[:, None] * self._part(columns)[None, :]
        return marginal.unrows(jnp, image, num_qubits, self.qubits)

    def mean(self, psi: Array, num_qubits: int) -> Array:
        columns = marginal.rows(jnp, psi, num_qubits, self.qubits)
        return jnp.sum(marginal.squared(jnp, self._part(columns)))

    def check_shots(self) -> None:
        if not isinstance(self.onto, str):
            _check_eigenbasis("Projector", self.qubits)

    def pauli_sum(self) -> PauliSum | None:
        if isinstance(self.onto, str):
            return None
        onto = np.asarray(self.onto)
        return _pauli_sum(np.outer(onto, onto.conj()), self.qubits)

    def read(self, samples: np.ndarray) -> Array:
        return (samples == np.asarray([*map(int, self.onto)], np.uint8)).all(axis=-1)

    def draw(self, state: AbstractState, key: Array, shots: int) -> Array:
        if isinstance(self.onto, str):
            hit = self.read(state.sample(key, shots, self.qubits))
        else:
            weight = state.expect(self)
            hit = _draw_index(jnp.stack([state.norm_squared() - weight, weight]), key, shots)
        return hit.astype(state.norm_squared().dtype)

    def _place(self) -> int:
        return int(self.onto, 2) if self.onto else 0

    def _state(self, psi: Array) -> Array:
        return jnp.asarray(self.onto, psi.dtype)

    def _part(self, columns: Array) -> Array:
        """<onto| on its qubits: (2^(n-k),)."""
        if isinstance(self.onto, str):
            return columns[self._place()]
        return jnp.matmul(jnp.conj(self._state(columns)), columns, precision=jax.lax.Precision.HIGHEST)


@dataclass(frozen=True, eq=False)
class PauliObservable(Observable):
    """A `PauliSum`, lowered: a table of its strings and real coefficients (T,)."""

    table: PauliTable
    coefficients: Array

    def apply(self, psi: Array, num_qubits: int) -> Array:
        return pauli_apply(self.table, self.coefficients.astype(psi.real.dtype), psi)

    def mean(self, psi: Array, num_qubits: int) -> Array:
        return pauli_mean(self.table, self.coefficients.astype(psi.real.dtype), psi)


def lower(observable: Any, num_qubits: int) -> Observable:
    """Any observable as states see it."""
    if isinstance(observable, PauliSum):
        return PauliObservable(pauli_table(observable.strings, num_qubits), real_coefficients(observable))
    return observable


@lru_cache(maxsize=128)
def pauli_table(strings: tuple[Any, ...], num_qubits: int) -> PauliTable:
    """The lowered strings of a sum; one object per structure, so that nothing is traced twice."""
    return PauliTable.from_masks(*PauliSum(strings, np.ones(len(strings))).masks(num_qubits))


def real_coefficients(observable: PauliSum) -> Array:
    """The real parts of the coefficients (T,): a Hermitian sum has no others once merged."""
    return jnp.real(jnp.asarray(observable.coefficients))


def clean_observable(name: str, observable: Any) -> Any:
    """Refuse what is no observable, and sums that are not Hermitian as far as the host can see.

    Raises:
        ResultError: something that is no observable.
        ObservableError: a Pauli sum that is not Hermitian.
    """
    if isinstance(observable, Observable):
        return observable
    if not isinstance(observable, PauliSum):
        raise ResultError(
            f"{name}: argument `observable` must be a PauliSum, Hermitian, DiagonalObservable or Projector, but is "
            f"{type(observable).__name__}."
        )
    if not observable.is_hermitian:
        raise ObservableError(f"{name}: the Pauli sum must be Hermitian, but has complex coefficients: {observable!r}.")
    return observable


def check_observable(name: str, observable: Any, context: Context) -> None:
    """Refuse an observable that acts on qubits the circuit does not have."""
    qubits: Sequence[int] = observable.support if isinstance(observable, PauliSum) else observable.qubits
    if qubits and max(qubits) >= context.num_qubits:
        raise ResultError(
            f"{name}: the observable acts on qubit {max(qubits)}, but the circuit has {context.num_qubits} qubits, "
            f"numbered 0 to {context.num_qubits - 1}."
        )


def _pauli_sum(matrix: np.ndarray, qubits: Sequence[int]) -> PauliSum:
    """A Hermitian matrix (2^k, 2^k) as the sum of its Pauli strings: c_P = tr(P H) / 2^k."""
    k = len(qubits)
    paulis = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    parts = np.asarray(matrix, complex).reshape((2,) * (2 * k))
    for place in range(k):
        # the axes left: rows of the qubits to come, their columns, then one axis of letters for each qubit done
        parts = np.tensordot(parts, paulis / 2, axes=((0, k - place), (2, 1)))
    width = max(qubits, default=-1) + 1
    terms = []
    for letters, coefficient in np.ndenumerate(np.real(parts)):
        if abs(coefficient) > np.finfo(np.float32).eps * np.abs(parts).max():
            label = ["I"] * width
            for letter, q in zip(letters, qubits, strict=True):
                label[q] = "IXYZ"[letter]
            terms.append(("".join(label), float(coefficient)))
    return PauliSum.from_list(terms)


def _draw_index(weights: Array, key: Array, shots: int) -> Array:
    """Indices (shots,) drawn with `weights` (2^k,)."""
    heap = sampling.tree(jnp, jnp.maximum(weights, 0))
    uniforms = jax.random.uniform(key, (weights.shape[0].bit_length() - 1, shots), weights.dtype)
    return bits.pack(jnp, sampling.descend(heap, uniforms))


def _check_eigenbasis(name: str, qubits: Sequence[int]) -> None:
    if len(qubits) > MAX_EIGENBASIS_QUBITS:
        raise ResultError(
            f"{name}: with shots, a dense observable is measured in its eigenbasis, on at most "
            f"{MAX_EIGENBASIS_QUBITS} qubits, but acts on {len(qubits)}. Write it as a PauliSum, or leave out `shots`."
        )


def _array(name: str, argument: str, value: Any) -> Any:
    if not hasattr(value, "dtype"):
        value = np.asarray(value)
    if not is_numeric(value):
        raise ObservableError(f"{name}: argument `{argument}` must be an array of numbers, but is {value!r}.")
    if isinstance(value, np.ndarray) and not np.isfinite(value).all():
        raise ObservableError(f"{name}: argument `{argument}` must be finite, but holds NaN or infinity.")
    return own_array(value)


def _check_shape(name: str, argument: str, value: Any, shape: tuple[int, ...], qubits: Sequence[int]) -> None:
    if tuple(value.shape) != shape:
        raise ObservableError(
            f"{name}: argument `{argument}` must have shape {shape} for {len(qubits)} qubits, but has "
            f"{tuple(value.shape)}."
        )
