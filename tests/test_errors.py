"""Bad input: one clear error before anything is traced, naming what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, Parameter, ParameterVector, Target, X, Z, _errors, execute, explain, gates, qasm, submit
from qsim.backends import Backend, DoneJob, LocalBackend, find_transpiler
from qsim.gradients import SPSA, Adjoint, Backprop, FiniteDifference, ParameterShift
from qsim.methods import Statevector, Unitary
from qsim.results import Counts, Entropy, Expectation, Operator, Overlap, Probabilities, Samples, State
from qsim.testing import trace_count

T, V = Parameter("theta"), ParameterVector("v", (2, 3))
ONE = Circuit(1).rx(T, 0)
VECTOR = Circuit(3).ry(V[0], range(3))
KEY = jax.random.key(0)


class Device(Backend):
    """A device without a transpiler."""

    name, target, transpiler = "device", Target.line(3, ["rx", "cz"]), None

    def supports(self, result):
        return not isinstance(result, State)

    def run(self, request):
        return DoneJob(None)


def nested_qasm(depth: int) -> str:
    return "OPENQASM 2.0; qreg q[1]; U(" + "(" * depth + "1" + ")" * depth + ",0,0) q[0];"


Case = tuple[Callable[[], Any], type[Exception], str]
CASES: dict[str, Case] = {
    # ---- circuits
    "qubit out of range": (lambda: Circuit(2).h(2), _errors.CircuitError, r"h: qubit 2 is out of range.* 2 qubits"),
    "negative qubit": (lambda: Circuit(2).h(-1), _errors.CircuitError, r"qubit -1 is out of range"),
    "repeated qubit": (lambda: Circuit(2).cx(1, 1), _errors.CircuitError, r"cx.*different.*\(1, 1\)"),
    "repeated qubit, in a list": (lambda: Circuit(2, [gates.cx(0, 0)]), _errors.CircuitError, r"cx.*different"),
    "wrong number of parameters": (lambda: Circuit(1).rx(0), TypeError, r"qubit"),
    "NaN in a gate": (lambda: Circuit(1).rx(float("nan"), 0), _errors.CircuitError, r"rx.*finite.*nan"),
    "a complex angle": (lambda: Circuit(1).rx(jnp.array(1j), 0), _errors.CircuitError, r"rx.*real"),
    "non-unitary unitary": (
        lambda: Circuit(1).unitary(np.array([[1, 1], [0, 1]]), [0]),
        _errors.CircuitError,
        r"`matrix` must be unitary",
    ),
    "not a circuit": (lambda: execute("h 0"), _errors.CircuitError, r"`circuit` must be a Circuit, but is str"),
    # ---- parameters
    "unbound parameter": (lambda: execute(ONE), _errors.ParameterError, r"No value for parameter `theta`.*params="),
    "unknown parameter": (
        lambda: execute(ONE, params={"theta": 1.0, "phi": 2.0}),
        _errors.ParameterError,
        r"Unknown parameter `phi`.*theta",
    ),
    "wrong shape of a binding": (
        lambda: execute(VECTOR, params={"v": np.zeros((3, 2))}),
        _errors.ParameterError,
        r"`v` has shape \(2, 3\).*\(3, 2\)",
    ),
    "batches that do not fit": (
        lambda: execute(VECTOR + Circuit(3).rx(T, 0), params={"v": np.zeros((4, 2, 3)), "theta": np.zeros(5)}),
        _errors.ParameterError,
        r"batch axes.*`v` \(4,\), `theta` \(5,\)",
    ),
    "a batch that does not fit the initial state": (
        lambda: execute(ONE, params={"theta": np.zeros(5)}, initial_state=np.zeros((4, 2))),
        _errors.ParameterError,
        r"batch axes.*initial_state \(4,\)",
    ),
    "NaN in a binding": (lambda: execute(ONE, params={"theta": np.nan}), _errors.ParameterError, r"`theta`.*NaN"),
    "text in a binding": (
        lambda: execute(ONE, params={"theta": "1"}),
        _errors.ParameterError,
        r"`theta`.*real numbers",
    ),
    "a complex binding": (
        lambda: execute(ONE, params={"theta": jnp.array(1j)}),
        _errors.ParameterError,
        r"`theta`.*real numbers.*complex",
    ),
    "params is no mapping": (lambda: execute(ONE, params=[1.0]), _errors.ParameterError, r"`params` must map.*list"),
    "an open parameter in another circuit": (
        lambda: execute(Circuit(1), Overlap(ONE)),
        _errors.ParameterError,
        r"inside the results.*`theta`",
    ),
    # ---- results
    "sampling without a key": (lambda: execute(ONE.bind({T: 1.0}), Samples(), shots=9), _errors.ResultError, r"key="),
    "estimating without a key": (
        lambda: execute(Circuit(1), Expectation(Z(0)), shots=9),
        _errors.ResultError,
        r"key=jax.random.key",
    ),
    "a key that is none": (
        lambda: execute(Circuit(1), Counts(), shots=9, key=7),
        _errors.ResultError,
        r"`key` must be one JAX key, but is 7",
    ),
    "samples without shots": (lambda: execute(Circuit(1), Samples(), key=KEY), _errors.ResultError, r"shots"),
    "no shots": (lambda: execute(Circuit(1), Counts(), shots=0, key=KEY), _errors.ResultError, r"`shots`.*at least 1"),
    "a state from shots": (lambda: execute(Circuit(1), shots=9, key=KEY), _errors.ResultError, r"State is exact"),
    "a qubit that is not there": (lambda: execute(Circuit(1), Probabilities([1])), _errors.ResultError, r"qubit 1"),
    "an observable that is too wide": (
        lambda: execute(Circuit(1), Expectation(Z(0) @ X(3))),
        _errors.QsimError,
        r"qubit 3|4 qubits|qubits",
    ),
    "no result": (lambda: execute(Circuit(1), []), _errors.ResultError, r"at least one result"),
    "a result that is none": (lambda: execute(Circuit(1), [Z(0)]), _errors.ResultError, r"must be a result"),
    "results of two methods": (
        lambda: execute(Circuit(1), [State(), Operator()]),
        _errors.ResultError,
        r"Operator needs the matrix of the circuit and State its state.*two calls",
    ),
    "a result the method cannot give": (
        lambda: execute(Circuit(1), Operator(), method=Statevector()),
        _errors.ResultError,
        r"Statevector cannot give Operator.*method=Unitary\(\)",
    ),
    "another one": (
        lambda: execute(Circuit(1), State(), method=Unitary()),
        _errors.ResultError,
        r"Unitary cannot give State.*Statevector",
    ),
    # ---- methods and gradients
    "complex128 without x64": (lambda: Statevector("complex128"), _errors.MethodError, r"jax_enable_x64"),
    "another dtype": (lambda: Statevector("float32"), _errors.MethodError, r"complex64 or complex128"),
    "a method by name": (
        lambda: execute(Circuit(1), method="statevector"),
        _errors.MethodError,
        r"such as Statevector",
    ),
    "a gradient by name": (lambda: execute(Circuit(1), gradient="adjoint"), _errors.MethodError, r"such as Adjoint"),
    "adjoint with shots": (
        lambda: execute(Circuit(1), Expectation(Z(0)), shots=9, key=KEY, gradient=Adjoint()),
        _errors.MethodError,
        r"Adjoint\(\).*shots.*ParameterShift",
    ),
    "backprop on a host": (
        lambda: execute(Circuit(1), Expectation(Z(0)), on="numpy", gradient=Backprop()),
        _errors.MethodError,
        r"`numpy` is not traced.*Backprop.*ParameterShift",
    ),
    "SPSA without a key": (
        lambda: execute(ONE, Expectation(Z(0)), {"theta": 1.0}, gradient=SPSA()),
        _errors.MethodError,
        r"SPSA\(\) draws.*key=jax.random.key",
    ),
    "SPSA of nothing": (lambda: SPSA(samples=0), _errors.MethodError, r"`samples`.*positive"),
    "a step of zero": (lambda: FiniteDifference(step=0), _errors.MethodError, r"`step`.*positive"),
    "an entropy by parameter shift on a host": (
        lambda: jax.grad(lambda t: execute(ONE, Entropy([0], alpha=0.5), {"theta": t}, on="numpy"))(0.1),
        _errors.MethodError,
        r"ParameterShift\(\) cannot differentiate Entropy.*FiniteDifference",
    ),
    "a Hamiltonian trained on a host": (
        lambda: jax.grad(lambda c: execute(Circuit(1), Expectation(c * Z(0)), on="numpy"))(0.1),
        _errors.MethodError,
        r"`numpy`.*not of arrays inside results",
    ),
    "a state larger than memory": (
        lambda: execute(Circuit(40).h(range(40)), Expectation(Z(0))),
        _errors.MemoryLimitError,
        r"40 qubits in complex64 takes 8 TiB.*memory",
    ),
    "the same on the reference": (
        lambda: execute(Circuit(40).h(range(40)), Expectation(Z(0)), on="numpy"),
        _errors.MemoryLimitError,
        r"40 qubits in complex128 takes 16 TiB",
    ),
    "a matrix larger than memory": (
        lambda: execute(Circuit(20), Operator()),
        _errors.MemoryLimitError,
        r"matrix of 20 qubits.*8 TiB",
    ),
    "a gate after a measurement": (
        lambda: execute(Circuit(1, num_clbits=1).measure(0, 0).h(0)),
        _errors.MethodError,
        r"h on qubit 0.*after its measurement",
    ),
    # ---- initial states
    "an initial state that does not fit": (
        lambda: execute(Circuit(2), initial_state=np.ones(3)),
        _errors.CircuitError,
        r"`initial_state` must have shape \(..., 4\).*\(3,\)",
    ),
    "a bit string that does not fit": (
        lambda: execute(Circuit(2), initial_state="012"),
        _errors.CircuitError,
        r"2 characters of 0 and 1.*'012'",
    ),
    "NaN in an initial state": (
        lambda: execute(Circuit(1), initial_state=[np.nan, 1]),
        _errors.CircuitError,
        r"`initial_state` holds NaN",
    ),
    # ---- backends and targets
    "an unknown backend": (
        lambda: execute(Circuit(1), on="cpuu"),
        _errors.BackendError,
        r"'cpuu'.*'numpy'.*mean 'cpu'",
    ),
    "an unknown vendor": (lambda: execute(Circuit(1), on="acme@mars"), _errors.BackendError, r"'acme@mars'.*There are"),
    "a backend of another kind": (lambda: execute(Circuit(1), on=3), _errors.BackendError, r"`on` must be"),
    "a device that is not there": (lambda: execute(Circuit(1), on="tpu"), _errors.BackendError, r"`tpu` is not there"),
    "a device number too high": (lambda: execute(Circuit(1), on="cpu@99"), _errors.BackendError, r"`cpu@99`"),
    "a device that is no number": (lambda: execute(Circuit(1), on="cpu@x"), _errors.BackendError, r"must be a number"),
    "an unknown transpiler": (
        lambda: find_transpiler("no-such-transpiler"),
        _errors.TargetError,
        r"Unknown transpiler 'no-such-transpiler'.*There are",
    ),
    "a circuit the target cannot run": (
        lambda: execute(Circuit(3).cz(0, 2), Expectation(Z(0)), on=Device()),
        _errors.TargetError,
        r"`device` cannot run.*no transpiler.*cz on qubits \(0, 2\).*transpiler=",
    ),
    "a gate the target does not have": (
        lambda: execute(Circuit(3).h(1), Expectation(Z(0)), on=Device()),
        _errors.TargetError,
        r"h on qubits \(1,\)",
    ),
    "a transpiler that gives no circuit": (
        lambda: execute(Circuit(3).h(1), Expectation(Z(0)), on=Device(), transpiler=lambda circuit, target: None),
        _errors.TargetError,
        r"returned NoneType",
    ),
    "too many qubits": (
        lambda: execute(Circuit(4), Expectation(Z(0)), on=Device()),
        _errors.TargetError,
        r"4 qubits.*`device` has 3",
    ),
    "places that are not there": (
        lambda: execute(Circuit(1), Expectation(Z(0)), on=Device(), qubits=[5]),
        _errors.TargetError,
        r"`qubits` names qubit 5",
    ),
    "too few places": (
        lambda: execute(Circuit(2), Expectation(Z(0)), on=Device(), qubits=[1]),
        _errors.TargetError,
        r"`qubits`.*2 qubits",
    ),
    "padding by name": (
        lambda: execute(Circuit(1), Expectation(Z(0)), on=Device(), padding="before"),
        _errors.TargetError,
        r"Padding.BEFORE",
    ),
    "a result the backend cannot give": (
        lambda: submit(Circuit(1), State(), on=Device()),
        _errors.ResultError,
        r"`device` cannot give State",
    ),
    # ---- OpenQASM
    "a QASM file of 10^9 qubits": (
        lambda: qasm.loads("OPENQASM 2.0; qreg q[1000000000];"),
        _errors.QasmError,
        r"line 1, column \d+.*qubits",
    ),
    # ---- what clumsy hands do
    "a state of 10^4 qubits": (
        lambda: execute(Circuit(10_000).h(0), Expectation(Z(0))),
        _errors.MemoryLimitError,
        r"10000 qubits.*2\^10003 B",
    ),
    "a matrix of 25 qubits, and what would fit": (
        lambda: execute(Circuit(25).h(range(25)), Operator()),
        _errors.MemoryLimitError,
        r"matrix of 25 qubits.*About 1\d qubits",
    ),
    "a batch larger than memory": (
        lambda: execute(Circuit(20).rx(T, range(20)), State(), {"theta": np.zeros(10**7)}),
        _errors.MemoryLimitError,
        r"The results of a batch of 10000000 runs of 20 qubits",
    ),
    "more shots than a count holds": (
        lambda: execute(Circuit(1), Expectation(Z(0)), shots=10**12, key=KEY),
        _errors.ResultError,
        r"`shots` must be at most 2147483647",
    ),
    "more shots than a count holds, of one result": (
        lambda: Samples(shots=10**30),
        _errors.ResultError,
        r"`shots` must be at most 2147483647",
    ),
    "more bits than memory": (
        lambda: execute(Circuit(10**4), Samples(), shots=2**31 - 1, key=KEY),
        _errors.MemoryLimitError,
        r"2147483647 shots.*TiB",
    ),
    "a raw key of another kind": (
        lambda: execute(Circuit(1), Samples(), shots=1, key=np.zeros(5, np.uint32)),
        _errors.ResultError,
        r"`key` must be one JAX key",
    ),
    "a transpiler that is none": (
        lambda: execute(Circuit(1), transpiler=3),
        _errors.TargetError,
        r"`transpiler`.*is 3",
    ),
    "a ragged initial state": (
        lambda: execute(Circuit(1), initial_state=[[1, 0], [1]]),
        _errors.CircuitError,
        r"`initial_state`.*ragged",
    ),
    "an initial state for a matrix": (
        lambda: execute(Circuit(1), Operator(), initial_state="1"),
        _errors.MethodError,
        r"`initial_state` has no meaning for Operator",
    ),
    "a list of JAX values and text": (
        lambda: execute(ONE, State(), {"theta": [jnp.ones(()), "x"]}),
        _errors.ParameterError,
        r"a list of JAX values and others",
    ),
    "explaining with a list": (lambda: explain(ONE, State(), [1.0]), _errors.ParameterError, r"`params` must map"),
    "an overlap with NaN": (lambda: Overlap(np.full(2, np.nan)), _errors.ResultError, r"`other` must be finite"),
    "an overlap with a circuit that measures first": (
        lambda: execute(Circuit(1), Overlap(Circuit(1, num_clbits=1).measure(0, 0).x(0))),
        _errors.MethodError,
        r"x on qubit 0.*after its measurement",
    ),
    "nested 10^5 deep": (lambda: qasm.loads(nested_qasm(10**5)), _errors.QasmError, r"line 1, column \d+.*deep|nest"),
}


@pytest.mark.parametrize("name", CASES)
def test_one_clear_error_before_tracing(name):
    function, error, message = CASES[name]
    before = trace_count()
    with pytest.raises(error, match=message):
        function()
    assert trace_count() == before


def test_a_refused_gate_leaves_the_circuit_as_it_was():
    c = Circuit(2).h(0)
    for bad in (lambda: c.h([0, 1, 2]), lambda: c.cx([0, 1], [1, 1]), lambda: c.rx(np.array([0.1, np.nan]), [0, 1])):
        with pytest.raises(_errors.CircuitError):
            bad()
        assert c == Circuit(2).h(0)


def test_every_error_is_a_qsim_error():
    tree = [e for e in vars(_errors).values() if isinstance(e, type) and issubclass(e, Exception)]
    assert all(issubclass(e, _errors.QsimError) for e in tree)


def test_unused_key_is_no_error():
    assert execute(Circuit(1), Expectation(Z(0)), key=KEY, on=LocalBackend()) == 1


@pytest.mark.parametrize("rule", [ParameterShift(), FiniteDifference()])
def test_a_third_party_gate_without_spectra(rule):
    class Root:
        name, num_qubits, num_clbits, num_params, key = "root", 1, 0, 1, "root"

        def __init__(self, params):
            self.params = tuple(params)

        def replace(self, params, arrays=()):
            return Root(params)

        def matrix(self, xp):
            a = xp.asarray(self.params[0])
            return xp.stack([xp.stack([xp.cos(a), -xp.sin(a)]), xp.stack([xp.sin(a), xp.cos(a)])]) + 0j

    c = Circuit(1).append(Root([T]), 0)
    energy = lambda t, on: execute(c, Expectation(Z(0)), {"theta": t}, gradient=rule, on=on)  # noqa: E731
    for on in (None, "numpy"):
        if isinstance(rule, ParameterShift):
            with pytest.raises(_errors.MethodError, match="no shift rule for angle 0"):
                jax.grad(energy)(0.3, on)
        else:
            assert jax.grad(energy)(0.3, on) == pytest.approx(-2 * np.sin(0.6), abs=1e-3)


def test_the_exceptions_can_be_imported_by_name():
    from qsim import errors
    from qsim.errors import CircuitError

    assert CircuitError is _errors.CircuitError
    tree = {n for n, e in vars(_errors).items() if isinstance(e, type) and issubclass(e, _errors.QsimError)}
    assert set(errors.__all__) == tree
