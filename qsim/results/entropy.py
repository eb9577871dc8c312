"""Purity, entropies and mutual information of some qubits, with gradients that stay finite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from qsim._errors import ResultError
from qsim.methods.base import AbstractState
from qsim.results.base import Context, Result, all_qubits, check_qubits, clean_qubits, pytree, refuse_shots

Array = Any


@pytree()
@dataclass(frozen=True, eq=False)
class Purity(Result):
    """The purity tr(rho_A^2) of the reduced state of `qubits` (default all): a real scalar.

    Args:
        qubits: the qubits of A.

    Raises:
        ResultError: qubits that cannot be.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Purity
        >>> round(float(execute(Circuit(2).h(0).cx(0, 1), Purity([0]))), 6)
        0.5
    """

    qubits: Sequence[int] | None = None
    needs = frozenset({"exact"})
    differentiable = True
    degree = 2

    def __post_init__(self) -> None:
        if self.qubits is not None:
            object.__setattr__(self, "qubits", clean_qubits("Purity", self.qubits))

    def check(self, context: Context) -> None:
        refuse_shots("Purity", context)
        check_qubits("Purity", self.qubits, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        return purity(smaller_side(state, all_qubits(self.qubits, state.num_qubits)))


@pytree()
@dataclass(frozen=True, eq=False)
class Entropy(Result):
    """The entropy of the reduced state rho of some qubits: a real scalar.

    von Neumann, alpha = 1: S = -tr(rho log rho). Renyi: S = log(tr rho^alpha) / (1 - alpha);
    alpha = inf is -log of the largest eigenvalue, alpha = 0 the log of the rank. Gradients
    are finite at product states and at equal eigenvalues: dS = -tr(drho (log rho + 1)) with
    the logarithm cut off at the rounding error of the dtype.

    Args:
        qubits: the qubits of the part; default all (0 for a pure state).
        alpha: the order, 0 or more.
        base: the base of the logarithm: 2 gives bits, math.e nats.

    Raises:
        ResultError: qubits, an order or a base that cannot be.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import Entropy
        >>> round(float(execute(Circuit(2).h(0).cx(0, 1), Entropy([0]))), 5)
        1.0
    """

    qubits: Sequence[int] | None = None
    alpha: float = 1.0
    base: float = 2.0
    needs = frozenset({"exact"})
    differentiable = True

    def __post_init__(self) -> None:
        if self.qubits is not None:
            object.__setattr__(self, "qubits", clean_qubits("Entropy", self.qubits))
        object.__setattr__(self, "alpha", _number("alpha", self.alpha))
        object.__setattr__(self, "base", _number("base", self.base))
        if not self.alpha >= 0:
            raise ResultError(f"Entropy: argument `alpha` must be 0 or more, but is {self.alpha}.")
        _check_base("Entropy", self.base)

    def check(self, context: Context) -> None:
        refuse_shots("Entropy", context)
        check_qubits("Entropy", self.qubits, context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        rho = smaller_side(state, all_qubits(self.qubits, state.num_qubits))
        return entropy(rho, self.alpha) / math.log(self.base)


@pytree()
@dataclass(frozen=True, eq=False)
class MutualInformation(Result):
    """The mutual information S(A) + S(B) - S(AB) of two sets of qubits, von Neumann: a real scalar.

    Args:
        qubits_a, qubits_b: the two sets; no qubit in both.
        base: the base of the logarithm.

    Raises:
        ResultError: sets that overlap, or a base that cannot be.

    Example:
        >>> from qsim import Circuit, execute
        >>> from qsim.results import MutualInformation
        >>> round(float(execute(Circuit(2).h(0).cx(0, 1), MutualInformation([0], [1]))), 5)
        2.0
    """

    qubits_a: Sequence[int]
    qubits_b: Sequence[int]
    base: float = 2.0
    needs = frozenset({"exact"})
    differentiable = True

    def __post_init__(self) -> None:
        a, b = clean_qubits("MutualInformation", self.qubits_a), clean_qubits("MutualInformation", self.qubits_b)
        if set(a) & set(b):
            raise ResultError(f"MutualInformation: the two sets of qubits must be disjoint, but are {a} and {b}.")
        object.__setattr__(self, "qubits_a", a)
        object.__setattr__(self, "qubits_b", b)
        object.__setattr__(self, "base", _number("base", self.base))
        _check_base("MutualInformation", self.base)

    def check(self, context: Context) -> None:
        refuse_shots("MutualInformation", context)
        check_qubits("MutualInformation", (*self.qubits_a, *self.qubits_b), context)

    def evaluate(self, state: AbstractState, context: Context) -> Array:
        a, b, ab = (
            entropy(smaller_side(state, qubits), 1.0)
            for qubits in (self.qubits_a, self.qubits_b, (*self.qubits_a, *self.qubits_b))
        )
        return (a + b - ab) / math.log(self.base)


def smaller_side(state: AbstractState, qubits: Sequence[int]) -> Array:
    """A matrix with the nonzero spectrum of the reduced state of `qubits`: of the complement, where that is smaller.

    Both sides of a pure state have the same Schmidt coefficients.
    """
    n = state.num_qubits
    if state.is_pure and 2 * len(qubits) > n:
        qubits = tuple(q for q in range(n) if q not in set(qubits))
    return state.reduced(qubits)


def purity(rho: Array) -> Array:
    """tr(rho^2) of a Hermitian matrix."""
    return jnp.sum(rho.real**2 + rho.imag**2)


def entropy(rho: Array, alpha: float) -> Array:
    """The entropy of a density matrix in nats; see `Entropy`."""
    if alpha == 1:
        return _spectral_sum(_VonNeumann(), rho)
    if alpha == 2:
        return -jnp.log(purity(rho))
    if alpha == math.inf:
        return -jnp.log(_spectral_sum(_Largest(), rho))
    if alpha == 0:
        return jnp.log(_spectral_sum(_Rank(), rho))
    return jnp.log(_spectral_sum(_Power(alpha), rho)) / (1 - alpha)


@dataclass(frozen=True)
class _VonNeumann:
    """-p log p."""

    def value(self, p: Array) -> Array:
        return -p * jnp.log(jnp.maximum(p, _tiny(p)))

    def slope(self, p: Array) -> Array:
        return -jnp.log(jnp.maximum(p, _tiny(p))) - 1

    def curvature(self, p: Array) -> Array:
        return jnp.where(p > _tiny(p), -1 / jnp.maximum(p, _tiny(p)), 0)


@dataclass(frozen=True)
class _Power:
    """p^alpha."""

    alpha: float

    def value(self, p: Array) -> Array:
        return jnp.where(p > 0, jnp.maximum(p, _tiny(p) ** 2) ** self.alpha, 0)

    def slope(self, p: Array) -> Array:
        return self.alpha * jnp.maximum(p, _tiny(p)) ** (self.alpha - 1)

    def curvature(self, p: Array) -> Array:
        bent = self.alpha * (self.alpha - 1) * jnp.maximum(p, _tiny(p)) ** (self.alpha - 2)
        return jnp.where(p > _tiny(p), bent, 0)


@dataclass(frozen=True)
class _Largest:
    """The share of each eigenvalue in the largest one; equal ones share the slope."""

    def value(self, p: Array) -> Array:
        return self.slope(p) * p

    def slope(self, p: Array) -> Array:
        top = (p >= jnp.max(p) - 8 * _tiny(p)).astype(p.dtype)
        return top / jnp.sum(top)

    def curvature(self, p: Array) -> Array:
        return jnp.zeros_like(p)


@dataclass(frozen=True)
class _Rank:
    """1 for each eigenvalue above rounding error."""

    def value(self, p: Array) -> Array:
        return (p > p.shape[-1] * 8 * _tiny(p)).astype(p.dtype)

    def slope(self, p: Array) -> Array:
        return jnp.zeros_like(p)

    def curvature(self, p: Array) -> Array:
        return jnp.zeros_like(p)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _spectral_sum(function: Any, rho: Array) -> Array:
    """sum_i f(p_i) over the eigenvalues of a Hermitian matrix; d = tr(f'(rho) drho), whatever the degeneracies."""
    return jnp.sum(function.value(jnp.linalg.eigvalsh(rho)))


@_spectral_sum.defjvp
def _spectral_sum_jvp(function: Any, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (rho,), (d_rho,) = primals, tangents
    slope: Array = _slope_matrix(function, rho)
    return _spectral_sum(function, rho), jnp.sum((jnp.conj(slope) * d_rho).real)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _slope_matrix(function: Any, rho: Array) -> Array:
    """f'(rho) of a Hermitian matrix."""
    p, v = jnp.linalg.eigh(rho)
    return _matmul(v * function.slope(p), jnp.conj(v).T)


@_slope_matrix.defjvp
def _slope_matrix_jvp(function: Any, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # Daleckii and Krein: in the eigenbasis, d g(rho)_ij = (g(p_i) - g(p_j)) / (p_i - p_j) drho_ij
    (rho,), (d_rho,) = primals, tangents
    p, v = jnp.linalg.eigh(rho)
    slope = function.slope(p)
    gap = p[:, None] - p[None, :]
    near = jnp.abs(gap) <= 8 * _tiny(p)
    curvature = function.curvature(p)
    mean = (curvature[:, None] + curvature[None, :]) / 2
    quotient = jnp.where(near, mean, (slope[:, None] - slope[None, :]) / jnp.where(near, 1, gap))
    d_rho = (d_rho + jnp.conj(d_rho).T) / 2
    inner = quotient * _matmul(_matmul(jnp.conj(v).T, d_rho), v)
    return _matmul(v * slope, jnp.conj(v).T), _matmul(_matmul(v, inner), jnp.conj(v).T)


def _matmul(a: Array, b: Array) -> Array:
    return jnp.matmul(a, b, precision=jax.lax.Precision.HIGHEST)


def _tiny(p: Array) -> float:
    """The rounding error of an eigenvalue of a matrix of trace 1."""
    return float(jnp.finfo(p.dtype).eps)


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ResultError(f"Argument `{name}` must be a number, but is {value!r}.") from None


def _check_base(name: str, base: float) -> None:
    if not (base > 0 and base != 1 and math.isfinite(base)):
        raise ResultError(f"{name}: argument `base` must be positive, finite and not 1, but is {base}.")
