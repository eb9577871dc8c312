"""A backend from another package: three qubits in a line, no tracing, and a toy transpiler."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import qsim
from qsim import Circuit, ParameterVector, Target, X, Z, execute, submit
from qsim._errors import CircuitError, ResultError, TargetError
from qsim.backends import DoneJob, HostBackend, JobStatus, Reference, results_of_amplitudes
from qsim.ir.layout import Layout, Padding
from qsim.results import Counts, Entropy, Expectation, Map, Probabilities, Samples, State
from qsim.testing import check_backend

# ---------------------------------------------------------------- the backend: 30 lines


def toy_swaps(circuit: Circuit, target: Target) -> Circuit:
    """Bring the qubits of each gate together by swaps along the line."""
    n = target.num_qubits
    where = list(range(n))
    routed = Circuit(n, num_clbits={r.name: r.size for r in circuit.cregs})
    for i in circuit.instructions:
        while len(i.qubits) == 2 and abs(where[i.qubits[0]] - where[i.qubits[1]]) > 1:
            a = where[i.qubits[0]]
            b = a + (1 if where[i.qubits[1]] > a else -1)
            routed.swap(a, b)
            j = where.index(b)
            where[i.qubits[0]], where[j] = b, a
        routed.append(i.operation, [where[q] for q in i.qubits], i.clbits)
    return routed.with_layout(circuit.layout.then(Layout(tuple(range(n)), tuple(where))))


class Line3(HostBackend):
    name, target, transpiler = "line3", Target.line(3), staticmethod(toy_swaps)

    def __init__(self):
        self.jobs: list[int] = []

    def supports(self, result):
        return not isinstance(result, Entropy)

    def submit_many(self, requests):
        self.jobs.append(len(requests))
        return DoneJob([results_of_amplitudes(r, self.simulate(r.circuit)) for r in requests])

    def simulate(self, circuit):
        psi = np.eye(1, 2**circuit.num_qubits)[0].reshape((2,) * circuit.num_qubits)
        for i in circuit.instructions:
            if i.operation.name not in ("barrier", "measure"):
                k, tensor = len(i.qubits), i.operation.matrix(np).reshape((2,) * 2 * len(i.qubits))
                psi = np.moveaxis(np.tensordot(tensor, psi, (range(k, 2 * k), i.qubits)), range(k), i.qubits)
        return psi.reshape(-1)


# ---------------------------------------------------------------- what works with it

THETA = ParameterVector("theta", (2, 3))
ANSATZ = Circuit(3).ry(THETA[0], range(3)).cx(0, 2).cx(0, 1).rz(2 * THETA[1], range(3)).cx(2, 0).rx(0.3, range(3))
ENERGY = Expectation(Z(0) @ Z(2) + 0.5 * X(1) - 0.25 * Z(1))
POINT = np.linspace(-0.7, 1.1, 6).reshape(2, 3).astype(np.float32)


@pytest.fixture
def line():
    return Line3()


def energy(theta, on=None):
    return execute(ANSATZ, ENERGY, {"theta": theta}, on=on)


def test_value_in_logical_qubits(line):
    np.testing.assert_allclose(energy(POINT, line), energy(POINT), atol=1e-5)
    state = execute(ANSATZ, State(), {"theta": POINT}, on=line)
    np.testing.assert_allclose(state, execute(ANSATZ, State(), {"theta": POINT}), atol=1e-5)


def test_value_and_gradient_are_one_job(line):
    value, slope = jax.value_and_grad(energy)(jnp.asarray(POINT), line)
    expected, expected_slope = jax.value_and_grad(energy)(jnp.asarray(POINT))
    np.testing.assert_allclose(value, expected, atol=1e-5)
    np.testing.assert_allclose(slope, expected_slope, atol=1e-5)
    assert line.jobs == [1 + 2 * 6]


def test_batch_is_one_job_and_equals_loop(line):
    batch = np.stack([POINT, 2 * POINT, POINT - 1])
    np.testing.assert_allclose(energy(batch, line), [energy(t) for t in batch], atol=1e-5)
    assert line.jobs == [3]


def test_jit_vmap_and_gradient(line):
    points = jnp.stack([POINT, 2 * POINT])
    np.testing.assert_allclose(jax.jit(energy, static_argnums=1)(POINT, line), energy(POINT), atol=1e-5)
    slopes = jax.jit(jax.vmap(jax.grad(lambda t: energy(t, line))))(points)
    assert line.jobs[-1] == 2 * 13
    np.testing.assert_allclose(slopes, jax.vmap(jax.grad(energy))(points), atol=1e-5)


@pytest.mark.slow
def test_jacobian_and_second_derivatives(line):
    probabilities = lambda t, on: execute(ANSATZ, Probabilities([2, 0]), {"theta": t}, on=on)  # noqa: E731
    t = jnp.asarray(POINT)
    np.testing.assert_allclose(jax.jacrev(probabilities)(t, line), jax.jacrev(probabilities)(t, None), atol=1e-5)
    twice = jax.jacrev(jax.grad(energy))
    np.testing.assert_allclose(twice(t, line), twice(t, None), atol=1e-4)


def test_traced_values_straight_into_gates(line):
    def loss(t, on):
        c = Circuit(3).ry(t, range(3)).cx(0, 2).ry(t[0] * t[1], 1).cx(1, 0)
        return execute(c, Map(jnp.sin, Expectation(Z(0) + X(2))), on=on)

    t = jnp.array([0.3, 0.8, -0.2])
    slope = jax.jit(jax.grad(lambda t: loss(t, line)))(t)
    np.testing.assert_allclose(slope, jax.grad(lambda t: loss(t, None))(t), atol=1e-5)


def test_it_transpiles_once(line):
    calls = []

    def counted(circuit, target):
        calls.append(circuit)
        return toy_swaps(circuit, target)

    for step in range(3):
        execute(ANSATZ, ENERGY, {"theta": POINT + step}, on=line, transpiler=counted)
    loss = lambda t: execute(Circuit(3).ry(t, 0).cx(0, 2), ENERGY, on=line, transpiler=counted)  # noqa: E731
    for step in range(3):
        jax.grad(loss)(0.1 * step)
    assert len(calls) == 2
    assert all(not c.values() for c in calls)


@pytest.mark.parametrize("padding", Padding)
@pytest.mark.parametrize("qubits", [None, (2, 1), (0, 1)])
def test_padding(line, padding, qubits):
    c = Circuit(2).h(0).cx(0, 1).ry(0.4, 1)
    c = c if padding is not Padding.BEFORE or qubits is None else c.cx(1, 0)
    value = execute(c, State(), on=line, padding=padding, qubits=qubits, transpiler=toy_swaps)
    np.testing.assert_allclose(value, execute(c), atol=1e-5)


def test_measurements_keep_their_bits(line):
    c = Circuit(3, num_clbits=3).x(0).cx(0, 2).measure(range(3), [2, 0, 1])
    counts = execute(c, Counts(), shots=20, key=jax.random.key(0), on=line)
    assert dict(counts) == dict(execute(c, Counts(), shots=20, key=jax.random.key(0)))
    bits = execute(Circuit(3).x(0).cx(0, 2), Samples(), shots=5, key=jax.random.key(0), on=line)
    assert bits.tolist() == [[1, 0, 1]] * 5


def test_estimates_with_shots(line):
    value = execute(ANSATZ, ENERGY, {"theta": POINT}, on=line, shots=20_000, key=jax.random.key(1))
    np.testing.assert_allclose(value, energy(POINT), atol=0.05)
    f = lambda t: execute(ANSATZ, ENERGY, {"theta": t}, on=line, shots=20_000, key=jax.random.key(1))  # noqa: E731
    np.testing.assert_allclose(jax.grad(f)(jnp.asarray(POINT)), jax.grad(energy)(jnp.asarray(POINT)), atol=0.08)


def test_initial_states_become_gates(line):
    psi = np.arange(1, 9) / np.linalg.norm(np.arange(1, 9))
    joined = Line3()
    joined.target = Target.ideal(3)
    for backend, state in ((line, "101"), (joined, "011"), (joined, psi), (joined, jnp.asarray(psi))):
        found = execute(ANSATZ, ENERGY, {"theta": POINT}, on=backend, initial_state=state)
        expected = execute(ANSATZ, ENERGY, {"theta": POINT}, initial_state=state)
        np.testing.assert_allclose(found, expected, atol=1e-5)
    with pytest.raises(CircuitError, match="one state"):
        execute(ANSATZ, ENERGY, {"theta": POINT}, on=line, initial_state=np.stack([psi, psi]))


def test_forward_mode_is_refused_in_words(line):
    with pytest.raises(TypeError, match=r"`line3`.*reverse mode only.*jax.grad"):
        jax.jacfwd(lambda t: energy(t, line))(jnp.asarray(POINT))


def test_submit(line):
    job = submit(ANSATZ, ENERGY, {"theta": POINT}, on=line)
    assert job.status() is JobStatus.DONE and job.id and not job.cancel()
    assert job.metadata["backend"] == "line3" and job.metadata["layout"].num_qubits == 3
    np.testing.assert_allclose(job.result(), energy(POINT), atol=1e-5)


def test_what_it_cannot_do(line):
    with pytest.raises(ResultError, match="`line3` cannot give Entropy"):
        execute(Circuit(1), Entropy([0]), on=line)
    with pytest.raises(TargetError, match="4 qubits.* has 3"):
        execute(Circuit(4), on=line)
    with pytest.raises(TargetError, match=r"cx on qubits \(0, 2\).*transpiler="):
        execute(Circuit(3).cx(0, 2), on=line, transpiler=lambda circuit, target: circuit)


def test_as_default(line):
    qsim.set_backend(line)
    try:
        np.testing.assert_allclose(ANSATZ(ENERGY, {"theta": POINT}), energy(POINT), atol=1e-5)
        assert line.jobs == [1]
        energy(POINT)
        assert line.jobs == [1]
    finally:
        qsim.set_backend(None)


@pytest.mark.parametrize("make", [Line3, Reference])
def test_conformance(make):
    check_backend(make())
