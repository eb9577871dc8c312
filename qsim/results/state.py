"""Results that read the state itself: amplitudes, norm, overlaps, reduced matrices, the operator."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._errors import ResultError
from qsim.ir.circuit import Circuit
from qsim.kernels.take import take_places
from qsim.methods.base import AbstractState
from qsim.results.base import (
    Context,
    Result,
    all_qubits,
    check_qubits,
    clean_qubits,
    is_numeric,
    own_array,
    pytree,
    refuse_shots,
)

Array = Any


@pytree()
@dataclass(frozen=True, eq=False)
class State(Result):
    """All amplitudes of the state: complex (2^n,), the amplitude of |q0 q1 ...> at sum_i q_i 2^(n-1-i).

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import State
        >>> execute(Circuit(1).x(0), State()).real.tolist()
        [0.0, 1.0]
    """

    needs = frozenset({"pure", "exact"})
    differentiable = True
    degree = 0

    def check(self, context: Context) -> None:
        refuse_shots("State", context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return state.amplitudes()


@pytree()
@dataclass(frozen=True, eq=False)
class Amplitudes(Result):
    """Some amplitudes <b|psi>, complex (m,).

    Args:
        bitstrings: m bit strings such as "010" (qubit 0 first), or indices.

    Raises:
        ResultError: something else, or nothing.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Amplitudes
        >>> execute(Circuit(2).x(1), Amplitudes(["01", "11"])).real.tolist()
        [1.0, 0.0]
    """

    bitstrings: tuple[str | int, ...]
    needs = frozenset({"pure", "exact"})
    differentiable = True
    degree = 0

    def __init__(self, bitstrings: str | int | Iterable[str | int]):
        single = isinstance(bitstrings, (str, int))
        strings = (bitstrings,) if single else tuple(bitstrings)  # type: ignore[arg-type]
        object.__setattr__(self, "bitstrings", tuple(_clean_bitstring(b) for b in strings))

    def check(self, context: Context) -> None:
        refuse_shots("Amplitudes", context)
        n = context.num_qubits
        for b in self.bitstrings:
            if (len(b) != n) if isinstance(b, str) else b >= 1 << n:
                raise ResultError(f"Amplitudes: {b!r} is not a basis state of {n} qubits.")

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        places = [int(b, 2) if isinstance(b, str) and b else int(b or 0) for b in self.bitstrings]
        return take_places(state.amplitudes(), np.asarray(places, np.uint32)[:, None])


@pytree()
@dataclass(frozen=True, eq=False)
class Norm(Result):
    """The norm sqrt(<psi|psi>), a real scalar: 1 for unitary circuits on normalised states.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Norm
        >>> float(execute(Circuit(1), Norm()))
        1.0
    """

    needs = frozenset({"exact"})
    differentiable = True
    degree = 1  # constant where the circuit is unitary

    def check(self, context: Context) -> None:
        refuse_shots("Norm", context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return jnp.sqrt(state.norm_squared())


@pytree("other")
@dataclass(frozen=True, eq=False)
class Overlap(Result):
    """The overlap <other|psi>, a complex scalar.

    Args:
        other: amplitudes (2^n,), or a circuit, whose final state is meant.

    Raises:
        ResultError: something else.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Overlap
        >>> complex(execute(Circuit(1).x(0), Overlap([0, 1])))
        (1+0j)
    """

    other: Any
    needs = frozenset({"pure", "exact"})
    differentiable = True
    degree = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "other", _clean_other("Overlap", self.other))

    def check(self, context: Context) -> None:
        refuse_shots("Overlap", context)
        _check_other("Overlap", self.other, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return _overlap(self.other, state)


@pytree("other")
@dataclass(frozen=True, eq=False)
class Fidelity(Result):
    """The fidelity |<other|psi>|^2, a real scalar.

    Args:
        other: amplitudes (2^n,), or a circuit, whose final state is meant.

    Raises:
        ResultError: something else.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Fidelity
        >>> round(float(execute(Circuit(1).h(0), Fidelity(Circuit(1)))), 6)
        0.5
    """

    other: Any
    needs = frozenset({"pure", "exact"})
    differentiable = True
    degree = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "other", _clean_other("Fidelity", self.other))

    def check(self, context: Context) -> None:
        refuse_shots("Fidelity", context)
        _check_other("Fidelity", self.other, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        overlap = _overlap(self.other, state)
        return overlap.real**2 + overlap.imag**2


@pytree()
@dataclass(frozen=True, eq=False)
class ReducedState(Result):
    """The reduced density matrix of some qubits, tr_rest |psi><psi|: complex (2^k, 2^k).

    Args:
        qubits: the k qubits kept; the first is the most significant.

    Raises:
        ResultError: qubits that cannot be.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import ReducedState
        >>> execute(Circuit(2).h(0).cx(0, 1), ReducedState([1])).real.round(3).tolist()
        [[0.5, 0.0], [0.0, 0.5]]
    """

    qubits: Sequence[int] | None = None
    needs = frozenset({"exact"})
    differentiable = True
    degree = 1

    def __post_init__(self) -> None:
        if self.qubits is not None:
            object.__setattr__(self, "qubits", clean_qubits("ReducedState", self.qubits))

    def check(self, context: Context) -> None:
        refuse_shots("ReducedState", context)
        check_qubits("ReducedState", self.qubits, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return state.reduced(all_qubits(self.qubits, state.num_qubits))


@pytree()
@dataclass(frozen=True, eq=False)
class Operator(Result):
    """The unitary of the circuit, complex (2^n, 2^n): column j is what becomes of the basis state j.

    Needs `method=Unitary()`.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.methods import Unitary
        >>> from qsim.results import Operator
        >>> execute(Circuit(1).x(0), Operator(), method=Unitary()).real.tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    needs = frozenset({"operator", "exact"})
    differentiable = True
    degree = 0

    def check(self, context: Context) -> None:
        refuse_shots("Operator", context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return state.operator()


def _overlap(other: Any, state: AbstractState) -> Array:
    psi = state.amplitudes()
    if isinstance(other, Circuit):
        raise ResultError("Overlap and Fidelity with a circuit need its state first: use execute(...).")
    return jnp.sum(jnp.conj(jnp.asarray(other, psi.dtype)) * psi)


def _clean_other(name: str, other: Any) -> Any:
    if isinstance(other, (list, tuple)):
        other = np.asarray(other)
    if isinstance(other, Circuit):
        return other.copy()
    if isinstance(other, np.ndarray) and is_numeric(other) and not np.isfinite(other).all():
        raise ResultError(f"{name}: argument `other` must be finite, but holds NaN or infinity.")
    if is_numeric(other) and hasattr(other, "shape"):
        return own_array(other)
    raise ResultError(f"{name}: argument `other` must be amplitudes or a Circuit, but is {type(other).__name__}.")


def _check_other(name: str, other: Any, context: Context) -> None:
    n = context.num_qubits
    if isinstance(other, Circuit):
        if other.num_qubits != n:
            raise ResultError(f"{name}: the other circuit has {other.num_qubits} qubits, this one {n}.")
    elif jax.numpy.shape(other) != (1 << n,):
        raise ResultError(
            f"{name}: argument `other` must have shape ({1 << n},) for {n} qubits, but has {jax.numpy.shape(other)}."
        )


def _clean_bitstring(bits: str | int) -> str | int:
    if isinstance(bits, str):
        if set(bits) - {"0", "1"}:
            raise ResultError(f"Amplitudes: a bit string must be of 0 and 1, but is {bits!r}.")
        return bits
    try:
        place = operator.index(bits)
    except TypeError:
        place = -1
    if place < 0:
        raise ResultError(f"Amplitudes: argument `bitstrings` must be bit strings or indices, but holds {bits!r}.")
    return place
