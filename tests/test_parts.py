"""Long tapes in parts: the same states and gradients, the same shapes in every part, memory that does not grow."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from circuits import random_circuit, random_unitary, unstructured
from oracle import statevector

from qsim import Circuit, ParameterVector, PauliSum, X, Y, Z, _compile, execute
from qsim._recent import Recent
from qsim.gradients import Adjoint, Backprop, ParameterShift
from qsim.ir.controlled import controlled
from qsim.ir.gates import gate
from qsim.ir.ops import PauliEvolution
from qsim.lower import cost
from qsim.lower.build import build_plan, expanded
from qsim.lower.plan import Dense, Flips, Plan, Repeat, tables
from qsim.methods import Statevector
from qsim.results import Expectation

DOUBLE = "complex128"


@pytest.fixture
def parts_of_three(monkeypatch: pytest.MonkeyPatch, x64: None) -> None:
    """Every tape of more than three steps is cut; plans of other tests are not used, nor are these by others."""
    monkeypatch.setattr(cost, "part_steps", lambda segment: 3)
    for table in ("_plans", "_programs"):
        monkeypatch.setattr(_compile, table, Recent(64))


def plan_of(circuit: Circuit) -> Plan:
    return build_plan(expanded(circuit, cost.BLOCK_QUBITS), cost.BLOCK_QUBITS)


def parts_in(circuit: Circuit) -> list[Repeat]:
    return [s for s in plan_of(circuit).segments if isinstance(s, Repeat) and s.parts]


def rotations(n: int, count: int, controls: int = 0, bare: int = 0) -> tuple[Circuit, int]:
    """Rotations about strings on five qubits, every third one under controls, but for the first `bare`."""
    rng = np.random.default_rng(count)
    theta = ParameterVector("theta", count)
    circuit = Circuit(n).h(range(n))
    for t in range(count):
        places = rng.permutation(n).tolist()
        string = PauliSum([tuple((q, "XYZ"[rng.integers(3)]) for q in sorted(places[:5]))], [rng.normal()])
        if controls and t >= bare and t % 3 == 0:
            inner = PauliEvolution(PauliSum.from_list([("XYZZX", rng.normal())]), theta[t], num_qubits=5)
            circuit.append(controlled(inner, controls), places[: 5 + controls])
        else:
            circuit.pauli_evolution(string, theta[t])
    return circuit, count


def gates_of_many_kinds(n: int, size: int) -> tuple[Circuit, int]:
    """Gates of one and of three angles, of three qubits, arrays, evolutions of two qubits, constants among them."""
    rng = np.random.default_rng(size)
    theta = ParameterVector("theta", size)
    circuit = Circuit(n)
    for t in range(size):
        a, b, c = rng.permutation(n)[:3].tolist()
        circuit.h(a).cx(b, c) if t % 4 else circuit.t(a).ccx(a, b, c)
        kind = t % 6
        if kind == 0:
            circuit.u(theta[t], 0.3, theta[t] * 2, a)
        elif kind == 1:
            circuit.unitary(random_unitary(rng, 4), [a, b])
        elif kind == 2:
            circuit.pauli_evolution(0.4 * X(a) @ Y(b) + 0.7 * Z(a), theta[t])
        elif kind == 3:
            circuit.append(controlled(gate("rzz", theta[t])), [c, a, b])
        else:
            circuit.rx(theta[t], a).cry(-theta[t], b, c)
    return circuit, size


def mixed(n: int, size: int) -> tuple[Circuit, int]:
    """Many controls among small gates: pairings, rotations and gates together."""
    rng = np.random.default_rng(size)
    theta = ParameterVector("theta", size)
    circuit = Circuit(n)
    for t in range(size):
        p = rng.permutation(n).tolist()
        circuit.mcx(p[:5], p[5]).rx(theta[t], p[6]).h(p[0])
        circuit.pauli_evolution(0.3 * X(p[0]) @ Y(p[1]) @ Z(p[2]) @ Z(p[3]), theta[t])
        circuit.mcp(theta[t], p[:5], p[6])
    return circuit, size


def constant_blocks(n: int, size: int) -> tuple[Circuit, int]:
    """Two blocks of gates without numbers for each rotation."""
    rng = np.random.default_rng(size)
    theta = ParameterVector("theta", size)
    circuit = Circuit(n)
    for t in range(size):
        p = rng.permutation(n).tolist()
        for four in (p[:4], p[-4:]):
            circuit.h(four).cx(four[:2], four[2:]).t(four[0]).sx(four[3])
        circuit.rx(theta[t], p[0])
    return circuit, size


CIRCUITS = {
    "constant blocks": lambda: constant_blocks(6, 8),
    "unstructured": lambda: (unstructured(6, 90, seed=2), 90),
    "kinds": lambda: gates_of_many_kinds(6, 30),
    "rotations": lambda: rotations(7, 13),
    "controlled rotations": lambda: rotations(7, 13, controls=1),
    "controls late": lambda: rotations(7, 13, controls=1, bare=9),
    "mixed": lambda: mixed(7, 12),
}


SLOW = {"mixed", "kinds"}


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow) if kind in SLOW else kind for kind in CIRCUITS]
)
def test_states_and_gradients_are_those_of_the_circuit(kind, parts_of_three):
    circuit, size = CIRCUITS[kind]()
    assert any(s.count > 2 for s in parts_in(circuit))
    theta = np.random.default_rng(0).uniform(-2, 2, size)
    name = circuit.parameters[0].vector.name
    want = statevector(circuit.bind({name: theta}))
    np.testing.assert_allclose(execute(circuit, params={name: theta}, method=Statevector(DOUBLE)), want, atol=1e-10)

    observable = Z(0) @ X(1) + 0.3 * Z(2) @ Y(4)

    def energy(t, rule):
        return execute(circuit, Expectation(observable), {name: t}, method=Statevector(DOUBLE), gradient=rule)

    slopes = [jax.grad(energy)(jnp.asarray(theta), rule) for rule in (Adjoint(), Backprop())]
    np.testing.assert_allclose(slopes[0], slopes[1], atol=1e-10)
    direction, step = np.random.default_rng(1).normal(size=size), 1e-5
    found = (energy(theta + step * direction, Adjoint()) - energy(theta - step * direction, Adjoint())) / (2 * step)
    np.testing.assert_allclose(slopes[0] @ direction, found, atol=1e-7)


@pytest.mark.parametrize("kind", CIRCUITS)
def test_parts_have_the_same_shapes(kind, parts_of_three):
    for repeat in parts_in(CIRCUITS[kind]()[0]):
        assert repeat.body == repeat.parts[:1] and isinstance(repeat.body[0], (Dense, Flips))
        shapes = [jax.tree.map(np.shape, tables(part)) for part in repeat.parts]
        assert all(shape == shapes[0] for shape in shapes)
        sizes = {len(part.order) for part in repeat.parts}
        assert len(sizes) == 1 and sizes.pop() <= 3
        for of in ("angle", "data"):
            length = getattr(repeat.range, f"{of}_stop") - getattr(repeat.range, of)
            one = getattr(repeat.body[0].range, f"{of}_stop") - getattr(repeat.body[0].range, of)
            assert length == repeat.count * one


@pytest.mark.slow
def test_batches_shifts_arrays_and_second_derivatives(parts_of_three):
    circuit, size = gates_of_many_kinds(5, 18)
    theta = np.random.default_rng(3).uniform(-2, 2, (3, size))

    def energy(t, **more):
        return execute(circuit, Expectation(Z(0) @ Z(3)), {"theta": t}, method=Statevector(DOUBLE), **more)

    one_by_one = [energy(t) for t in theta]
    np.testing.assert_allclose(energy(theta), one_by_one, atol=1e-12)
    np.testing.assert_allclose(jax.vmap(energy)(jnp.asarray(theta)), one_by_one, atol=1e-12)
    slopes = jax.grad(energy)(jnp.asarray(theta[0]))
    shifted = jax.grad(lambda t: energy(t, gradient=ParameterShift()))(jnp.asarray(theta[0]))
    np.testing.assert_allclose(shifted, slopes, atol=1e-10)
    v = jnp.asarray(theta[1])
    curved = jax.jvp(jax.grad(energy), (jnp.asarray(theta[0]),), (v,))[1]
    steps = [jax.grad(energy)(jnp.asarray(theta[0] + h * theta[1])) for h in (1e-5, -1e-5)]
    np.testing.assert_allclose(curved, (steps[0] - steps[1]) / 2e-5, atol=1e-6)

    places = [np.random.default_rng(at).permutation(8)[:3].tolist() for at in range(40)]

    def by_matrix(m):
        made = Circuit(8)
        for at, (a, b, c) in enumerate(places):
            made.unitary(m, [a, b]).rx(0.1 * at, c)
        assert parts_in(made)
        return execute(made, Expectation(Z(1)), method=Statevector(DOUBLE))

    m = jnp.asarray(random_unitary(np.random.default_rng(4), 4))
    step = 1e-6 * np.random.default_rng(5).normal(size=(4, 4))
    slope = jax.grad(by_matrix)(m)
    assert slope.shape == (4, 4)
    generator = 1j * (step + step.T)  # along unitary matrices
    moved = [by_matrix(m @ jax.scipy.linalg.expm(s * generator)) for s in (1, -1)]
    np.testing.assert_allclose(jnp.sum(slope * (m @ generator)).real, (moved[0] - moved[1]) / 2, rtol=1e-4)


def test_a_part_of_the_circuit_that_repeats_may_be_a_tape_in_parts(parts_of_three):
    body = random_circuit(6, 60, seed=8)
    circuit = (body + Circuit(6).h(range(6))).repeat(4)
    outer = [s for s in plan_of(circuit).segments if isinstance(s, Repeat) and not s.parts]
    assert any(isinstance(s, Repeat) and s.parts for r in outer for s in r.body)
    np.testing.assert_allclose(execute(circuit, method=Statevector(DOUBLE)), statevector(circuit), atol=1e-10)


def test_short_tapes_and_small_states_are_not_cut():
    assert not parts_in(unstructured(12, 1000)) and not parts_in(unstructured(16, 100))
    (long,) = parts_in(unstructured(16, 1000))
    assert plan_of(unstructured(16, 1000)).mode == "tape"
    made = len(long.body[0].order) * cost.BLOCK_COPIES * 4 * (2 << cost.BLOCK_QUBITS) ** 2
    assert made <= max(cost.PART_BYTES, cost.PART_STATES * 8 * 2**16)


@pytest.mark.slow
def test_the_gradient_of_a_long_tape_takes_five_states():
    n = 16
    for circuit in (unstructured(n, 1500), rotations(n, 200)[0]):
        parameter = circuit.parameters[0].vector

        def energy(t, circuit=circuit, name=parameter.name):
            return execute(circuit, Expectation(Z(0) @ Z(1)), {name: t})

        program = jax.jit(jax.value_and_grad(energy)).lower(jnp.zeros(parameter.shape))
        assert program.compile().memory_analysis().temp_size_in_bytes <= 5 * 8 * 2**n
