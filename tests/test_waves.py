"""Matrices of one angle as sums of 1, cosine and sine: every gate of the table, and what must not be taken for one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import statevector

from qsim import Circuit, Parameter, ParameterVector, PauliSum, X, execute
from qsim.ir.operation import Gate, GateRow, controlled, row_of, rows
from qsim.lower import cost
from qsim.lower.build import build_plan, expanded
from qsim.lower.plan import Dense, Repeat, Sweeps
from qsim.lower.waves import pauli_wave, wave, wave_of, widened
from qsim.results import State

ROTATING = [row for row in rows() if len(row.params) == 1]


@pytest.mark.parametrize("controls", [0, 1, 2])
@pytest.mark.parametrize("row", ROTATING, ids=lambda row: row.name)
@given(angle=st.floats(-20, 20))
@settings(deadline=None, max_examples=10)
def test_every_gate_of_one_angle_is_a_wave(row, controls, angle):
    operation = Gate(row, (angle,))
    operation = controlled(operation, controls) if controls else operation
    found = wave_of(operation)
    assert found is not None
    scale, parts = found
    np.testing.assert_allclose(wave(parts, scale * angle), operation.matrix(np), atol=1e-12)


@pytest.mark.parametrize("letters", ["".join(pair) for pair in product("IXYZ", repeat=2)] + ["X", ""])
def test_pauli_rotations_are_waves(letters):
    p = np.eye(4) if not letters.strip("I") else PauliSum.from_list([(letters.ljust(2, "I"), 1.0)]).to_matrix(2)
    values, vectors = np.linalg.eigh(p)
    want = vectors @ np.diag(np.exp(-0.7j * values)) @ vectors.conj().T
    np.testing.assert_allclose(wave(pauli_wave(letters), 0.7), want, atol=1e-14)


class Bent:
    """Says that it turns at one frequency, and turns by the absolute value."""

    name, num_qubits, num_clbits, num_params, key = "bent", 1, 0, 1, "bent"
    spectra = ((-0.5, 0.5),)

    def __init__(self, params):
        self.params = tuple(params)

    def matrix(self, xp):
        angle = xp.abs(self.params[0]) / 2
        return xp.stack([xp.stack([xp.cos(angle), -xp.sin(angle)]), xp.stack([xp.sin(angle), xp.cos(angle)])])

    def replace(self, params, arrays=()):
        return Bent(params)


def test_what_its_spectrum_does_not_describe_is_no_wave():
    assert wave_of(Gate(GateRow("ry", 1, lambda xp, t: Bent([t]).matrix(xp), "", ("t",)), (0.3,))) is None
    row = GateRow("bent", 1, lambda xp, t: Bent([t]).matrix(xp), "", ("t",), spectra=Bent.spectra)
    assert wave_of(Gate(row, (0.3,))) is None
    circuit = Circuit(1).append(Bent([-0.6]), [0])
    np.testing.assert_allclose(execute(circuit, State()), [np.cos(0.3), np.sin(0.3)], atol=1e-6)


class Shy(Bent):
    """An RY that has no matrix at many angles, and says nothing of its spectrum, or nothing of use."""

    def __init__(self, params, spectra=None):
        self.params, self.spectra = tuple(params), spectra

    def matrix(self, xp):
        half = self.params[0] / 2
        if xp is np and not 1 < self.params[0] < 1.5:
            raise ZeroDivisionError
        return xp.stack([xp.stack([xp.cos(half), -xp.sin(half)]), xp.stack([xp.sin(half), xp.cos(half)])])

    def replace(self, params, arrays=()):
        return Shy(params, self.spectra)


@pytest.mark.parametrize("n", [2, 6])
@pytest.mark.parametrize("spectra", [None, (), (None,), ((-0.5, 0.5),)])
def test_operations_of_users_are_not_asked_at_other_angles(spectra, n):
    state = execute(Circuit(n).append(Shy([1.2], spectra), [0]).ry(0.4, 1), State())
    np.testing.assert_allclose(state, execute(Circuit(n).ry(1.2, 0).ry(0.4, 1), State()), atol=1e-6)


class AsGiven(Bent):
    """A gate whose matrix is a function of its angle, whatever that is."""

    def __init__(self, function, params):
        self.function, self.params, self.key = function, tuple(params), function

    def matrix(self, xp):
        return self.function(xp, xp.asarray(self.params[0]))

    def replace(self, params, arrays=()):
        return AsGiven(self.function, params)


def rz_of_the_size(xp, t):
    phase = xp.exp(0.5j * xp.abs(t))
    zero = xp.zeros_like(phase)
    return xp.stack([xp.stack([xp.conj(phase), zero]), xp.stack([zero, phase])])


def rz_or_rx(xp, t):
    pauli = xp.where(t < 2, np.array([[1, 0], [0, -1]]), np.array([[0, 1], [1, 0]]))
    return xp.cos(t) * np.eye(2) + 1j * xp.sin(t) * pauli


def test_a_batch_of_a_users_operation_is_its_runs_one_by_one():
    circuit, angles = Circuit(1).h(0).append(AsGiven(rz_of_the_size, [Parameter("t")]), [0]), np.array([-1.0, -2.0])
    want = [execute(circuit, State(), {"t": angle}) for angle in angles]
    np.testing.assert_allclose(execute(circuit, State(), {"t": angles}), want, atol=1e-6)
    np.testing.assert_allclose(np.asarray(want)[:, 1], np.exp(0.5j * np.abs(angles)) / np.sqrt(2), atol=1e-6)


def test_a_users_operation_is_diagonal_at_its_own_angle_only():
    circuit = Circuit(8).ry(0.3, range(8)).cz(range(7), range(1, 8))
    circuit.append(AsGiven(rz_or_rx, [2.5]), [4]).ry(0.7, range(8))
    np.testing.assert_allclose(execute(circuit, State()), statevector(circuit), atol=1e-6)


class Named:
    """A gate with the key of something else."""

    num_qubits, num_clbits, arrays = 1, 0, ()

    def __init__(self, key, params, function):
        self.name = self.key = key
        self.params, self.function, self.num_params = tuple(params), function, len(params)

    def matrix(self, xp):
        return xp.asarray(self.function(xp, *self.params))

    def replace(self, params, arrays=()):
        return Named(self.key, params, self.function)


@pytest.mark.parametrize("key", ["X", "X^-1"])
def test_keys_of_users_are_not_taken_for_those_of_bases(key):
    matrix = np.array([[0, 1], [1j, 0]])
    mine, want = Circuit(8), Circuit(8)
    for circuit in (mine, want):
        circuit.ry([0.3 + 0.2 * q for q in range(8)], range(8))
        for q in range(7):
            circuit.cx(q, q + 1)  # across windows in the eigenbasis of X
        circuit.ry([0.3] * 8, range(8))
    for q in (1, 7):
        mine.append(Named(key, (), lambda xp: matrix), [q])
        want.unitary(matrix, [q])
    np.testing.assert_allclose(execute(mine, State()), execute(want, State()), atol=1e-6)


@pytest.mark.parametrize("key", [5, "XX"])
def test_keys_of_users_are_not_taken_for_those_of_paulis(key):
    row = replace(row_of("ry"), name=key)
    mine, want = (
        Circuit(3).h(0).append(gate, [0]).pauli_evolution(X(0) * X(1), 0.9).h(1)
        for gate in (Gate(row, (0.7,)), Gate(row_of("ry"), (0.7,)))
    )
    np.testing.assert_allclose(execute(mine, State()), execute(want, State()), atol=1e-6)


def test_signs_alone_need_no_matrix():
    for n in (5, 8):
        circuit = Circuit(n).cz(0, n - 1)
        bits = "1" * n
        np.testing.assert_allclose(execute(circuit, State(), initial_state=bits)[-1], -1, atol=1e-6)
        np.testing.assert_allclose(execute(circuit.ccz(0, 1, n - 1), State(), initial_state=bits)[-1], 1, atol=1e-6)


@pytest.mark.parametrize("row", [row for row in rows() if len(row.params) > 1], ids=lambda row: row.name)
def test_gates_of_more_angles_are_no_waves(row):
    assert wave_of(Gate(row, tuple(0.1 for _ in row.params))) is None


def test_widened_matrices_act_on_the_most_significant_qubits():
    parts = np.arange(12).reshape(3, 2, 2)
    assert (widened(parts, 2) == np.stack([np.kron(p, np.eye(2)) for p in parts])).all()
    assert (widened(parts, 1) == parts).all()


def leaves(segments):
    for s in segments:
        yield from leaves(s.body) if isinstance(s, Repeat) else [s]


def test_gates_of_one_angle_are_made_together_and_constants_once():
    theta = ParameterVector("theta", 40)
    circuit = Circuit(6)
    names = ["rx", "ry", "rz", "p", "crx", "rzz", "cp", "rxx"]
    for i in range(40):
        name, a = names[i % len(names)], i * 5 % 6
        qubits = (a,) if len(name) < 3 and name != "cp" else (a, (a + 1 + i % 3) % 6)
        getattr(circuit, name)(theta[i], *qubits)
        circuit.h(a)
    plan = build_plan(expanded(circuit, cost.BLOCK_QUBITS), cost.BLOCK_QUBITS)
    found = [s for s in leaves(plan.segments) if isinstance(s, (Dense, Sweeps))]
    assert sum(len(s.waves) for s in found) == 40
    assert all(not s.kinds for s in found)
    for s in found:
        (used,) = (t for t in (s.pairs, s.blocks) if t.child_qubits == 2 and t.num_children >= len(s.waves))
        assert len(used.constants) == 2  # H, and the identity


def test_an_angle_that_is_no_number_gives_no_number():
    state = jax.jit(lambda t: execute(Circuit(1).ry(t, 0), State()))(jnp.nan)
    assert np.isnan(state).all()
