"""Primitive unified blocs: a circuit with arrays of values for its parameters, and what is asked about it."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Self

import numpy as np

from qsim._errors import CircuitError, ResultError
from qsim.ir.pauli import PauliSum
from qsim.primitives.bindings import BindingsArray
from qsim.primitives.data_bin import check_field
from qsim.primitives.observables import ObservablesArray
from qsim.primitives.shaped import Shaped
from qsim.primitives.signature import Signature, signature_of
from qsim.results.base import MAX_SHOTS, check_shots

LEAST_PRECISION = 3e-5


class Pub(Shaped):
    """A circuit and values for its parameters. May be subclassed.

    Args:
        circuit: a `Circuit`, or Qiskit's `QuantumCircuit`, which keeps Qiskit's conventions.
        parameter_values: a `BindingsArray`, an array with the parameters along the last axis, a mapping of
            names to arrays, or None.

    Attributes:
        circuit, parameter_values: as given, the latter as a `BindingsArray`.
        signature: what the circuit looks like from outside.
        shape: the shape of what comes of it.

    Raises:
        ParameterError: an unknown or missing name, or shapes that do not fit.

    Example:
        >>> import numpy as np
        >>> from qsim import Circuit, Parameter
        >>> from qsim.primitives import Pub
        >>> Pub(Circuit(1).rx(Parameter("t"), 0), np.zeros((3, 4))).shape
        (3, 4)
    """

    __slots__ = ("circuit", "parameter_values", "signature", "shape")

    def __init__(self, circuit: Any, parameter_values: Any = None):
        self.circuit = circuit
        self.signature: Signature = signature_of(circuit)
        self.parameter_values = BindingsArray.coerce(parameter_values, self.signature)
        self.shape: tuple[int, ...] = self.parameter_values.shape

    def __repr__(self) -> str:
        return f"{type(self).__name__}(shape={self.shape}, parameters={self.signature.names})"


class SamplerPub(Pub):
    """A PUB of the `Sampler`: `(circuit, parameter_values, shots)`.

    Args:
        circuit: a circuit with measurements.
        parameter_values: as for `Pub`.
        shots: how many; None leaves it to the run.

    Raises:
        ParameterError: as for `Pub`. ResultError: no measurement, or shots that cannot be.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.primitives import SamplerPub
        >>> SamplerPub.coerce(Circuit(1).h(0).measure_all()).shape
        ()
    """

    __slots__ = ("shots",)

    def __init__(self, circuit: Any, parameter_values: Any = None, shots: int | None = None):
        super().__init__(circuit, parameter_values)
        self.shots = None if shots is None else check_shots(shots)
        if not self.signature.is_measured:
            raise ResultError("The circuit measures nothing, so there is nothing to sample. Try circuit.measure_all().")
        for name, _ in self.signature.registers:
            check_field(name)

    @classmethod
    def coerce(cls, pub: Any, shots: int | None = None) -> Self:
        """A PUB from a circuit, `(circuit,)`, `(circuit, values)`, `(circuit, values, shots)` or a PUB.

        Args:
            pub: any of these.
            shots: for a PUB that does not say how many.

        Raises:
            ResultError, ParameterError, CircuitError: something else, or parts that do not fit.
        """
        if isinstance(pub, SamplerPub):
            if pub.shots is not None or shots is None:
                return pub  # pyright: ignore[reportReturnType]
            parts: tuple[Any, ...] = (pub.circuit, pub.parameter_values, shots)
        elif isinstance(pub, (tuple, list)):
            if not 1 <= len(pub) <= 3:
                raise ResultError(
                    f"A PUB of the Sampler must be (circuit, parameter values, shots), but has {len(pub)} parts."
                )
            parts = tuple(pub)
        else:
            parts = (pub,)
        circuit, values, own = (*parts, None, None)[:3]
        return cls(circuit, values, shots if own is None else own)


class EstimatorPub(Pub):
    """A PUB of the `Estimator`: `(circuit, observables, parameter_values, precision)`.

    The shapes of the observables and of the values broadcast by NumPy's rules.

    Args:
        circuit: any circuit.
        observables: an `ObservablesArray`, or what makes one.
        parameter_values: as for `Pub`.
        precision: the standard error aimed at, for an observable of norm 1; 0 is exact, None leaves it to the run.

    Attributes:
        sums: the observables in row-major order, as Pauli sums.

    Raises:
        ParameterError: as for `Pub`. ObservableError: an observable on qubits that the circuit does not have.
        ResultError: shapes that do not broadcast, or a precision that cannot be.

    Example:
        >>> import numpy as np
        >>> from qsim import Circuit, Parameter, X, Z
        >>> from qsim.primitives import EstimatorPub
        >>> EstimatorPub(Circuit(1).rx(Parameter("t"), 0), [[X(0)], [Z(0)]], np.zeros(5)).shape
        (2, 5)
    """

    __slots__ = ("observables", "precision", "sums")

    def __init__(self, circuit: Any, observables: Any, parameter_values: Any = None, precision: float | None = None):
        super().__init__(circuit, parameter_values)
        self.observables = ObservablesArray.coerce(observables)
        self.precision = None if precision is None else check_precision(precision)
        signature, values = self.signature, self.parameter_values
        self.sums: list[PauliSum] = self.observables.sums(signature.first, signature.num_qubits)
        if self.observables.shape:
            try:
                self.shape = np.broadcast_shapes(self.observables.shape, values.shape)
            except ValueError:
                raise ResultError(
                    f"The observables of shape {self.observables.shape} and the parameter values of shape "
                    f"{values.shape} do not broadcast. By NumPy's rules axes are compared from the last one, and "
                    "must be equal or 1. Try observables[:, None] for all combinations."
                ) from None

    @classmethod
    def coerce(cls, pub: Any, precision: float | None = None) -> Self:
        """A PUB from `(circuit, observables)`, with `parameter_values` and `precision` behind them, or a PUB.

        Args:
            pub: any of these.
            precision: for a PUB that does not give one.

        Raises:
            ResultError, ObservableError, ParameterError, CircuitError: something else, or parts that do not fit.
        """
        if type(pub) is tuple and 2 <= len(pub) <= 4:
            parts: tuple[Any, ...] = pub
        elif isinstance(pub, EstimatorPub):
            if pub.precision is not None or precision is None:
                return pub  # pyright: ignore[reportReturnType]
            parts = (pub.circuit, pub.observables, pub.parameter_values)
        elif isinstance(pub, (tuple, list)):
            if not 2 <= len(pub) <= 4:
                raise ResultError(
                    "A PUB of the Estimator must be (circuit, observables, parameter values, precision), the last two "
                    f"as needed, but has {len(pub)} parts."
                )
            parts = tuple(pub)
        else:
            raise CircuitError(
                f"A PUB of the Estimator must be a tuple (circuit, observables, ...), but is {type(pub).__name__}. "
                "Try run([(circuit, observables)])."
            )
        circuit, observables, values, own = (*parts, None, None)[:4]
        return cls(circuit, observables, values, precision if own is None else own)


def check_precision(precision: Any) -> float:
    """A precision as a float.

    Raises:
        ResultError: it is not 0 or more.
    """
    if type(precision) is float and (precision == 0 or LEAST_PRECISION <= precision < math.inf):
        return precision
    is_number = isinstance(precision, Real) and not isinstance(precision, bool)
    number = float(precision) if is_number else -1.0
    if not 0 <= number < math.inf:
        raise ResultError(
            f"Argument `precision` must be a number of 0 (exact) or more, but is {precision!r}. It is the standard "
            "error aimed at, such as 0.01."
        )
    if 0 < number < LEAST_PRECISION:
        raise ResultError(
            f"Argument `precision` must be 0 (exact) or at least {LEAST_PRECISION}, but is {precision!r}, which takes "
            f"more than {MAX_SHOTS} shots."
        )
    return number


def shots_for(precision: float) -> int | None:
    """How many shots a setting takes for that standard error of +1 and -1: 1 / precision^2; None where it is exact."""
    if precision == 0:
        return None
    return max(2, math.ceil(1 / precision**2 * (1 - 1e-12)))  # one shot says nothing of its error
