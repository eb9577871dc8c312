"""Circuits and Pauli sums as arguments of JAX transformations."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from circuits import random_circuit

from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim.results import Expectation


def test_the_leaves_are_the_host_numbers_then_each_jax_value_as_given():
    x, y = jnp.array([0.1, 0.2]), jnp.asarray(0.5)
    circuit = Circuit(2).rx(0.3, 0).ry(x, [0, 1]).rz(2 * Parameter("t"), 0).rx(y, 0).ry(x[0], 1)
    leaves = jax.tree.leaves(circuit)
    assert leaves[0].tolist() == [0.3, 2.0] and leaves[1] is x and leaves[2] is y


def test_a_circuit_comes_back_from_its_leaves():
    for circuit in (random_circuit(4, 40, seed=0, high_level=0.4), Circuit(0), Circuit(1).barrier().measure_all()):
        leaves, structure = jax.tree.flatten(circuit)
        again = jax.tree.unflatten(structure, leaves)
        assert again == circuit and again.key == circuit.key and again.cregs == circuit.cregs


def test_equal_structure_is_equal_and_hashes_equal():
    a, b, c = (jax.tree.structure(Circuit(2).rx(v, 0).cx(*q)) for v, q in ((0.1, (0, 1)), (0.2, (0, 1)), (0.1, (1, 0))))
    assert a == b and hash(a) == hash(b) and a != c


def test_circuits_and_sums_go_through_jit_with_expressions_and_arrays():
    t = ParameterVector("t", 2)
    circuit = Circuit(3).ry(2 * t[0] + 1, 0).rx(0.3, 1).unitary(np.diag([1, 1j]), [2]).rz(np.sin(t[1]), 0).cx(0, 1)
    observable = Z(0) + 0.5 * X(1) @ Z(2)
    run = lambda c, h, v: execute(c, Expectation(h), {"t": v})  # noqa: E731
    values = np.array([0.3, 0.4])
    want = run(circuit, observable, values)
    np.testing.assert_allclose(jax.jit(run)(circuit, observable, values), want, rtol=1e-6)
    again = Circuit(3).ry(3 * t[0] - 1, 0).rx(0.1, 1).unitary(np.diag([1, -1]), [2]).rz(np.sin(t[1]), 0).cx(0, 1)
    traced = jax.jit(run)
    for c in (circuit, Circuit(3) + circuit):
        np.testing.assert_allclose(traced(c, observable, values), want, rtol=1e-6)
    assert not np.allclose(run(again, observable, values), want)


def test_the_gradient_by_a_circuit_is_the_gradient_by_its_numbers():
    energy = lambda c: execute(c, Expectation(Z(0)))  # noqa: E731
    circuit = Circuit(1).ry(jnp.asarray(0.3), 0).ry(jnp.asarray(0.4), 0)
    slope = jax.grad(energy)(circuit)
    np.testing.assert_allclose(jax.tree.leaves(slope)[1:], 2 * [-np.sin(0.7)], rtol=1e-5)
