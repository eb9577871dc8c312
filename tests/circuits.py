"""Circuits that several tests use: random ones over the gate table, layered and unstructured ones."""

from __future__ import annotations

import numpy as np

from qsim import Circuit, ParameterVector, X, Y, Z
from qsim.ir.operation import rows
from qsim.ir.ops import QFT, Controlled, Diagonal, PauliEvolution, Permutation, PrepareState, Unitary
from qsim.ir.pauli import PauliSum
from qsim.ir.table import Gate


def random_unitary(rng: np.random.Generator, size: int) -> np.ndarray:
    q, _ = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    return q


def random_gate(rng: np.random.Generator, max_qubits: int) -> Gate:
    """A gate of the table with random angles."""
    fitting = [row for row in rows() if row.num_qubits <= max_qubits]
    row = fitting[rng.integers(len(fitting))]
    return Gate(row, tuple(rng.uniform(-3, 3, len(row.params))))


def random_operation(rng: np.random.Generator, n: int) -> object:
    """A high-level operation on at most n qubits."""
    m = int(rng.integers(1, n + 1))
    labels = ["".join(rng.choice(list("IXYZ"), m)) for _ in range(3)]
    evolution = PauliEvolution(
        PauliSum.from_list([(label, rng.normal()) for label in labels]), rng.normal(), num_qubits=m
    )
    psi = rng.normal(size=2**m) + 1j * rng.normal(size=2**m)
    choices = [
        lambda: Unitary(random_unitary(rng, 2**m)),
        lambda: Diagonal(np.exp(1j * rng.uniform(0, 6, 2**m))),
        lambda: QFT(m),
        lambda: Permutation(rng.permutation(2**m).tolist()),
        lambda: PrepareState(psi / np.linalg.norm(psi)),
        lambda: evolution,
    ]
    if m < n:
        controls = int(rng.integers(1, n - m + 1))
        choices.append(lambda: Controlled(random_gate(rng, m), controls, int(rng.integers(2**controls))))
        choices.append(lambda: Controlled(evolution, controls))
    return choices[rng.integers(len(choices))]()


def random_circuit(n: int, size: int, seed: int, high_level: float = 0.0) -> Circuit:
    """`size` random operations, a fraction `high_level` of them not from the gate table."""
    rng = np.random.default_rng(seed)
    circuit = Circuit(n)
    for _ in range(size):
        operation = random_operation(rng, n) if n and rng.random() < high_level else random_gate(rng, n)
        circuit.append(operation, rng.permutation(n)[: operation.num_qubits].tolist())
    return circuit


def layered(n: int, layers: int) -> Circuit:
    """RY and RZ on every qubit, a chain of CZ, again and again; parameters theta (layers, 2, n)."""
    theta = ParameterVector("theta", (layers, 2, n))
    circuit = Circuit(n)
    for layer in range(layers):
        circuit.ry(theta[layer, 0], range(n)).rz(theta[layer, 1], range(n))
        if n > 1:
            circuit.cz(range(n - 1), range(1, n))
    return circuit


def unstructured(n: int, gates: int, seed: int = 0) -> Circuit:
    """Random rx, ry, rz, cx, rzz on random qubits; parameters theta (gates,)."""
    rng = np.random.default_rng(seed)
    theta = ParameterVector("theta", gates)
    circuit = Circuit(n)
    for g in range(gates):
        a, b = map(int, rng.choice(n, 2, replace=False))
        kind = rng.integers(5)
        if kind < 3:
            (circuit.rx, circuit.ry, circuit.rz)[kind](theta[g], a)
        elif kind == 3:
            circuit.cx(a, b)
        else:
            circuit.rzz(theta[g], a, b)
    return circuit


def classifier(n: int, layers: int = 3) -> Circuit:
    """Features x again in every layer, weights w, entangling signs and a few controlled rotations by features."""
    x, w = ParameterVector("x", n), ParameterVector("w", 2 * n * layers)
    circuit = Circuit(n)
    for layer in range(layers):
        for q in range(n):
            circuit.rx(x[q], q).ry(w[2 * n * layer + q], q).rz(w[2 * n * layer + n + q], q)
        for q in range(n - 1):
            circuit.cz(q, q + 1)
    if n > 1:
        circuit.crx(2 * x[0], 0, n - 1).cp(x[n - 1] + 1, n - 1, 0).rzz(w[0] * x[0], 0, n - 1)
        circuit.pauli_evolution(0.3 * X(0) @ Y(n - 1) + 0.2 * Z(0), x[0])
    return circuit
