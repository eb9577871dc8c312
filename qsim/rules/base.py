"""What a gradient rule is: a frozen record that says what it needs, and for the rules by re-running, how.

Two rules are flags that the compile step reads (`Adjoint`, `Backprop`). The others see
the circuit as a function of its angles and run it again at other angles: they differ
only in *where* (the probes) and in what the values there are worth. One piece of code
(`wrap`) turns probes into a `custom_vjp`; the backends that cannot be traced use the
same probes for their jobs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from qsim._errors import MethodError
from qsim._typing import Array, Key, PyTree

Spectra = Sequence[Sequence[float] | None]
"""Per angle the angular frequencies w of U(t) = sum_w A_w exp(i w t); () for an angle that never
varies, None where they are not known."""

Run = Callable[[Array, PyTree, Key], PyTree]
"""`run(angles (A,), rest, key) -> pytree of arrays`: one run of a circuit."""


class GradientRule(ABC):
    """How gradients with respect to the angles of a circuit are found.

    Attributes:
        name: the name in messages and in `explain`.
        needs: flags that the method must have ("reversible", "exact").
        reruns: True where the rule only runs the circuit again at other angles.
        needs_key: True where the rule draws random numbers itself.
    """

    name: ClassVar[str]
    needs: ClassVar[frozenset[str]]
    reruns: ClassVar[bool]
    needs_key: ClassVar[bool]


@partial(
    jax.tree_util.register_dataclass,
    data_fields=("directions", "shifts", "coefficients"),
    meta_fields=(),
)
@dataclass(frozen=True)
class Probes:
    """Where to run again: the gradient is sum_p coefficients[p] F(angles + shifts[p] d_p) d_p.

    Attributes:
        directions: int (P,), the angle j where d_p is the unit vector of angle j; or
            float (P, A), the vectors d_p themselves.
        shifts: (P,), radians.
        coefficients: (P,), per radian.
    """

    directions: Array
    shifts: Array
    coefficients: Array

    def __len__(self) -> int:
        return self.shifts.shape[0]

    def vectors(self, num_angles: int) -> Array:
        """All d_p, (P, A)."""
        if self.directions.ndim == 2:
            return self.directions
        return jax.nn.one_hot(self.directions, num_angles, dtype=self.shifts.dtype)

    def gather(self, slopes: Array, num_angles: int) -> Array:
        """sum_p slopes[p] d_p: (P, ...) -> (A, ...)."""
        if self.directions.ndim == 2:
            return jnp.tensordot(self.directions, slopes, axes=(0, 0))
        zeros = jnp.zeros((num_angles, *slopes.shape[1:]), slopes.dtype)
        return zeros.at[self.directions].add(slopes)


class RerunRule(GradientRule):
    """A rule that runs the circuit again at other angles.

    Attributes:
        chunk: how many of these runs are done side by side (vmap); the rest follow in a
            loop, so that neither the program nor the memory grows with the number of angles.
    """

    chunk: int

    @abstractmethod
    def probes(self, spectra: Spectra, degrees: Sequence[int], key: Key, dtype: Any) -> Probes:
        """Where to run again.

        Args:
            spectra: of each angle.
            degrees: what the values are as polynomials: 0 is linear in the amplitudes (a
                state), d >= 1 of degree d in the density matrix (1 for an expectation
                value, 2 for a variance).
            key: a JAX key, where the rule `needs_key`.
            dtype: real dtype of the angles.

        Raises:
            MethodError: a spectrum that the rule needs and that is not known.
        """

    def wrap(self, run: Run, spectra: Spectra, degrees: Sequence[int] = (1,)) -> Run:
        """`run` with this rule as its derivative with respect to the angles.

        Only reverse mode is defined: `jax.grad`, `jax.jacrev`, `jax.vjp`; these nest.
        Where `key` is None the runs are exact and JAX may differentiate through them: second
        derivatives then work forward over reverse (`jax.hessian`), and derivatives with
        respect to `rest` are JAX's own.

        Args:
            run: `run(angles (A,), rest, key) -> pytree of arrays`.
            spectra, degrees: as for `probes`.
        """
        return _wrap(self, run, spectra, tuple(degrees))


def _wrap(rule: RerunRule, run: Run, spectra: Spectra, degrees: tuple[int, ...]) -> Run:
    @jax.custom_vjp
    def rerun(angles: Array, rest: PyTree, key: Key) -> PyTree:
        return run(angles, rest, key)

    def forward(angles: Any, rest: Any, key: Any) -> tuple[PyTree, Any]:
        varied = any(leaf.perturbed for leaf in jax.tree.leaves(rest))
        angles, rest, key = jax.tree.map(lambda leaf: leaf.value, (angles, rest, key))
        if varied:
            out, pullback = jax.vjp(lambda r: run(angles, r, key), rest)
        else:
            out, pullback = (run if key is None else rerun)(angles, rest, key), None
        return out, (angles, rest, key, pullback)

    def backward(residual: Any, cotangents: PyTree) -> tuple[Any, Any, None]:
        angles, rest, key, pullback = residual
        again = run if key is None else rerun
        probe_key = None if key is None else jax.random.fold_in(key, 0)
        probes = rule.probes(spectra, degrees, probe_key, angles.dtype)

        def slope(number: Array, direction: Array, shift: Array, coefficient: Array) -> Array:
            vector = direction if direction.ndim else jax.nn.one_hot(direction, angles.shape[0], dtype=angles.dtype)
            run_key = None if key is None else jax.random.fold_in(key, number + 1)
            return coefficient * _pair(cotangents, again(angles + shift * vector, rest, run_key), angles.dtype)

        numbers = jnp.arange(len(probes))
        slopes = _map_chunks(slope, (numbers, probes.directions, probes.shifts, probes.coefficients), rule.chunk)
        back = None if pullback is None else pullback(_solid(cotangents))[0]
        return probes.gather(slopes, angles.shape[0]), back, None

    rerun.defvjp(forward, backward, symbolic_zeros=True)
    return rerun


def _pair(cotangents: PyTree, values: PyTree, dtype: Any) -> Array:
    """The real pairing of cotangents with a tangent, as JAX has it: Re sum c v, without conjugation."""
    total = jnp.zeros((), dtype)
    pairs = zip(jax.tree.leaves(cotangents, is_leaf=_is_zero), jax.tree.leaves(values), strict=True)
    for cotangent, value in pairs:
        if not _is_zero(cotangent):
            total = total + jnp.sum((cotangent * value).real).astype(dtype)
    return total


def _is_zero(leaf: Any) -> bool:
    return isinstance(leaf, SymbolicZero) or getattr(leaf, "dtype", None) == jax.dtypes.float0


def _solid(cotangents: PyTree) -> PyTree:
    """Cotangents with zeros written out, as `jax.vjp` takes them."""
    return jax.tree.map(_zeros, cotangents, is_leaf=_is_zero)


def _zeros(leaf: Any) -> Any:
    if not isinstance(leaf, SymbolicZero):
        return leaf
    shape: Any = leaf.shape
    dtype: Any = leaf.dtype
    return np.zeros(shape, dtype) if dtype == jax.dtypes.float0 else jnp.zeros(shape, dtype)


def _map_chunks(function: Callable[..., Array], columns: tuple[Array, ...], chunk: int) -> Array:
    """`function` of each row, `chunk` rows at a time: one traced copy, whatever the number of rows."""
    count = columns[0].shape[0]
    if count == 0:
        return jnp.zeros((0,), columns[-1].dtype)
    if count <= chunk:
        return jax.vmap(function)(*columns)
    spare = -count % chunk
    folded = [jnp.pad(c, [(0, spare)] + [(0, 0)] * (c.ndim - 1)).reshape(-1, chunk, *c.shape[1:]) for c in columns]
    return lax.map(lambda rows: jax.vmap(function)(*rows), tuple(folded)).reshape(-1)[:count]


def unknown_spectrum(rule: str, angle: int) -> MethodError:
    """The error of a rule that needs the spectrum of an angle which has none."""
    return MethodError(
        f"{rule} knows no shift rule for angle {angle} of the circuit: its operation has no `spectra`. "
        "Try gradient=FiniteDifference(), or write the operation with gates of the table."
    )
