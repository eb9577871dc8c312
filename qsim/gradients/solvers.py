"""How the equation (g + damping) x = gradient of a natural gradient is solved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._checks import check_int
from qsim._errors import MethodError
from qsim._typing import Array, PyTree
from qsim.gradients.ansatz import Ansatz
from qsim.gradients.metric import metric_blocks, metric_product
from qsim.rules import Backprop


class MetricSolver(ABC):
    """How a natural gradient is found: a frozen record, for `natural_gradient(solver=...)`."""

    @abstractmethod
    def check(self, damping: float, has_blocks: bool) -> None:
        """Refuse what this solver cannot do.

        Raises:
            MethodError: damping or blocks that do not go with it.
        """

    @abstractmethod
    def solve(
        self,
        ansatz: Ansatz,
        flat: Array,
        unravel: Callable[[Array], PyTree],
        gradient: Array,
        damping: float,
        table: np.ndarray,
    ) -> Array:
        """x (P,) with (g + damping) x = gradient at the params `flat` (P,); `table` has the blocks of g."""


@dataclass(frozen=True)
class Direct(MetricSolver):
    """Make the metric and factor it: the default, for up to some thousand parameters.

    Time: P tangents of about two runs each, then P^2 2^n + P^3 multiplications; in blocks of b parameters
    P b 2^n + P b^2. Memory: b tangents, b 2^n amplitudes; see `metric_tensor`.

    With damping it is one Cholesky factorisation, where damping counts as at least the rounding of the
    metric. With damping 0, or where `rcond` is given, it is the pseudoinverse: directions
    whose eigenvalue is below rcond times the largest do not move.

    Args:
        rcond: the relative cut of eigenvalues; None is no cut where there is damping, else b times the
            precision of the dtype.
        chunk: how many tangents are found side by side; None takes what fits the caches.

    Raises:
        MethodError: an rcond outside [0, 1), or a chunk below 1.

    Example:
        >>> from qsim.gradients import Direct
        >>> Direct(rcond=1e-4)
        Direct(rcond=0.0001, chunk=None)
    """

    rcond: float | None = None
    chunk: int | None = None

    def __post_init__(self) -> None:
        if self.rcond is not None and not 0 <= self.rcond < 1:
            raise MethodError(f"Argument `rcond` of Direct must be in [0, 1), but is {self.rcond!r}.")
        if self.chunk is not None:
            check_int("chunk", self.chunk, MethodError, minimum=1)

    def check(self, damping: float, has_blocks: bool) -> None:
        """Everything goes with it."""

    def solve(
        self,
        ansatz: Ansatz,
        flat: Array,
        unravel: Callable[[Array], PyTree],
        gradient: Array,
        damping: float,
        table: np.ndarray,
    ) -> Array:
        metric = metric_blocks(lambda x: ansatz.amplitudes(unravel(x), Backprop()), flat, table, self.chunk)
        right = gradient.at[table].get(mode="fill", fill_value=0).astype(metric.dtype)
        solved = jax.vmap(lambda g, b: solve_block(g, b, damping, self.rcond))(metric, right)
        return jnp.zeros_like(gradient).at[table].set(solved.astype(gradient.dtype), mode="drop")


@dataclass(frozen=True)
class ConjugateGradient(MetricSolver):
    """Solve by products of the metric with vectors, without ever having the matrix: for large states.

    Each iteration is one forward derivative and one adjoint pass of the circuit, about five runs. Memory: a few
    states, whatever the number of parameters. Needs damping, which also bounds the iterations; takes no blocks.

    Args:
        tol: the residual at which it stops, relative to the gradient.
        max_steps: the most iterations; None is the number of parameters.

    Raises:
        MethodError: a tol that is not positive, or max_steps below 1.

    Reference: M. R. Hestenes and E. Stiefel, DOI 10.6028/jres.049.044.

    Example:
        >>> from qsim.gradients import ConjugateGradient
        >>> ConjugateGradient(max_steps=20)
        ConjugateGradient(tol=0.0001, max_steps=20)
    """

    tol: float = 1e-4
    max_steps: int | None = None

    def __post_init__(self) -> None:
        if not self.tol > 0:
            raise MethodError(f"Argument `tol` of ConjugateGradient must be positive, but is {self.tol!r}.")
        if self.max_steps is not None:
            check_int("max_steps", self.max_steps, MethodError, minimum=1)

    def check(self, damping: float, has_blocks: bool) -> None:
        if not damping > 0:
            raise MethodError("solver=ConjugateGradient() needs damping, since metrics may be singular. Try 1e-3.")
        if has_blocks:
            raise MethodError("solver=ConjugateGradient() has no use for blocks. Leave them out, or try Direct().")

    def solve(
        self,
        ansatz: Ansatz,
        flat: Array,
        unravel: Callable[[Array], PyTree],
        gradient: Array,
        damping: float,
        table: np.ndarray,
    ) -> Array:
        product = metric_product(ansatz, flat, unravel)
        matrix: Any = lambda v: product(v) + damping * v  # noqa: E731
        steps = self.max_steps or flat.shape[0]
        return jax.scipy.sparse.linalg.cg(matrix, gradient, tol=self.tol, maxiter=steps)[0]


def solve_block(metric: Array, right: Array, damping: float, rcond: float | None) -> Array:
    """(metric + damping) x = right for a positive semidefinite metric (b, b); finite where that is singular."""
    size = metric.shape[0]
    rounding = size * float(jnp.finfo(metric.dtype).eps)
    if damping > 0 and rcond is None:
        floor = 4 * rounding * jnp.max(jnp.diagonal(metric), initial=0.0)
        matrix = metric + jnp.maximum(floor, damping) * jnp.eye(size, dtype=metric.dtype)
        return jax.scipy.linalg.cho_solve(jax.scipy.linalg.cho_factor(matrix), right)
    values, vectors = jnp.linalg.eigh(metric)
    cut = (rounding if rcond is None else rcond) * jnp.max(values, initial=0.0)
    kept = values > jnp.maximum(cut, 0)
    inverse = jnp.where(kept, 1 / jnp.where(kept, values + damping, 1), 0)
    product = lambda a, b: jnp.matmul(a, b, precision=lax.Precision.HIGHEST)  # noqa: E731
    return product(vectors, inverse * product(vectors.T, right))
