"""The general parameter-shift rule: exact derivatives from runs at shifted angles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import jax.numpy as jnp
import numpy as np

from qsim._errors import MethodError
from qsim._typing import Key
from qsim.ir.circuit import Circuit
from qsim.ir.expand import expand
from qsim.ir.full import in_full, kept_outside_traces
from qsim.ir.operation import is_constant
from qsim.rules.base import Probes, RerunRule, Spectra, unknown_spectrum

MAX_FREQUENCIES = 64
_DIGITS = 9


@dataclass(frozen=True)
class ParameterShift(RerunRule):
    """Exact derivatives from values at shifted angles, as hardware can measure them.

    A circuit whose gate is U(t) = sum_w A_w exp(i w t) has expectation values F(t) that
    are trigonometric polynomials with the frequencies w - w', so that
    dF/dt = sum_k c_k F(t + s_k) with fixed shifts s_k and coefficients c_k: for a Pauli
    rotation (F(t + pi/2) - F(t - pi/2)) / 2. Any spectrum in the gate table is covered.

    The default with shots and on hardware. Each angle costs at least two runs, so on an
    exact simulator `Adjoint()` is faster by the number of angles. Reverse mode only;
    gradients of gradients work.

    Args:
        chunk: how many runs are done side by side.

    Raises:
        MethodError: a chunk below 1, and, when run, an operation with unknown spectrum.

    Reference: D. Wierichs et al., arXiv:2107.12390.

    Example:
        >>> import jax
        >>> from qsim import Circuit, Parameter, Z, execute
        >>> from qsim.gradients import ParameterShift
        >>> from qsim.results import Expectation
        >>> circuit = Circuit(1).ry(Parameter("t"), 0)
        >>> slope = jax.grad(lambda t: execute(circuit, Expectation(Z(0)), {"t": t}, gradient=ParameterShift()))
        >>> print(f"{slope(0.5):.4f}")
        -0.4794
    """

    chunk: int = 8

    name: ClassVar[str] = "ParameterShift"
    needs: ClassVar[frozenset[str]] = frozenset()
    reruns: ClassVar[bool] = True
    needs_key: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.chunk < 1:
            raise MethodError(f"Argument `chunk` of ParameterShift must be at least 1, but is {self.chunk!r}.")

    def probes(self, spectra: Spectra, degrees: Sequence[int], key: Key, dtype: Any) -> Probes:
        index: list[int] = []
        shifts: list[float] = []
        coefficients: list[float] = []
        for angle, spectrum in enumerate(spectra):
            if spectrum is None:
                raise unknown_spectrum(self.name, angle)
            s, c = shift_rule(frequencies(tuple(spectrum), tuple(degrees)))
            index += [angle] * len(s)
            shifts += s
            coefficients += c
        return Probes(
            jnp.asarray(np.asarray(index, np.int32)), jnp.asarray(shifts, dtype), jnp.asarray(coefficients, dtype)
        )


@kept_outside_traces
def with_spectra(circuit: Circuit) -> Circuit:
    """`circuit` with operations whose spectrum is not known, such as long product formulas, expanded.

    Their definitions have gates that the rule knows, with angles that JAX differentiates.
    Operations that are constant, or have no definition, stay; so does a circuit where
    nothing is to be done.
    """

    def keep(operation: Any) -> bool:
        spectra = getattr(operation, "spectra", ())
        known = len(spectra) == len(operation.params) and None not in spectra
        return known or all(map(is_constant, operation.params)) or not hasattr(operation, "definition")

    full = in_full(circuit)
    return full if all(keep(i.operation) for i in full.instructions) else expand(full, keep)


@lru_cache(maxsize=1024)
def frequencies(spectrum: tuple[float, ...], degrees: tuple[int, ...] = (1,)) -> tuple[float, ...]:
    """The positive frequencies of values that are polynomials of U(t) = sum_w A_w exp(i w t).

    Args:
        spectrum: the frequencies w of U.
        degrees: 0 for values linear in U, whose frequencies are the |w|; d >= 1 for values
            of degree d in U rho U^dagger, whose frequencies are sums of d differences w - w'.

    Example:
        >>> frequencies((-0.5, 0.5))
        (1.0,)
        >>> frequencies((-0.5, 0.0, 0.5))
        (0.5, 1.0)
        >>> frequencies((-0.5, 0.5), (0, 2))
        (0.5, 1.0, 2.0)
    """
    found: set[float] = set()
    differences = {round(a - b, _DIGITS) for a in spectrum for b in spectrum}
    for degree in degrees:
        sums = set(spectrum) if degree == 0 else {0.0}
        for _ in range(degree):
            sums = {round(a + b, _DIGITS) for a in sums for b in differences}
        found |= {round(abs(s), _DIGITS) for s in sums}
    return tuple(sorted(w for w in found if w > 0))


@lru_cache(maxsize=1024)
def shift_rule(spectrum: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Shifts and coefficients with dF/dt = sum_k coefficients[k] F(t + shifts[k]).

    Exact for every F(t) = a_0 + sum_w (a_w cos w t + b_w sin w t), in 2 R values of F for R
    frequencies. Equidistant frequencies have the closed form of arXiv:2107.12390, eq. (5);
    others a small linear system, with the shifts chosen so that noise grows least.

    Args:
        spectrum: the positive frequencies w of F (not of the gate: see `frequencies`).

    Raises:
        MethodError: more frequencies than `MAX_FREQUENCIES`, or so close that no rule is stable.

    Example:
        >>> shifts, coefficients = shift_rule((1.0,))
        >>> [round(s, 4) for s in shifts], [round(c, 4) for c in coefficients]
        ([1.5708, -1.5708], [0.5, -0.5])
    """
    count = len(spectrum)
    if count == 0:
        return (), ()
    if count > MAX_FREQUENCIES:
        raise MethodError(
            f"ParameterShift would need {2 * count} runs for one angle with {count} frequencies. "
            "Try gradient=FiniteDifference()."
        )
    if any(w <= 0 for w in spectrum):
        raise MethodError(f"Argument `spectrum` must be positive frequencies, but is {spectrum}.")
    base = spectrum[0]
    if np.allclose(spectrum, base * np.arange(1, count + 1)):
        half = [(2 * m - 1) * math.pi / (2 * count) for m in range(1, count + 1)]
        weights = [base * (-1) ** m / (4 * count * math.sin(x / 2) ** 2) for m, x in enumerate(half)]
        shifts = [x / base for x in half]
    else:
        shifts, weights = _solve(np.asarray(spectrum))
    both = [(x, c) for x, c in zip(shifts, weights, strict=True)]
    pairs = [pair for x, c in both for pair in ((x, c), (-x, -c))]
    return tuple(x for x, _ in pairs), tuple(c for _, c in pairs)


def _solve(omega: np.ndarray) -> tuple[list[float], list[float]]:
    """Shifts x and weights c with sum_m 2 c_m sin(w x_m) = w for every frequency, least sum |c|."""
    count = len(omega)
    gaps = np.diff(np.concatenate([[0.0], omega]))
    scales = np.geomspace(gaps.min(), omega.max(), 64)
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for scale in scales:
        x = (2 * np.arange(1, count + 1) - 1) * np.pi / (2 * count * scale)
        system = 2 * np.sin(np.outer(omega, x))
        if np.linalg.cond(system) > 1e8:
            continue
        c = np.linalg.solve(system, omega)
        size = float(np.abs(c).sum())
        if best is None or size < best[0]:
            best = (size, x, c)
    if best is None:
        raise MethodError(
            f"ParameterShift finds no stable rule for the frequencies {omega.tolist()}: they are too close. "
            "Try gradient=FiniteDifference()."
        )
    return best[1].tolist(), best[2].tolist()
