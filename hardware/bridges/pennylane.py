"""PennyLane's circuits on our simulator, and on any device of ours: `qml.device("qsim.device", wires=2)`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import eval_context
from pennylane import map_wires, math, ops, transform
from pennylane.devices import Device, ExecutionConfig, MCMConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.devices.preprocess import (
    decompose,
    measurements_from_samples,
    no_sampling,
    validate_device_wires,
    validate_measurements,
)
from pennylane.devices.qubit import measure
from pennylane.exceptions import DeviceError, WireError
from pennylane.measurements import (
    ClassicalShadowMP,
    ExpectationMP,
    ProbabilityMP,
    SampleMeasurement,
    StateMeasurement,
    VarianceMP,
)
from pennylane.operation import StatePrepBase
from pennylane.tape import QuantumScript as Tape
from pennylane.transforms import (
    broadcast_expand,
    convert_to_numpy_parameters,
    defer_measurements,
    diagonalize_measurements,
    split_non_commuting,
)
from pennylane.transforms.core import CompilePipeline
from pennylane.wires import Wires

from qsim import Circuit, execute
from qsim.backends import LocalBackend, Reference, find_backend
from qsim.interop import from_pennylane, pauli_from_pennylane
from qsim.interop.pennylane_gates import IN_OUR_WORDS, NAMES
from qsim.methods import Statevector
from qsim.results import Expectation, Hermitian, Probabilities, Samples, State, Variance

__all__ = ["QsimDevice"]

MATRICES = frozenset({"QubitUnitary", "DiagonalQubitUnitary", "BlockEncode"})
"""What is run as a matrix."""
NOTHING = frozenset({"Barrier", "Snapshot"})
TARGET = frozenset({*NAMES, *IN_OUR_WORDS, *MATRICES, *NOTHING})
JAX = (math.Interface.JAX, math.Interface.JAX_JIT)

# transforms are called in several ways, which the types of PennyLane do not tell apart
_to_numpy: Any = convert_to_numpy_parameters
_transform: Any = transform


@simulator_tracking
@single_tape_support
class QsimDevice(Device):
    """A PennyLane device that runs on our simulator, or on any backend of ours.

    Values and gradients are exact without shots. With JAX everything is traced (`diff_method="backprop"`
    and "best"), so that jit, grad and vmap go through; the other interfaces get our gradients
    (`diff_method="adjoint"`, "device" and "best"). They are computed in double precision; with JAX, in what JAX is
    set to. Mid-circuit measurements are deferred to the end.

    Args:
        wires: how many, or their labels; None takes those of each circuit.
        shots: None is exact; a number, or a list of numbers.
        seed: of the samples; None draws one.
        on: where circuits run, as `execute(on=...)` takes it; hardware needs shots.

    Raises:
        QsimError: a backend that is not there.

    Example:
        >>> import pennylane as qml
        >>> from hardware.bridges.pennylane import QsimDevice
        >>> @qml.qnode(QsimDevice(wires=2))
        ... def circuit(t):
        ...     qml.RX(t, 0)
        ...     qml.CNOT([0, 1])
        ...     return qml.expval(qml.Z(1))
        >>> print(f"{circuit(0.5):.4f}")
        0.8776
    """

    name = "qsim.device"  # type: ignore[assignment]

    def __init__(self, wires: Any = None, shots: Any = None, seed: Any = None, on: Any = None):
        super().__init__(wires=wires, shots=shots)
        self.backend = find_backend(on)
        self._rng = np.random.default_rng(seed)

    @property
    def is_exact(self) -> bool:
        """True where the backend simulates, and so has results without shots."""
        return isinstance(self.backend, (LocalBackend, Reference))

    def setup_execution_config(
        self, config: ExecutionConfig | None = None, circuit: Tape | None = None
    ) -> ExecutionConfig:
        """The configuration with what was left open: how gradients are found, and mid-circuit measurements."""
        config = ExecutionConfig() if config is None else config
        method, mcm = config.gradient_method, cast(MCMConfig, config.mcm_config)
        if method in ("best", "device"):
            method = "backprop" if config.interface in JAX and method == "best" else "adjoint"
        if mcm.mcm_method not in (None, "deferred"):
            raise DeviceError(f"{self.name} has only mcm_method='deferred', but {mcm.mcm_method!r} was asked for.")
        ours = method in ("backprop", "adjoint")
        return replace(
            config,
            gradient_method=method,
            use_device_gradient=ours if config.use_device_gradient is None else config.use_device_gradient,
            use_device_jacobian_product=method == "adjoint" and config.use_device_jacobian_product is not False,
            grad_on_execution=False,
            convert_to_numpy=not (config.interface in JAX and method != "adjoint"),
            mcm_config=replace(mcm, mcm_method="deferred"),
        )

    def preprocess_transforms(self, execution_config: ExecutionConfig | None = None) -> CompilePipeline:
        """What PennyLane does to a circuit before it comes here."""
        config = self.setup_execution_config(execution_config)
        pipeline = CompilePipeline()
        pipeline.add_transform(defer_measurements, allow_postselect=False)
        pipeline.add_transform(
            decompose,
            stopping_condition=_is_known,
            device_wires=self.wires,
            target_gates=TARGET,
            skip_initial_state_prep=True,
            name=self.name,
        )
        pipeline.add_transform(validate_device_wires, wires=self.wires, name=self.name)
        pipeline.add_transform(
            validate_measurements,
            analytic_measurements=_is_exact_measurement,
            sample_measurements=_is_sample_measurement,
            name=self.name,
        )
        pipeline.add_transform(_sampled)
        pipeline.add_transform(broadcast_expand)
        if config.gradient_method in ("backprop", "adjoint"):
            pipeline.add_transform(no_sampling, name=f"{config.gradient_method} + {self.name}")
        return pipeline

    def supports_derivatives(
        self, execution_config: ExecutionConfig | None = None, circuit: Tape | None = None
    ) -> bool:
        """True for exact circuits: traced by JAX, or with our own gradients."""
        if execution_config is None:
            return True
        if circuit is not None and circuit.shots:
            return False
        if execution_config.gradient_method == "backprop":
            return execution_config.interface in JAX
        return execution_config.gradient_method in ("adjoint", "device", "best")

    def execute(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """The results of some tapes, in PennyLane's shapes."""
        return tuple(self._run(tape) for tape in circuits)

    def compute_derivatives(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """The Jacobians of some tapes with respect to their trainable parameters."""
        return tuple(self._differentiated(tape, _jacobian) for tape in circuits)

    def execute_and_compute_derivatives(self, circuits: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """Both `execute` and `compute_derivatives`."""
        return self.execute(circuits), self.compute_derivatives(circuits)

    def supports_vjp(self, execution_config: ExecutionConfig | None = None, circuit: Tape | None = None) -> bool:
        """As `supports_derivatives`."""
        return self.supports_derivatives(execution_config, circuit)

    def compute_vjp(self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None) -> Any:
        """For each tape its cotangents times the Jacobian: one number for each trainable parameter."""
        return tuple(
            self._differentiated(tape, lambda function, values, given=given: _vjp(function, values, given))
            for tape, given in zip(circuits, cotangents, strict=True)
        )

    def execute_and_compute_vjp(
        self, circuits: Any, cotangents: Any, execution_config: ExecutionConfig | None = None
    ) -> Any:
        """Both `execute` and `compute_vjp`."""
        return self.execute(circuits), self.compute_vjp(circuits, cotangents)

    def _run(self, tape: Any) -> Any:
        if any(math.get_interface(value) == "jax" for value in tape.get_parameters(trainable_only=False)):
            return self._results(tape)
        (tape,), _ = _to_numpy(tape)
        with _on_host():
            values = self._results(tape)
            return values if tape.shots else jax.tree.map(np.asarray, values)

    def _differentiated(self, tape: Any, derivative: Callable[..., Any]) -> Any:
        (tape,), _ = _to_numpy(tape)
        places = tape.trainable_params

        def results(values: Sequence[Any]) -> Any:
            return self._results(tape.bind_new_parameters(values, places))

        with _on_host():
            values = [jnp.asarray(value) for value in tape.get_parameters()]
            return jax.tree.map(np.asarray, derivative(results, values))

    def _results(self, tape: Any) -> Any:
        tape = tape.map_to_standard_wires() if self.wires is None else _numbered(tape, self.wires)
        size = len(tape.wires) if self.wires is None else len(self.wires)
        circuit, state = _circuit(tape, size)
        if tape.shots:
            return self._samples(tape, circuit, state, size)
        if not self.is_exact:
            raise DeviceError(f"Backend `{self.backend.name}` needs shots: use qml.set_shots(qnode, shots=1000).")
        wanted, finish = zip(*[_measurement(m, size) for m in tape.measurements], strict=True)
        found = execute(circuit, list(wanted), on=self.backend, initial_state=state, method=self._method())
        values = tuple(end(value) for end, value in zip(finish, found, strict=True))
        return values[0] if len(values) == 1 else values

    def _samples(self, tape: Any, circuit: Circuit, state: Any, size: int) -> Any:
        key = jax.random.key(int(self._rng.integers(1 << 31)))
        total = tape.shots.total_shots
        bits = execute(
            circuit, Samples(), on=self.backend, initial_state=state, method=self._method(), shots=total, key=key
        )
        bits, wires = np.asarray(bits, np.int64), Wires(range(size))
        found = []
        for lower, upper in tape.shots.bins():
            values = tuple(m.process_samples(bits[lower:upper], wires) for m in tape.measurements)
            found.append(values[0] if len(values) == 1 else values)
        return tuple(found) if tape.shots.has_partitioned_shots else found[0]

    def _method(self) -> Any:
        if not isinstance(self.backend, LocalBackend):
            return None
        return Statevector(jnp.zeros((), complex).dtype)


@contextmanager
def _on_host() -> Iterator[None]:
    """Compute in double precision, now, even while JAX traces what is around."""
    with jax.enable_x64(True), eval_context():
        yield


@_transform
def _sampled(tape: Any) -> Any:
    """With shots, measurements of samples in the Z basis alone; without, nothing."""
    if not tape.shots:
        return (tape,), lambda results: results[0]
    pipeline = CompilePipeline()
    pipeline.add_transform(split_non_commuting)
    pipeline.add_transform(diagonalize_measurements)
    pipeline.add_transform(
        decompose, stopping_condition=_is_known, target_gates=TARGET, skip_initial_state_prep=True, name="qsim.device"
    )
    pipeline.add_transform(measurements_from_samples)
    tapes, finish = pipeline([tape])
    return tapes, lambda results: finish(results)[0]


def _is_known(operation: Any) -> bool:
    """True for what `_circuit` takes as it is; everything else is decomposed."""
    if operation.name in TARGET:
        return True
    return operation.has_matrix and not operation.has_decomposition and not isinstance(operation, StatePrepBase)


def _is_exact_measurement(measurement: Any) -> bool:
    return isinstance(measurement, StateMeasurement)


def _is_sample_measurement(measurement: Any) -> bool:
    return isinstance(measurement, (SampleMeasurement, ClassicalShadowMP))


def _numbered(tape: Any, wires: Any) -> Tape:
    """The tape with the device's wires as numbers."""
    if not wires.contains_wires(tape.wires):
        raise WireError(f"The circuit has wires {tape.wires.tolist()}, but the device has {wires.tolist()}.")
    numbers = {wire: number for number, wire in enumerate(wires)}
    (tape,), _ = map_wires(tape, numbers)
    return tape


def _circuit(tape: Any, size: int) -> tuple[Circuit, Any]:
    """The operations of a tape, and the amplitudes that it starts in."""
    operations, state = tape.operations, None
    if operations and isinstance(operations[0], StatePrepBase):
        state = jnp.ravel(jnp.asarray(operations[0].state_vector(wire_order=range(size))))
        operations = operations[1:]
    return from_pennylane(Tape(operations), wires=range(size)), state


def _measurement(measurement: Any, size: int) -> tuple[Any, Callable[[Any], Any]]:
    """Our result for a measurement, and what makes PennyLane's value of its value."""
    if measurement.obs is not None and isinstance(measurement, (ExpectationMP, VarianceMP)):
        observable = _observable(measurement.obs)
        if observable is not None:
            kind = Expectation if isinstance(measurement, ExpectationMP) else Variance
            return kind(observable), lambda value: value
    if isinstance(measurement, ProbabilityMP) and measurement.obs is None:
        qubits = _qubits(measurement) or None
        return Probabilities(qubits), lambda value: value
    return State(), lambda amplitudes: measure(measurement, amplitudes.reshape((2,) * size))


def _observable(observable: Any) -> Any:
    """Ours, or None where there is none."""
    if isinstance(observable, ops.Hermitian):
        return Hermitian(observable.data[0], _qubits(observable))
    if not observable.pauli_rep:
        return None
    found = pauli_from_pennylane(observable)
    return found.replace(found.coefficients.real)


def _qubits(thing: Any) -> list[int]:
    return [int(wire) for wire in thing.wires]


def _jacobian(function: Callable[..., Any], values: Sequence[Any]) -> Any:
    """In PennyLane's nesting: results, then parameters; a single one of either is not in a tuple."""
    if not values:
        return ()
    found = jax.jacrev(function)(values)
    outputs = found if isinstance(found, tuple) else (found,)
    nested = tuple(rows[0] if len(values) == 1 else tuple(rows) for rows in outputs)
    return nested if isinstance(found, tuple) else nested[0]


def _vjp(function: Callable[..., Any], values: Sequence[Any], cotangents: Any) -> Any:
    if not values:
        return ()
    outputs, pull = jax.vjp(function, list(values))
    leaves, tree = jax.tree.flatten(outputs)
    given = jax.tree.leaves(cotangents)
    if len(given) != len(leaves):  # an array with one row for each result
        given = list(jnp.asarray(cotangents))
    exact = [jnp.asarray(c, leaf.dtype).reshape(leaf.shape) for c, leaf in zip(given, leaves, strict=True)]
    return tuple(pull(tree.unflatten(exact))[0])
