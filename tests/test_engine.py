"""The engine against an independent simulator: states, gradients, and proof that the claimed path ran."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from circuits import layered, random_circuit, random_operation, unstructured
from oracle import statevector

import qsim
from qsim import Circuit, I, Parameter, ParameterVector, X, Y, Z, execute
from qsim._compile import plan_of
from qsim.gradients import Adjoint, Backprop
from qsim.library import transverse_field_ising
from qsim.methods import Statevector, Unitary
from qsim.results import Expectation, Operator, State
from qsim.testing import trace_count

DOUBLE = "complex128"


def check_state(circuit: Circuit, tolerance: float = 1e-10) -> None:
    got = execute(circuit, method=Statevector(DOUBLE))
    np.testing.assert_allclose(got, statevector(circuit), atol=tolerance, rtol=0)


@pytest.mark.parametrize("n", range(8))
def test_random_circuits_of_the_gate_table(n, x64):
    check_state(random_circuit(n, 12, seed=n))
    check_state(random_circuit(n, 90, seed=100 + n))


@pytest.mark.parametrize("n", range(1, 7))
def test_random_circuits_with_high_level_operations(n, x64):
    check_state(random_circuit(n, 14, seed=n, high_level=0.5))


@pytest.mark.parametrize("seed", range(12))
def test_each_high_level_operation_alone_on_six_qubits(seed, x64):
    rng = np.random.default_rng(seed)
    operation = random_operation(rng, 6)
    circuit = Circuit(6).h(range(6)).t(range(6)).rx(0.3, range(6))
    check_state(circuit.append(operation, rng.permutation(6)[: operation.num_qubits].tolist()))


@pytest.mark.parametrize("n", [5, 6, 8, 9, 10, 11])
def test_layers_rolled(n, x64):
    circuit = layered(n, 6)
    theta = np.random.default_rng(n).uniform(0, 6, (6, 2, n))
    got = execute(circuit, State(), {"theta": theta}, method=Statevector(DOUBLE))
    np.testing.assert_allclose(got, statevector(circuit.bind({"theta": theta})), atol=1e-12)


def test_cx_ladders_and_crossing_signs_rolled(x64):
    body = Circuit(9).rx(0.3, range(9)).cx(range(8), range(1, 9)).cz(8, 0).cz(3, 7).cx(6, 2).ry(0.4, range(9))
    check_state(body.repeat(5))
    check_state(Circuit(9).h(range(9)) + body.repeat(3) + Circuit(9).s(range(9)).ccx(0, 4, 8))


def test_single_precision_is_near(rtol=2e-6):
    circuit = random_circuit(7, 200, seed=1)
    np.testing.assert_allclose(execute(circuit), statevector(circuit), atol=rtol)
    assert execute(circuit).dtype == jnp.complex64


def test_the_unitary_is_the_product(x64):
    circuit = random_circuit(4, 30, seed=3)
    matrix = execute(circuit, Operator(), method=Unitary(DOUBLE))
    columns = [statevector(circuit, np.eye(16)[j]) for j in range(16)]
    np.testing.assert_allclose(matrix, np.stack(columns, axis=1), atol=1e-12)


def test_initial_states_and_their_gradients(x64):
    circuit = random_circuit(4, 30, seed=4)
    rng = np.random.default_rng(0)
    psi = rng.normal(size=16) + 1j * rng.normal(size=16)
    psi /= np.linalg.norm(psi)
    run = lambda p: execute(circuit, Expectation(Z(1)), initial_state=p, method=Statevector(DOUBLE))  # noqa: E731
    np.testing.assert_allclose(
        execute(circuit, initial_state=psi, method=Statevector(DOUBLE)), statevector(circuit, psi), atol=1e-12
    )
    step = 1e-6 * (rng.normal(size=16) + 1j * rng.normal(size=16))
    slope = jax.grad(run)(jnp.asarray(psi))
    np.testing.assert_allclose(np.sum(slope * step).real, (run(psi + step) - run(psi - step)) / 2, rtol=1e-6)
    np.testing.assert_allclose(
        execute(circuit, initial_state="0110", method=Statevector(DOUBLE)),
        statevector(circuit, np.eye(16)[6]),
        atol=1e-12,
    )


EVOLUTION = 0.7 * X(0) @ Z(1) @ X(2) @ Z(5) + 0.4 * Z(0) @ Z(3) @ qsim.Y(4)


def ansatz(kind: str) -> tuple[Circuit, tuple[int, ...]]:
    theta = ParameterVector("theta", 18)
    if kind == "rolled":
        c = Circuit(6)
        for layer in range(6):
            c.ry(theta[3 * layer], range(6)).cx(range(5), range(1, 6)).rz(theta[3 * layer + 1], range(0, 6, 2))
            c.rzz(theta[3 * layer + 2], 0, 1)
        return c, (18,)
    if kind == "tape":
        return unstructured(6, 60, seed=3), (60,)
    if kind == "small":
        return Circuit(3).ry(theta[0], 0).cx(0, 1).u(theta[1], theta[2] * 2, theta[3] + theta[4], 2).cp(
            theta[5], 1, 2
        ), (18,)
    c = Circuit(6).h(range(6))
    c.pauli_evolution(EVOLUTION, theta[0]).mcp(theta[1], [0, 1, 2, 3, 4], 5).ry(theta[2], range(6))
    c.append(qsim.ops.controlled(qsim.gates.gate("rx", theta[3]), 5, "01101"), range(6))
    return c.pauli_evolution(EVOLUTION, 0.5 * theta[4], order=2, steps=2).qft(range(6)), (18,)


@pytest.mark.parametrize("kind", ["rolled", "tape", "small", "flips"])
def test_adjoint_is_backprop_is_finite_differences(kind, x64):
    circuit, shape = ansatz(kind)
    observable = Z(0) @ X(1) + 0.3 * Z(2) + 0.2 * X(0) @ X(2)
    theta = jnp.asarray(np.random.default_rng(5).uniform(-2, 2, shape))

    def energy(t, rule):
        return execute(circuit, Expectation(observable), {"theta": t}, method=Statevector(DOUBLE), gradient=rule)

    slopes = [jax.grad(energy)(theta, rule) for rule in (Adjoint(), Backprop())]
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-10)
    direction = np.random.default_rng(6).normal(size=shape)
    step = 1e-5
    found = (energy(theta + step * direction, Adjoint()) - energy(theta - step * direction, Adjoint())) / (2 * step)
    np.testing.assert_allclose(jnp.sum(slopes[0] * direction), found, atol=1e-8)


@pytest.mark.slow
def test_second_derivatives_agree(x64):
    circuit, _ = ansatz("small")

    def energy(t, rule):
        values = jnp.zeros(18).at[:6].set(t)
        return execute(circuit, Expectation(Z(2) + X(1)), {"theta": values}, method=Statevector(DOUBLE), gradient=rule)

    t = jnp.asarray(np.random.default_rng(1).uniform(-1, 1, 6))
    want = jax.hessian(energy)(t, Backprop())
    np.testing.assert_allclose(jax.hessian(energy)(t, Adjoint()), want, atol=1e-10)
    np.testing.assert_allclose(jax.jacrev(jax.grad(energy))(t, Adjoint()), want, atol=1e-10)


def test_hermitian_functions_of_traced_matrices_and_coefficients(x64):
    def value(t):
        matrix = jnp.asarray([[jnp.cos(t), -jnp.sin(t)], [jnp.sin(t), jnp.cos(t)]]) + 0j
        evolution = qsim.PauliSum.from_list([("XZXZX", 1.0), ("ZZIII", 1.0)]).replace(jnp.stack([t, 2 * t]))
        c = (
            Circuit(5)
            .h(range(5))
            .unitary(matrix, [2])
            .pauli_evolution(evolution, 0.3)
            .diagonal(jnp.exp(1j * t * jnp.arange(4)), [0, 1])
        )
        return execute(c, Expectation(X(0) + Z(2) + X(4)), method=Statevector(DOUBLE))

    slope = jax.grad(value)(0.4)
    np.testing.assert_allclose(slope, (value(0.4 + 1e-6) - value(0.4 - 1e-6)) / 2e-6, atol=1e-8)
    np.testing.assert_allclose(jax.jit(value)(0.4), value(0.4), atol=1e-12)


# ------------------------------------------------------------------ the path ran


def gradient_program(circuit: Circuit, rule, method=None):
    n = circuit.num_qubits
    observable = transverse_field_ising(n)
    (shape,) = circuit.parameter_shapes().values()
    energy = lambda t: execute(circuit, Expectation(observable), {"theta": t}, gradient=rule, method=method)  # noqa: E731
    return jax.jit(jax.value_and_grad(energy)).lower(jax.ShapeDtypeStruct(shape, jnp.float32))


def size_of(lowered) -> tuple[int, int]:
    text = lowered.as_text()
    return text.count("\n"), len(text.encode())


@pytest.mark.parametrize("make, small, large, gates", [(layered, 10, 1000, 59), (unstructured, 1000, 5000, 1)])
def test_the_program_does_not_grow_with_the_circuit(make, small, large, gates):
    n = 20 if make is layered else 16
    few, many = (size_of(gradient_program(make(n, size), Adjoint())) for size in (small, large))
    assert abs(many[0] - few[0]) <= 0.1 * few[0]
    assert many[1] - few[1] <= 64 * gates * (large - small)


def test_the_adjoint_gradient_takes_the_memory_of_a_few_states_at_any_depth():
    n, depth = 14, 120
    state = 8 * 2**n
    used = {
        (rule.name, layers): gradient_program(layered(n, layers), rule).compile().memory_analysis().temp_size_in_bytes
        / state
        for rule in (Adjoint(), Backprop())
        for layers in (depth // 4, depth)
    }
    assert used["Backprop", depth] > used["Backprop", depth // 4] + depth / 2
    assert used["Backprop", depth] > 8 * used["Adjoint", depth]


@pytest.mark.slow
def test_phases_are_multiplied_in_place():
    n, layers = 18, 6
    circuit, theta = Circuit(n), ParameterVector("theta", (layers, 2))
    for layer in range(layers):
        for q in range(n):
            circuit.rzz(theta[layer, 0], q, (q + 1) % n).rzz(theta[layer, 0], q, (q + 7) % n)
        circuit.rx([theta[layer, 1]] * n, range(n))
    memory = gradient_program(circuit, Adjoint()).compile().memory_analysis()
    assert memory.temp_size_in_bytes / (8 * 2**n) <= 5.5


@pytest.mark.slow
def test_the_adjoint_gradient_at_20_qubits_and_depth_200_holds_five_states():
    state = 8 * 2**20
    memory = {}
    for rule in (Adjoint(), Backprop()):
        memory[rule.name] = (
            gradient_program(layered(20, 200), rule).compile().memory_analysis().temp_size_in_bytes / state
        )
    print({name: f"{states:.2f} states" for name, states in memory.items()})
    assert memory["Adjoint"] <= 5  # five arrays of a state, and the tables
    assert memory["Backprop"] > 200


def test_new_values_and_equal_circuits_never_trace_again():
    circuit = layered(5, 3)
    run = lambda c, t, h: execute(c, Expectation(h), {"theta": t})  # noqa: E731
    rng = np.random.default_rng(0)
    observable = transverse_field_ising(5)
    jax.value_and_grad(lambda t: run(circuit, t, observable))(jnp.asarray(rng.normal(size=(3, 2, 5))))
    before = trace_count()
    for i in range(3):
        value = jax.value_and_grad(lambda t, i=i: run(layered(5, 3), t, (1.0 + i) * observable))
        value(jnp.asarray(rng.normal(size=(3, 2, 5))))
    assert trace_count() == before
    constants = [Circuit(2).rx(a, 0).cx(0, 1).unitary(np.diag([1, np.exp(1j * a)]), [1]) for a in (0.1, 0.2, 0.3)]
    first = execute(constants[0])
    before = trace_count()
    later = [execute(c) for c in constants[1:]]
    assert trace_count() == before
    assert not np.allclose(first, later[0]) and not np.allclose(later[0], later[1])


def test_plans_are_shared_by_circuits_of_equal_structure():
    assert plan_of(Circuit(3).rx(0.1, 0).cx(0, 1)) is plan_of(Circuit(3).rx(0.2, 0).cx(0, 1))
    assert plan_of(Circuit(3).rx(0.1, 0).cx(0, 1)) is not plan_of(Circuit(3).rx(0.1, 0).cx(1, 0))


def test_alternating_controls_and_small_gates(x64):
    rng = np.random.default_rng(0)
    circuit = Circuit(7).h(range(7))
    for _ in range(12):
        places = rng.permutation(7).tolist()
        circuit.mcx(places[:5], places[6]).rx(rng.normal(), places[5]).ccx(*places[:3]).cp(0.4, places[0], places[3])
    check_state(circuit)


@pytest.mark.parametrize("gates", [0, 1, 5, 12])
@pytest.mark.parametrize("n", [2, 5])
def test_evolutions_of_single_qubits_among_any_number_of_small_gates(n, gates, x64):
    rng = np.random.default_rng(gates)
    circuit = Circuit(n).pauli_evolution(X(0) + 0.5 * Z(n - 1), 0.3).pauli_evolution(1.0 * I() + 0.2 * Y(1), -0.7)
    for g in range(gates):
        circuit.rx(rng.normal(), 0) if g % 2 else circuit.ry(rng.normal(), 1)
    check_state(circuit)
    check_state(Circuit(n).ry(0.4, range(n)) + circuit.pauli_evolution(Z(0), 0.9))


@pytest.mark.parametrize("n", [3, 6])
def test_evolutions_beside_matrices_of_three_qubits(n, x64):
    matrix = np.linalg.qr(np.random.default_rng(n).normal(size=(8, 8)))[0]
    check_state(Circuit(n).pauli_evolution(X(0) @ Z(1), 0.3).unitary(matrix, [0, 1, 2]))
    check_state(Circuit(n).pauli_evolution(X(0), 0.3).unitary(matrix, [2, 0, 1]).rx(0.2, 1))
    check_state(Circuit(n).rx(0.3, 0).pauli_evolution(Z(0), 0.3).ccx(0, 1, 2).rx(0.2, 1))


def test_the_gradient_by_the_time_of_evolutions_of_single_qubits(x64):
    circuit = Circuit(3).rx(0.2, 0).pauli_evolution(X(0) + Z(2), Parameter("a")).ry(0.4, range(3))
    energy = lambda a: execute(circuit, Expectation(Z(0)), {"a": a}, method=Statevector(DOUBLE))  # noqa: E731
    slope = (energy(0.3 + 1e-5) - energy(0.3 - 1e-5)) / 2e-5
    np.testing.assert_allclose(jax.grad(energy)(0.3), slope, atol=1e-8)


@pytest.mark.parametrize("closed", ["first", pytest.param("last", marks=pytest.mark.slow)])
def test_layers_that_are_constants_in_part_are_differentiated_where_they_are_not(closed, x64):
    """A rolled part is differentiated as its first repetition is: one with other parameters must not join it."""
    n, layers = 6, 6
    theta = ParameterVector("theta", 4)
    circuit = Circuit(n)
    for layer in range(layers):
        open_layer = layer >= 2 if closed == "first" else layer < 4
        for q in range(n):
            angle = theta[layer % 4] if open_layer and q in (1, 5) else 0.3
            circuit.h(q).rz(angle, q).rx(0.2, q)
        for q in range(n - 1):
            circuit.cx(q, q + 1)
    energy = lambda t, rule: execute(circuit, Expectation(X(0) + Z(3)), {"theta": t}, gradient=rule)  # noqa: E731
    at = jnp.linspace(0.1, 0.9, 4)
    want = jax.grad(lambda t: energy(t, Backprop()))(at)
    assert np.all(np.abs(want) > 1e-4)
    np.testing.assert_allclose(jax.grad(lambda t: energy(t, None))(at), want, atol=1e-5)
