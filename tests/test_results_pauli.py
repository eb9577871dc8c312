"""Pauli sums on states: one program whatever the terms, no memory per chunk, and derivatives of any order."""

from __future__ import annotations

import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import random_state, random_sum

from qsim import Circuit, PauliSum, execute
from qsim.ir.pauli import X, Y, Z
from qsim.methods.paulis import pauli_apply, pauli_mean, pauli_means
from qsim.results import Expectation
from qsim.results.observable import pauli_table


def lowered(observable, n):
    return pauli_table(observable.strings, n), jnp.asarray(observable.coefficients)


@pytest.mark.parametrize("n, num_terms", [(1, 4), (2, 12), (3, 40), (5, 30), (7, 60)])
def test_apply_mean_and_means(n, num_terms, x64):
    observable = random_sum(n, num_terms)
    table, c = lowered(observable, n)
    psi = random_state(n)
    image = observable.to_matrix(n) @ psi
    np.testing.assert_allclose(pauli_apply(table, c, psi), image, atol=1e-12)
    np.testing.assert_allclose(pauli_mean(table, c, jnp.asarray(psi)), np.vdot(psi, image).real, atol=1e-12)
    each = [np.vdot(psi, term.to_matrix(n) @ psi).real / term.coefficients[0] for term in observable]
    np.testing.assert_allclose(pauli_means(table, jnp.asarray(psi)), each, atol=1e-12)


@pytest.mark.parametrize("observable, want", [(PauliSum([()], [0.7]), 0.7), (PauliSum([], []), 0)])
def test_of_no_qubits(observable, want):
    found = jax.value_and_grad(lambda c: execute(Circuit(0), Expectation(c * observable)))(1.0)
    np.testing.assert_allclose(found, (want, want), rtol=1e-6)


@pytest.mark.slow
def test_hessian_in_the_state_is_the_matrix(x64):
    n = 3
    observable = random_sum(n, 20)
    table, c = lowered(observable, n)
    matrix = observable.to_matrix(n)
    whole = 2 * np.block([[matrix.real, -matrix.imag], [matrix.imag, matrix.real]])
    flat = jnp.asarray(np.random.default_rng(0).normal(size=16))

    def of(x):
        return pauli_mean(table, c, x[:8] + 1j * x[8:])

    np.testing.assert_allclose(jax.grad(of)(flat), whole @ flat, atol=1e-12)
    for derivative in (jax.hessian(of), jax.jacrev(jax.jacrev(of))):
        np.testing.assert_allclose(jax.jit(derivative)(flat), whole, atol=1e-12)
    mixed = jax.jit(jax.jacfwd(jax.grad(lambda c, x: pauli_mean(table, c, _psi(x))), 1))(c, flat)
    h = 1e-6
    means = jax.jit(jax.vmap(lambda x: pauli_means(table, _psi(x))))
    steps = (means(flat + h * jnp.eye(16)) - means(flat - h * jnp.eye(16))) / (2 * h)
    np.testing.assert_allclose(mixed, np.transpose(steps), atol=1e-8)


def _psi(x):
    return x[:8] + 1j * x[8:]


def states_needed(f, n, *arguments):
    """Temporary memory of the compiled program, in states."""
    return jax.jit(f).lower(*arguments).compile().memory_analysis().temp_size_in_bytes / (8 << n)


def test_memory_does_not_grow_with_the_terms():
    n = 12
    observable = sum((X(q) @ Y((q + 3) % n) + Y(q) @ Z((q + 1) % n) for q in range(n)), start=0)
    table, c = lowered(observable, n)
    assert len(table.flips.x) > 20
    psi = jnp.asarray(random_state(n), jnp.complex64)
    c = c.astype(jnp.float32)

    def of(c, p):
        return pauli_mean(table, c, p)

    def slope(c, p):
        return jnp.sum(jnp.abs(jax.grad(of, 1)(c, p)) ** 2) + jnp.sum(jax.grad(of, 0)(c, p) ** 2)

    assert states_needed(jax.value_and_grad(of, (0, 1)), n, c, psi) < 6
    assert states_needed(jax.grad(slope, (0, 1)), n, c, psi) < 12


def test_the_program_does_not_grow_with_the_terms():
    n = 10

    def lines(num_terms):
        table, c = lowered(random_sum(n, num_terms), n)
        psi = jnp.zeros(1 << n, jnp.complex64)
        return len(jax.jit(lambda c, p: pauli_mean(table, c, p)).lower(c, psi).as_text().splitlines())

    assert lines(800) == lines(50)


def test_one_term_leaves_no_constant_of_the_size_of_the_state():
    n = 16
    for observable in (X(3) @ Z(5), Z(0) @ Z(15)):
        table, c = lowered(observable, n)
        psi = jnp.zeros(1 << n, jnp.complex64)
        text = jax.jit(lambda c, p, table=table: pauli_mean(table, c, p)).lower(c, psi).compile().as_text()
        shapes = re.findall(r"= \w+\[([\d,]*)\]\S* constant\(", text)
        assert shapes
        assert max(math.prod(int(d) for d in shape.split(",") if d) for shape in shapes) < 1 << (n - 4)


@pytest.mark.parametrize("num_qubits, is_loop", [(12, False), (13, True)])
def test_sums_of_z_are_one_diagonal_where_it_is_small(num_qubits, is_loop):
    table, coefficients = lowered(sum((Z(q) @ Z(q + 1) for q in range(num_qubits - 1)), 0.5 * Z(0)), num_qubits)
    psi = jnp.ones(1 << num_qubits, jnp.complex64)
    made = jax.make_jaxpr(lambda c, psi: pauli_apply(table, c, psi))(coefficients, psi)
    assert ("scan[" in str(made)) is is_loop


def test_masks_of_strings_and_the_start_are_numbers_not_sums_of_bits():
    ising = sum((Z(q) @ Z(q + 1) for q in range(6)), sum((X(q) for q in range(7)), 0.5 * X(0) @ Y(6)))
    circuit = Circuit(7).h(range(7)).cz(0, 6)

    def energy(c):
        return execute(circuit, Expectation(c * ising), initial_state="0100010")

    text = jax.jit(jax.grad(energy)).lower(1.0).as_text()
    assert "stablehlo.reduce" in text and not re.search(r"stablehlo\.reduce.*i32", text)
