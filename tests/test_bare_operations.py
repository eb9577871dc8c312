"""Operations of users that have no more than they must: what nothing can replace is told apart by its values."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle import statevector

from qsim import Circuit, Parameter, Z, execute
from qsim._errors import CircuitError
from qsim.ir.operation import controlled
from qsim.results import Expectation, State
from qsim.rules import Backprop


class Plain:
    """No more than a number and a matrix."""

    name, num_clbits, num_params = "plain", 0, 1

    def __init__(self, angle, num_qubits):
        self.params, self.num_qubits = (angle,), num_qubits

    def matrix(self, xp):
        return xp.asarray(np.diag(np.exp(1j * self.params[0] * np.arange(1 << self.num_qubits))))


@pytest.mark.parametrize("n, qubits", [(1, [0]), (2, [1, 0]), (6, [0, 5]), (6, [5, 3, 0, 1, 2])])
@pytest.mark.parametrize("controls", [0, 1])
def test_an_operation_with_a_number_and_a_matrix_alone_is_a_constant(n, qubits, controls):
    operation = Plain(0.3, len(qubits))
    circuit = Circuit(n + controls).h(range(n + controls))
    for _ in range(2):
        circuit.append(controlled(operation, controls) if controls else operation, [*range(n, n + controls), *qubits])
        circuit.ry(0.7, range(n))
    np.testing.assert_allclose(execute(circuit, State()), statevector(circuit), atol=1e-6)


class Keyed(Plain):
    """The same with a key, which says nothing of the number."""

    key = "keyed"


@pytest.mark.parametrize("n, qubits", [(1, [0]), (6, [5, 3, 0, 1, 2])])
@pytest.mark.parametrize("controls", [0, 1])
def test_numbers_that_nothing_can_replace_are_in_the_key(n, qubits, controls):
    operations = [Keyed(angle, len(qubits)) for angle in (0.3, 1.1)]
    if controls:
        operations = [controlled(operation, controls) for operation in operations]
    for chosen in ([0], [1], [0, 1]):  # one program for all would give the first one's state
        circuit = Circuit(n + controls).h(range(n + controls))
        for at in chosen:
            circuit.append(operations[at], [*range(n, n + controls), *qubits]).ry(0.7, range(n))
        np.testing.assert_allclose(execute(circuit, State()), statevector(circuit), atol=1e-6)


@pytest.mark.parametrize("value", [Parameter("a"), jnp.float32(0.3)])
def test_numbers_that_nothing_can_replace_must_have_values(value):
    with pytest.raises(CircuitError, match="plain.*must have `key` and `replace.*no `replace`"):
        execute(Circuit(1).append(Keyed(value, 1), [0]), State(), {"a": 0.3} if isinstance(value, Parameter) else None)
    with pytest.raises(CircuitError, match="plain.*must have `key` and `replace.*no `replace`"):
        jax.grad(lambda a: execute(Circuit(1).append(Keyed(a, 1), [0]), Expectation(Z(0))))(0.3)


class Diagonal:
    """Arrays, and its action alone; `kept` hides what acts."""

    name, num_qubits, num_clbits, num_params, params = "diagonal", 2, 0, 0, ()

    def __init__(self, values, *, kept):
        self.arrays, self.kept = (() if kept else (values,)), values

    def apply(self, xp, columns):
        return columns * xp.asarray(self.kept)[:, None]


@pytest.mark.parametrize("kept", [False, True])
def test_operations_with_apply_alone_are_known_by_what_they_do(kept):
    first, second = np.array([1, 1j, -1, -1j]), np.array([1, 1, -1, 1j])
    for values in ([first], [second], [first, second]):
        circuit = Circuit(2).h([0, 1])
        for value in values:
            circuit.append(Diagonal(value, kept=kept), [0, 1])
        np.testing.assert_allclose(execute(circuit, State()), np.prod(values, axis=0) / 2, atol=1e-6)
    wide = Diagonal(first, kept=kept)
    wide.num_qubits = 21
    with pytest.raises(CircuitError, match="diagonal.*apply.. alone must have `key`.*21"):
        execute(Circuit(21).append(wide, range(21)), Expectation(Z(0)))
    with pytest.raises(CircuitError, match="diagonal.*arrays are JAX values"):
        execute(Circuit(2).append(Diagonal(jnp.asarray(first), kept=False), [0, 1]), State())


def test_an_operation_with_apply_alone_has_no_adjoint_gradient():
    def value(angle, **how):
        circuit = Circuit(2).append(Diagonal(np.ones(4), kept=True), [0, 1]).ry(angle, 0)
        return execute(circuit, Expectation(Z(0)), **how)

    with pytest.raises(CircuitError, match=r"diagonal on qubits \(0, 1\).*inverse\(\) or matrix.*Backprop"):
        jax.grad(value)(0.3)
    assert abs(jax.grad(lambda a: value(a, gradient=Backprop()))(0.3) + np.sin(0.3)) < 1e-6
