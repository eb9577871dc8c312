"""What a warm call does not do: go through the gates, check or compile again. And what must not go stale."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from circuits import unstructured

from qsim import Circuit, ParameterVector, X, Z, execute
from qsim._errors import CircuitError, ParameterError, ResultError
from qsim._recent import Recent
from qsim.backends import local
from qsim.backends.placement import is_staged
from qsim.backends.recall import MAX_REQUESTS, known_requests
from qsim.gradients import Backprop
from qsim.ir.derived import derived
from qsim.ir.layout import pad
from qsim.ir.operation import Reset
from qsim.methods import Statevector
from qsim.results import DiagonalObservable, Expectation, Fidelity, Hermitian, Map, Probabilities, Samples
from qsim.results.base import Result, pytree
from qsim.testing import trace_count

THETA = ParameterVector("theta", 4)
POINT = np.linspace(0.1, 0.4, 4)
H = Z(0) @ Z(1) + 0.5 * X(0)
ENERGY = Expectation(H)


class Counted:
    """A rotation about y that counts how often somebody looks at it."""

    name, num_qubits, num_clbits, num_params, key, arrays, spectra = "counted", 1, 0, 1, "counted", (), ((-0.5, 0.5),)
    looks = 0

    def __init__(self, angle):
        self.angle = angle

    @property
    def params(self):
        Counted.looks += 1
        return (self.angle,)

    def replace(self, params, arrays=()):
        return Counted(*params)

    def matrix(self, xp):
        c, s = xp.cos(self.angle / 2), xp.sin(self.angle / 2)
        return xp.stack([xp.stack([c, -s]), xp.stack([s, c])])


def long(gates: int) -> Circuit:
    circuit = Circuit(2)
    for i in range(gates // 2):
        circuit.ry(THETA[i % 4], i % 2).cx(i % 2, 1 - i % 2)
    return circuit


def calls(function) -> int:
    """How many Python functions one call of `function` calls."""
    count = 0

    def see(frame, event, argument):
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shots", [None, 10])
def test_a_warm_call_looks_at_no_gate(shots):
    circuit = pad(Circuit(2).append(Counted(THETA[0]), 0).append(Counted(0.3), 1).cx(0, 1), 4, [3, 1])

    def run():
        return execute(circuit, Probabilities([0]), {"theta": POINT}, shots=shots, key=jax.random.key(0))

    first = run()
    Counted.looks = 0
    np.testing.assert_array_equal(run(), first)
    assert Counted.looks == 0


def test_a_warm_call_of_a_thousand_gates_is_that_of_ten():
    counts = []
    for circuit in (long(10), long(1000)):
        execute(circuit, ENERGY, {"theta": POINT})
        counts.append(calls(lambda circuit=circuit: execute(circuit, ENERGY, {"theta": POINT})))
    assert counts[0] == counts[1] < 70


def test_new_values_equal_circuits_and_other_kinds_of_arrays_do_not_trace_again():
    execute(long(10), ENERGY, {"theta": POINT})
    before = trace_count()
    kinds = [POINT.astype(dtype) for dtype in (np.float32, np.float16, np.longdouble, ">f8", ">f4", int)]
    for point in (POINT + 1, POINT.tolist(), jnp.asarray(POINT), *kinds):
        execute(long(10), ENERGY, {"theta": point})
        execute(long(10), Expectation(Z(0) @ Z(1) + 0.7 * X(0)), {"theta": point})
    assert trace_count() == before


def test_a_circuit_that_grew_is_run_as_it_is():
    circuit = Circuit(1).rx(0.3, 0)
    assert execute(circuit, Expectation(Z(0))) == pytest.approx(np.cos(0.3), abs=1e-6)
    circuit.rx(0.5, 0)
    assert execute(circuit, Expectation(Z(0))) == pytest.approx(np.cos(0.8), abs=1e-6)
    circuit.rx(THETA[0], 0)
    with pytest.raises(ParameterError, match="No value for parameter `theta`"):
        execute(circuit, Expectation(Z(0)))
    assert circuit.numbers().tolist() == [0.3, 0.5] and len(circuit.parameter_shapes()) == 1
    measured = Circuit(2, num_clbits=1).x(1)
    bits = [execute(measured, Samples(), shots=1, key=jax.random.key(0)).shape]
    bits.append(execute(measured.measure(1, 0), Samples(), shots=1, key=jax.random.key(0)).shape)
    assert bits == [(1, 2), (1, 1)]


def test_what_is_given_out_can_be_changed():
    circuit = Circuit(1).rx(0.3, 0).ry(THETA[0], 0)
    circuit.numbers()[:] = 0
    circuit.parameter_shapes().clear()
    circuit.values().append(1)
    assert circuit.numbers().tolist() == [0.3] and circuit.parameter_shapes() == {"theta": (4,)}
    assert circuit.values() == []
    point = POINT.copy()
    value = execute(circuit, Expectation(Z(0)), {"theta": point})
    point[:] = 0
    assert value == execute(circuit, Expectation(Z(0)), {"theta": POINT})


def test_results_that_changed_are_checked_again():
    other, wanted = Circuit(1), [Probabilities([0])]
    assert execute(Circuit(1).x(0), Fidelity(other)) == pytest.approx(0, abs=1e-6)
    assert execute(Circuit(1).x(0), Fidelity(other.x(0))) == pytest.approx(1, abs=1e-6)
    with pytest.raises(ParameterError, match="open parameter"):
        execute(Circuit(1).x(0), Fidelity(other.rx(THETA[0], 0)))
    execute(Circuit(1), wanted)
    wanted.append(Probabilities([1]))
    for _ in range(2):
        with pytest.raises(ResultError, match="qubit 1 is out of range"):
            execute(Circuit(1), wanted)


def test_a_call_that_was_checked_is_known_again():
    circuit = long(10)
    for _ in range(3):
        execute(circuit, Expectation(H), {"theta": POINT})  # another result about the same observable
    assert len(known_requests(circuit)) == 1
    assert execute(circuit, ENERGY, {"theta": POINT}) == execute(long(10), ENERGY, {"theta": POINT})
    bare = len(known_requests(circuit))
    execute(circuit, ENERGY, {"theta": np.stack([POINT] * 3)})  # other shapes
    execute(circuit, ENERGY, {"theta": POINT}, gradient=Backprop())
    execute(circuit, ENERGY, {"theta": POINT}, method=Statevector())
    assert len(known_requests(circuit)) == bare + 3
    for number in range(20):
        execute(circuit, Expectation(number * Z(0)), {"theta": POINT})
    assert len(known_requests(circuit)) <= MAX_REQUESTS
    assert not known_requests(circuit.h(0))


@pytest.mark.parametrize("on", [None, "numpy"])
def test_what_differs_in_more_than_values_is_not_taken_for_known(on):
    circuit = Circuit(2).ry(THETA[0], 0).cx(0, 1)
    theta = {"theta": POINT}
    assert execute(circuit, Expectation(Z(1)), theta, on=on) == pytest.approx(np.cos(0.1), abs=1e-6)
    given = execute(circuit, Expectation(Z(1)), theta, on=on, initial_state="01")
    assert given == pytest.approx(-np.cos(0.1), abs=1e-6)
    assert execute(circuit, Expectation(Z(0)), theta, on=on) == pytest.approx(np.cos(0.1), abs=1e-6)
    assert execute(circuit, Expectation(2 * Z(1)), theta, on=on) == pytest.approx(2 * np.cos(0.1), abs=1e-6)
    value = execute(circuit, Expectation(Z(1)), theta, on=on, shots=50, key=jax.random.key(0))
    assert abs(float(value) * 25 - round(float(value) * 25)) < 1e-4
    with pytest.raises(ResultError, match="Sampling needs a key"):
        execute(circuit, Expectation(Z(1)), theta, on=on, shots=50)
    with pytest.raises(ParameterError, match="holds NaN"):
        execute(circuit, Expectation(Z(1)), {"theta": POINT * np.nan}, on=on)
    with pytest.raises(ParameterError, match="holds an infinite number"):
        execute(circuit, Expectation(Z(1)), {"theta": np.full(2000 * 4, np.inf).reshape(-1, 4)}, on=on)


def test_only_what_cannot_change_is_known_again():
    circuit, theta = Circuit(2).ry(THETA[0], 0), {"theta": POINT}
    matrix = np.diag([1.0, -1.0])
    energy = Expectation(Hermitian(matrix, [0]))
    values = [execute(circuit, energy, theta)]
    energy.observable.matrix.setflags(write=True)
    energy.observable.matrix[:] *= 2
    values.append(execute(circuit, energy, theta))
    assert values[1] == pytest.approx(2 * np.cos(0.1), abs=1e-6) and values[0] == pytest.approx(np.cos(0.1), abs=1e-6)
    before = len(known_requests(circuit))
    execute(circuit, [ENERGY], theta)
    execute(circuit, Map(lambda a: 2 * a, ENERGY), theta)
    execute(circuit, Fidelity(Circuit(2)), theta)
    jax.jit(lambda c: execute(circuit, Expectation(c * Z(0)), theta))(2.0)
    execute(Circuit(17), Expectation(DiagonalObservable(np.zeros(1 << 17), range(17))))
    assert len(known_requests(circuit)) == before == 1


@pytest.mark.parametrize("slots", [False, True])
def test_results_of_users_are_known_by_all_their_fields(slots):
    @pytree("scale")
    @dataclass(frozen=True, eq=False, slots=slots)
    class Scaled(Result):
        scale: float
        power: int = 1
        needs = frozenset()
        differentiable = True

        def check(self, context):
            pass

        def evaluate(self, state, context):
            return jnp.asarray(self.scale) ** self.power

    circuit = Circuit(1).x(0)
    for _ in range(2):
        found = [float(execute(circuit, Scaled(scale, power))) for scale in (1.0, 2.0, 3.0) for power in (1, 2)]
        assert found == [1, 1, 2, 4, 3, 9]


def test_known_requests_do_not_keep_their_circuit_alive():
    circuit = Circuit(2).ry(THETA[0], 0)
    held = sys.getrefcount(circuit)
    for _ in range(2):
        execute(circuit, ENERGY, {"theta": POINT})
    assert known_requests(circuit) and sys.getrefcount(circuit) == held


def test_where_nothing_is_traced_is_known_in_every_transformation_and_thread():
    seen = []

    def look(x):
        seen.append(is_staged())
        return jnp.sum(x**2)

    def asked(function, x):
        seen.clear()
        function(x)
        return list(seen)

    def eagerly(x):
        with jax.ensure_compile_time_eval():
            return look(jnp.ones(2))

    x, found = jnp.ones(2), []
    for function in (look, lambda x: jax.grad(look)(x), lambda x: jax.vmap(look)(x)):
        assert asked(function, x) == [False]
        assert asked(jax.jit(function), x) == [True]
        assert asked(function, x) == [False]
    assert asked(jax.jit(eagerly), x) == [False]
    worker = threading.Thread(target=lambda: found.extend([*asked(look, x), *asked(jax.jit(lambda y: look(y)), x)]))
    worker.start()
    worker.join()
    assert found == [False, True] and asked(look, x) == [False]


def test_small_tables_are_constants_and_large_ones_are_arguments(monkeypatch):
    programs, program_of = [], local.compile_local
    keep = lambda *given, **named: programs.append(program_of(*given, **named)) or programs[-1]  # noqa: E731
    monkeypatch.setattr(local, "compile_local", keep)
    for circuit, arguments in ((long(10), False), (unstructured(6, 100), True)):
        theta = {"theta": np.linspace(0, 1, *circuit.parameter_shapes()["theta"])}
        execute(circuit, ENERGY, theta)
        assert bool(programs[-1].host[0]) == arguments
        np.testing.assert_allclose(
            execute(circuit, ENERGY, theta), execute(circuit, ENERGY, theta, on="numpy"), atol=1e-5
        )


def test_refusals_are_repeated():
    circuit = Circuit(1)
    execute(circuit)
    circuit.append(Reset(), 0)
    for _ in range(2):
        with pytest.raises(ValueError, match="reset on qubits"):
            execute(circuit)
    with pytest.raises(CircuitError, match="must have shape"):
        execute(Circuit(1), initial_state=np.ones(3))


def test_precision_follows_a_switch():
    circuit = long(10).rz(0.25, 0)
    f = jax.jit(lambda t: execute(circuit, ENERGY, {"theta": t}))
    for double in (False, True, False):
        with jax.enable_x64(double):
            method = Statevector(np.complex128 if double else np.complex64)
            value = execute(circuit, ENERGY, {"theta": POINT}, method=method)
            assert value.dtype == (np.float64 if double else np.float32)
            np.testing.assert_allclose(f(POINT), value, atol=1e-6)
            np.testing.assert_allclose(execute(circuit, ENERGY, {"theta": POINT}, on="cpu"), value, atol=1e-6)


@pytest.mark.parametrize("transform", [jax.grad, jax.vmap, jax.jit])
def test_a_first_call_under_a_transformation_leaves_no_tracers(transform):
    circuit = Circuit(1).ry(THETA[0], 0)
    circuit.h([0] * len(transform.__name__))  # a structure of its own, so that nothing is compiled yet

    def energy(theta):
        return execute(circuit, Expectation(Z(0)), {"theta": theta})

    transform(energy)(jnp.asarray([POINT] * 2 if transform is jax.vmap else POINT, jnp.float32))
    assert np.isfinite(energy(POINT))


def test_facts_are_found_once_and_without_keeping_the_circuit_alive():
    asked = []

    @derived
    def itself(circuit):
        asked.append(len(circuit))
        return circuit

    circuit = Circuit(1)
    assert itself(circuit) is circuit and itself(circuit) is circuit and asked == [0]
    assert itself(circuit.h(0)) is circuit and asked == [0, 1]
    assert itself(circuit.copy()) is not circuit and asked == [0, 1, 1]
    held = sys.getrefcount(circuit)
    itself(circuit)
    assert sys.getrefcount(circuit) == held


def test_threads_that_append_and_ask_see_what_they_appended():
    shared, gate, wrong = Circuit(1), threading.Barrier(8), []

    def work():
        gate.wait()
        for _ in range(200):
            size = len(shared.rx(0.5, 0))
            if shared.numbers().size < size:
                wrong.append(size)

    workers = [threading.Thread(target=work) for _ in range(8)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    assert not wrong and shared.numbers().size == 1600


def test_tables_forget_what_was_used_longest_ago():
    made, table = [], Recent(2)
    get = lambda key: table.get(key, lambda: made.append(key) or key)  # noqa: E731
    assert [get(k) for k in "abacab"] == list("abacab")
    assert made == ["a", "b", "c", "b"]
    with pytest.raises(ZeroDivisionError):
        table.get("d", lambda: 1 // 0)
    assert len(table) == 2
