"""Expectation values and variances of observables, exact or estimated from shots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np

from qsim._errors import ResultError
from qsim.ir.ops.base import namespace
from qsim.ir.pauli import PauliSum
from qsim.methods.base import AbstractState
from qsim.results import measurement
from qsim.results.base import Context, Result, check_key, pytree
from qsim.results.measurement import Estimate, Setting
from qsim.results.observable import check_observable, clean_observable, lower, real_coefficients

Array = Any
MAX_SQUARED_TERMS = 256


@pytree("observable")
@dataclass(frozen=True, eq=False)
class Expectation(Result):
    """The expectation value <psi|H|psi>, a real scalar; with shots, its estimate.

    With shots, a `PauliSum` is measured in groups of qubit-wise commuting terms, a dense
    observable on at most 6 qubits in its eigenbasis.

    Args:
        observable: `PauliSum`, `Hermitian`, `DiagonalObservable` or `Projector`.
        stderr: True for the pytree `Estimate(value, stderr)`; the error is 0 without shots.

    Raises:
        ResultError: something that is no observable.
        ObservableError: a Pauli sum that is not Hermitian.

    Example:
        >>> from qsim import Circuit, Z, execute
        >>> from qsim.results import Expectation
        >>> float(execute(Circuit(2).x(0), Expectation(Z(0) + 0.5 * Z(1))))
        -0.5
    """

    observable: Any
    stderr: bool = False
    needs = frozenset()
    differentiable = True
    degree = 1

    def __post_init__(self) -> None:
        clean_observable("Expectation", self.observable)

    def check(self, context: Context) -> None:
        _check("Expectation", self.observable, context)
        if context.shots is not None and isinstance(self.observable, PauliSum):
            settings = measurement.structure(self.observable.strings, context.num_qubits)
            measurement.check_total(settings, context.shots)

    def evaluate(self, state: AbstractState, context: Context) -> Array | Estimate:
        if context.shots is None:
            value = state.expect(lower(self.observable, state.num_qubits))
            return Estimate(value, jnp.zeros_like(value)) if self.stderr else value
        if isinstance(self.observable, PauliSum):
            settings = measurement.structure(self.observable.strings, state.num_qubits)
            columns = real_coefficients(self.observable).astype(state.norm_squared().dtype)[:, None]
            values, covariance = measurement.simulate(state, settings, columns, context.shots, context.key)
            return _estimate(values[0], covariance[0, 0], self.stderr)
        return self._of_values(self.observable.draw(state, context.key, context.shots))

    def settings(self, context: Context) -> tuple[Setting, ...]:
        observable, shots = _on_device(self.observable), context.shots or 0
        if not isinstance(observable, PauliSum):
            return (Setting.computational(context.num_qubits, observable.qubits, shots),)
        structure = measurement.structure(observable.strings, context.num_qubits)
        measurement.check_total(structure, shots)
        return measurement.settings_of(structure, np.real(observable.coefficients)[:, None], shots)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Array | Estimate:
        observable = _on_device(self.observable)
        if not isinstance(observable, PauliSum):
            return self._of_values(observable.read(samples[0]))
        structure = measurement.structure(observable.strings, context.num_qubits)
        values, covariance = measurement.estimates(structure, np.real(observable.coefficients)[:, None], samples)
        return _estimate(values[0], covariance[0, 0], self.stderr)

    def _of_values(self, drawn: Array) -> Array | Estimate:
        drawn = _floats(drawn)
        return _estimate(drawn.mean(), _spread(drawn, 2) / len(drawn), self.stderr)


@pytree("observable")
@dataclass(frozen=True, eq=False)
class Variance(Result):
    """The variance <H^2> - <H>^2, a real scalar; with shots, its unbiased estimate.

    Computed as |(H - <H>) psi|^2: H is never squared. With shots the terms of H^2 are
    measured, which is for sums of at most 256 terms.

    Args:
        observable: `PauliSum`, `Hermitian`, `DiagonalObservable` or `Projector`.
        stderr: True for the pytree `Estimate(value, stderr)`; the error is 0 without shots.

    Raises:
        ResultError: something that is no observable.
        ObservableError: a Pauli sum that is not Hermitian.

    Example:
        >>> from qsim import Circuit, Z, execute
        >>> from qsim.results import Variance
        >>> round(float(execute(Circuit(1).h(0), Variance(Z(0)))), 6)
        1.0
    """

    observable: Any
    stderr: bool = False
    needs = frozenset()
    differentiable = True
    degree = 2

    def __post_init__(self) -> None:
        clean_observable("Variance", self.observable)

    def check(self, context: Context) -> None:
        _check("Variance", self.observable, context)
        if context.shots is None:
            return
        if context.shots < 2:
            raise ResultError("Variance needs at least 2 shots.")
        if isinstance(self.observable, PauliSum):
            if len(self.observable) > MAX_SQUARED_TERMS:
                raise ResultError(
                    f"Variance with shots measures the square of the sum, for at most {MAX_SQUARED_TERMS} terms, but "
                    f"there are {len(self.observable)}. Leave out `shots`, or measure parts."
                )
            strings = _with_square(self.observable.strings)[0]
            measurement.check_total(measurement.structure(strings, context.num_qubits), context.shots)

    def evaluate(self, state: AbstractState, context: Context) -> Array | Estimate:
        if context.shots is None:
            value = state.variance(lower(self.observable, state.num_qubits))
            return Estimate(value, jnp.zeros_like(value)) if self.stderr else value
        if isinstance(self.observable, PauliSum):
            return self._from_groups(state, context.shots, context.key)
        return self._of_values(self.observable.draw(state, context.key, context.shots))

    def settings(self, context: Context) -> tuple[Setting, ...]:
        observable, shots = _on_device(self.observable), context.shots or 0
        if not isinstance(observable, PauliSum):
            return (Setting.computational(context.num_qubits, observable.qubits, shots),)
        structure, columns = self._columns(observable, context.num_qubits, np)
        measurement.check_total(structure, shots)
        return measurement.settings_of(structure, columns, shots)

    def from_bits(self, context: Context, samples: Sequence[np.ndarray]) -> Array | Estimate:
        observable = _on_device(self.observable)
        if not isinstance(observable, PauliSum):
            return self._of_values(observable.read(samples[0]))
        structure, columns = self._columns(observable, context.num_qubits, np)
        return self._of_groups(*measurement.estimates(structure, columns, samples))

    def _of_values(self, drawn: Array) -> Array | Estimate:
        drawn = _floats(drawn)
        count = len(drawn)
        second, fourth = _spread(drawn, 2), _spread(drawn, 4)
        error = (fourth - second**2 * (count - 3) / max(count - 1, 1)) / count
        return _estimate(second, error, self.stderr)

    def _from_groups(self, state: AbstractState, shots: int, key: Array) -> Array | Estimate:
        structure, columns = self._columns(self.observable, state.num_qubits, jnp)
        columns = columns.astype(state.norm_squared().dtype)
        return self._of_groups(*measurement.simulate(state, structure, columns, shots, key))

    @staticmethod
    def _columns(observable: PauliSum, num_qubits: int, xp: Any) -> tuple[measurement.Plan, Array]:
        """How to measure the terms of H^2 and of H together, and the coefficients of both (T, 2)."""
        strings, own, left, right, sign, place = _with_square(observable.strings)
        c = np.real(observable.coefficients) if xp is np else real_coefficients(observable)
        square, mean = xp.zeros(len(strings), c.dtype), xp.zeros(len(strings), c.dtype)
        terms = c[left] * c[right] * sign
        if xp is np:
            np.add.at(square, place, terms)
            np.add.at(mean, own, c)
        else:
            square, mean = square.at[place].add(terms), mean.at[own].add(c)
        return measurement.structure(strings, num_qubits), xp.stack([square, mean], axis=1)

    def _of_groups(self, values: Array, covariance: Array) -> Array | Estimate:
        square, mean = values
        # E[mean^2] = <H>^2 + var(mean): taken off again
        value = square - mean**2 + covariance[1, 1]
        xp = namespace(values)
        slope = xp.stack([xp.ones_like(mean), -2 * mean])
        return _estimate(value, slope @ covariance @ slope, self.stderr)


def _on_device(observable: Any) -> Any:
    """A Pauli sum, or an observable of which the Z basis of its qubits says all."""
    if isinstance(observable, PauliSum):
        return observable
    observable.check_shots()
    found = observable.pauli_sum()
    return observable if found is None else found


@lru_cache(maxsize=32)
def _with_square(strings: tuple[Any, ...]) -> tuple[Any, ...]:
    """Strings of H and H^2 together: (strings, place of each term of H, left, right, sign, place of each product).

    Products of strings that anticommute cancel and are left out.
    """
    count = len(strings)
    whole = PauliSum(strings, np.ones(count))
    x, z = (m.astype(int) for m in whole.masks())
    left, right = np.nonzero((x @ z.T + z @ x.T) % 2 == 0)
    places: dict[Any, int] = {}
    own = [places.setdefault(string, len(places)) for string in strings]
    sign, place = [], []
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        product = whole.take([a]) @ whole.take([b])
        sign.append(round(float(np.real(product.coefficients[0]))))
        place.append(places.setdefault(product.strings[0], len(places)))
    # no 64-bit arrays: JAX keeps what it once made of a host array, also where x64 is switched on later
    own_, left, right, place_ = (np.asarray(a, np.int32) for a in (own, left, right, place))
    return tuple(places), own_, left, right, np.asarray(sign, np.int8), place_


def _check(name: str, observable: Any, context: Context) -> None:
    check_observable(name, observable, context)
    if context.shots is not None:
        check_key(name, context)
        if not isinstance(observable, PauliSum):
            observable.check_shots()


def _floats(drawn: Array) -> Array:
    xp = namespace(drawn)
    return drawn.astype(xp.result_type(drawn.dtype, xp.float32))


def _spread(values: Array, power: int) -> Array:
    """The sample's central moment; the second with n - 1 in the denominator."""
    count = len(values) - 1 if power == 2 else len(values)
    return ((values - values.mean()) ** power).sum() / max(count, 1)


def _estimate(value: Array, squared_error: Array, stderr: bool) -> Array | Estimate:
    xp = namespace(value)
    return Estimate(value, xp.sqrt(xp.maximum(squared_error, 0))) if stderr else value
