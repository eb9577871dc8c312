"""The reference backend: on numpy and on array_api_strict, against closed forms and the gate table's matrices."""

from __future__ import annotations

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, Parameter, Z, execute
from qsim._errors import CircuitError, MethodError, ResultError
from qsim.backends import Reference
from qsim.ir.table import Gate, rows
from qsim.methods import Statevector
from qsim.results import Expectation, Operator, Overlap, State

NAMESPACES = [np, array_api_strict]
BACKENDS = [Reference(xp) for xp in NAMESPACES]


def embedded(matrix: np.ndarray, qubits: list[int], n: int) -> np.ndarray:
    """The matrix of a gate on `qubits` among n, entry by entry."""
    whole = np.zeros((2**n, 2**n), complex)
    bits = lambda j: [(j >> (n - 1 - q)) & 1 for q in range(n)]  # noqa: E731
    for column in range(2**n):
        inside = bits(column)
        small = int("0" + "".join(str(inside[q]) for q in qubits), 2)
        for row, value in enumerate(matrix[:, small]):
            outside = inside.copy()
            for place, q in enumerate(qubits):
                outside[q] = (row >> (len(qubits) - 1 - place)) & 1
            whole[int("".join(map(str, outside)), 2), column] += value
    return whole


@pytest.mark.parametrize("xp", NAMESPACES, ids=lambda xp: xp.__name__)
@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_gate_on_every_namespace(row, xp):
    params = tuple(np.linspace(0.3, 1.7, len(row.params)).tolist())
    qubits = [2, 0, 1, 3][: row.num_qubits]
    circuit = Circuit(4).append(Gate(row, params), qubits)
    found = np.asarray(Reference(xp).operator(circuit))
    expected = embedded(np.asarray(row.matrix(np, *params), complex), qubits, 4)
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.xp.__name__)
def test_high_level_operations(backend):
    rng = np.random.default_rng(0)
    unitary, _ = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))
    h = 0.3 * Z(0) @ Z(2) + 0.7 * Z(1)
    c = Circuit(3).h(range(3)).unitary(unitary, [2, 0]).pauli_evolution(h, 0.4, [0, 1, 2]).qft([1, 2]).barrier()
    c.diagonal(np.exp(1j * np.arange(4)), [1, 0]).permutation([1, 2, 3, 0], [0, 2])
    found = execute(c, on=backend, method=Statevector())
    np.testing.assert_allclose(found, execute(c), atol=1e-5)
    np.testing.assert_allclose(execute(c, Operator(), on=backend)[:, 0], found, atol=1e-5)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.xp.__name__)
def test_closed_forms_in_double_precision(backend, x64):
    t = 0.7
    c = Circuit(2).rx(Parameter("t"), 0).cx(0, 1)
    state = execute(c, params={"t": t}, on=backend)
    np.testing.assert_allclose(state, [np.cos(t / 2), 0, 0, -1j * np.sin(t / 2)], atol=1e-15)
    value = lambda t: execute(c, Expectation(Z(0) @ Z(1) + Z(0)), {"t": t}, on=backend)  # noqa: E731
    np.testing.assert_allclose(value(t), 1 + np.cos(t), atol=1e-15)
    np.testing.assert_allclose(jax.jit(jax.grad(value))(t), -np.sin(t), atol=1e-14)
    np.testing.assert_allclose(jax.grad(jax.grad(value))(t), -np.cos(t), atol=1e-13)


def test_precision_follows_jax_and_the_method(x64):
    c = Circuit(1).h(0)
    assert execute(c, on="numpy").dtype == jnp.complex128
    assert execute(c, on="numpy", method=Statevector()).dtype == jnp.complex64
    assert jax.jit(lambda: execute(c, on="numpy"))().dtype == jnp.complex128


def test_double_precision_in_a_callback(x64):
    c = Circuit(1).rx(Parameter("t"), 0)
    found = jax.jit(lambda t: execute(c, {"s": State(), "o": Overlap([1, 0])}, {"t": t}, on="numpy"))(0.3)
    np.testing.assert_allclose(found["o"], np.cos(0.15), atol=1e-15)


def test_what_it_refuses():
    class Mystery:
        name, num_qubits, num_clbits, num_params, params, key = "mystery", 1, 0, 0, (), "mystery"

    with pytest.raises(CircuitError, match=r"mystery on qubits \(0,\) has neither"):
        execute(Circuit(1).append(Mystery(), 0), on="numpy")
    with pytest.raises(MethodError, match=r"h on qubit 0.*after its measurement"):
        execute(Circuit(1, num_clbits=1).measure(0, 0).h(0), on="numpy")
    with pytest.raises(ResultError, match="Operator needs the matrix.*State its state.*two calls"):
        execute(Circuit(1), [Operator(), State()], on="numpy")


def test_a_gate_with_a_definition_only():
    class Bell:
        name, num_qubits, num_clbits, num_params, params, key = "bell", 2, 0, 0, (), "bell"

        def definition(self):
            return Circuit(2).h(0).cx(0, 1)

    c = Circuit(3).append(Bell(), [2, 0])
    np.testing.assert_allclose(execute(c, on="numpy"), execute(Circuit(3).h(2).cx(2, 0)), atol=1e-6)
    np.testing.assert_allclose(execute(c), execute(Circuit(3).h(2).cx(2, 0)), atol=1e-6)
