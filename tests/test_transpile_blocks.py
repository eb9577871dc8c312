"""Two-qubit blocks and their Weyl coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from qsim import Circuit, Parameter
from qsim.ir.ops.base import apply_circuit
from tests.transpile_circuits import random_circuit, random_unitaries
from transpile.passes.blocks import collect_blocks
from transpile.synthesis.matrices import products
from transpile.synthesis.weyl import cx_cost, swapped, to_chamber, weyl_coordinates

SWAP = np.eye(4)[[0, 2, 1, 3]]


def test_coordinates_do_not_see_one_qubit_gates_and_agree_with_the_exponential():
    rng = np.random.default_rng(1)
    angles = rng.uniform(-7, 7, (200, 3))
    circuits = [Circuit(2).rxx(-2 * a, 0, 1).ryy(-2 * b, 0, 1).rzz(-2 * c, 0, 1) for a, b, c in angles]
    canonical = np.stack([apply_circuit(np, c, np.eye(4, dtype=complex)) for c in circuits])
    expected = to_chamber(angles)
    ones = random_unitaries(2, 800, 2).reshape(4, 200, 2, 2)
    left, right = (np.einsum("bij,bkl->bikjl", ones[i], ones[i + 1]).reshape(-1, 4, 4) for i in (0, 2))
    np.testing.assert_allclose(weyl_coordinates(left @ canonical @ right), expected, atol=1e-12)
    a, b, c = expected.T
    assert (a <= np.pi / 4 + 1e-12).all() and (a >= b).all() and (b >= abs(c)).all()


def test_swapped_coordinates_are_those_of_the_product_with_swap():
    unitaries = random_unitaries(4, 100, 3)
    np.testing.assert_allclose(swapped(weyl_coordinates(unitaries)), weyl_coordinates(unitaries @ SWAP), atol=1e-12)


@pytest.mark.parametrize(
    "name, cost",
    [("cx", 1), ("cz", 1), ("ecr", 1), ("swap", 3), ("iswap", 2), ("dcx", 2), ("ch", 1), ("cs", 2), ("csx", 2)],
)
def test_costs_of_named_gates(name: str, cost: int):
    matrix = getattr(Circuit(2), name)(0, 1).instructions[0].operation.matrix(np)
    assert cx_cost(weyl_coordinates(matrix)) == cost
    assert weyl_coordinates(matrix).shape == (3,)


def test_empty_batches():
    assert weyl_coordinates(np.zeros((0, 4, 4))).shape == (0, 3)
    assert cx_cost(np.zeros((0, 3))).shape == (0,)


def test_products_follow_the_order_of_the_runs():
    unitaries = random_unitaries(4, 14, 5)
    found = products(unitaries, [1, 5, 8])
    for matrix, part in zip(found, np.split(unitaries, [1, 6]), strict=True):
        expected = np.eye(4)
        for factor in part:
            expected = factor @ expected
        np.testing.assert_allclose(matrix, expected, atol=1e-13)


def test_blocks_partition_the_two_qubit_gates_and_carry_their_product():
    circuit = random_circuit(5, 120, 7)
    blocks = collect_blocks(circuit)
    members = [m for b in blocks for m in b.members]
    assert len(set(members)) == len(members)
    assert {p for p, i in enumerate(circuit.instructions) if len(i.qubits) == 2} <= set(members)
    for block in blocks:
        small = Circuit(2)
        for m in block.members:
            i = circuit.instructions[m]
            small.append(i.operation, tuple(block.qubits.index(q) for q in i.qubits))
        np.testing.assert_allclose(block.matrix, apply_circuit(np, small, np.eye(4, dtype=complex)), atol=1e-12)


def test_blocks_end_at_barriers_and_larger_gates_and_parameters_leave_no_matrix():
    circuit = Circuit(3, num_clbits=1).h(0).cx(0, 1).barrier().cx(0, 1).ccx(0, 1, 2).cx(1, 0).rz(Parameter("t"), 1)
    blocks = collect_blocks(circuit.measure(0, 0).h(0).cx(0, 1))
    assert [(b.qubits, b.members, b.matrix is None) for b in blocks] == [
        ((0, 1), [0, 1], False),
        ((0, 1), [3], False),
        ((1, 0), [5, 6], True),
        ((0, 1), [8, 9], False),
    ]
