"""Every row of the gate table: against Qiskit, and its facts against each other."""

from __future__ import annotations

import itertools
import time

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from ir_oracle import unitary_of
from qiskit.circuit.library import get_standard_gate_name_mapping

from qsim import Circuit, Parameter, gates, ops
from qsim._errors import CircuitError, ParameterError
from qsim.ir.gates import generate
from qsim.ir.operation import Gate, GateRow, row_of, rows

ROWS = [pytest.param(row, id=row.name) for row in rows()]
WITH_PARAMS = [pytest.param(row, id=row.name) for row in rows() if row.params]
ISSUE = """id x y z h s sdg t tdg sx sxdg rx ry rz p u prx cx cy cz ch cs csdg csx swap iswap sqrt_iswap ecr dcx
    rxx ryy rzz rzx xx_plus_yy crx cry crz cp cu fsim ccx ccz cswap gphase""".split()
OWN = {
    "sqrt_iswap": lambda: OWN["fsim"](-np.pi / 4, 0.0),
    "dcxdg": lambda: np.eye(4)[[0, 3, 1, 2]],
    "fsim": lambda t, f: np.array(
        [
            [1, 0, 0, 0],
            [0, np.cos(t), -1j * np.sin(t), 0],
            [0, -1j * np.sin(t), np.cos(t), 0],
            [0, 0, 0, np.exp(-1j * f)],
        ]
    ),
}
QISKIT_NAMES = {"prx": "r", "gphase": "global_phase"}


def values_of(row: GateRow, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-3, 3, len(row.params))


def reverse_qubits(matrix: np.ndarray) -> np.ndarray:
    n = len(matrix).bit_length() - 1
    order = [*reversed(range(n)), *reversed(range(n, 2 * n))]
    return matrix.reshape((2,) * (2 * n)).transpose(order).reshape(matrix.shape)


def test_the_table_has_the_gates_it_must_have() -> None:
    names = [row.name for row in rows()]
    assert len(set(names)) == len(names)
    assert set(ISSUE) <= set(names)


@pytest.mark.parametrize("row", ROWS)
def test_matrix_is_that_of_qiskit(row: GateRow) -> None:
    values = values_of(row)
    found = row.matrix(np, *values)
    assert found.dtype == np.complex128
    if row.name in OWN:
        expected = OWN[row.name](*values)
    else:
        made = get_standard_gate_name_mapping()[QISKIT_NAMES.get(row.name, row.name)]
        expected = reverse_qubits(np.asarray(type(made)(*values)))
    np.testing.assert_allclose(found, expected, atol=1e-14)


@pytest.mark.parametrize("row", ROWS)
def test_matrix_is_unitary_and_the_inverse_undoes_it(row: GateRow) -> None:
    gate = gates.gate(row.name, *values_of(row))
    one = np.eye(1 << row.num_qubits)
    np.testing.assert_allclose(gate.inverse().matrix() @ gate.matrix(), one, atol=1e-14)
    np.testing.assert_allclose(gate.matrix().conj().T @ gate.matrix(), one, atol=1e-14)


@pytest.mark.parametrize("row", ROWS)
def test_facts_of_a_row_agree(row: GateRow) -> None:
    assert len(row.symbols) == row.num_qubits
    assert len(row.spectra) == len(row.params)
    if row.base is not None:
        base = gates.gate(row.base, *values_of(row))
        assert row.num_qubits == base.num_qubits + row.num_controls
        expected = np.eye(1 << row.num_qubits, dtype=complex)
        expected[-(1 << base.num_qubits) :, -(1 << base.num_qubits) :] = base.matrix()
        np.testing.assert_allclose(row.matrix(np, *values_of(row)), expected, atol=1e-15)
        assert ops.controlled(base, row.num_controls).row is row
    else:
        assert row.num_controls == 0


@pytest.mark.parametrize("row", WITH_PARAMS)
def test_spectra_hold_all_frequencies_and_no_others(row: GateRow) -> None:
    for place, spectrum in enumerate(row.spectra):
        points = np.linspace(-5.9, 6.1, 41)
        values = np.tile(values_of(row, 3), (len(points), 1))
        values[:, place] = points
        samples = row.matrix(np, *values.T).reshape(len(points), -1)
        waves = np.exp(1j * np.outer(points, spectrum))
        amplitudes, *_ = np.linalg.lstsq(waves, samples, rcond=None)
        np.testing.assert_allclose(waves @ amplitudes, samples, atol=1e-12)
        assert (np.abs(amplitudes).max(axis=1) > 1e-3).all()


@pytest.mark.parametrize("row", WITH_PARAMS)
@pytest.mark.parametrize("xp", [np, jnp, array_api_strict], ids=["numpy", "jax", "strict"])
def test_batched_matrix_is_a_loop_of_matrices(row: GateRow, xp) -> None:
    values = np.random.default_rng(1).uniform(-3, 3, (len(row.params), 3, 2)).astype(np.float32)
    found = row.matrix(xp, *[xp.asarray(v) for v in values])
    assert str(found.dtype).endswith("complex64")
    size = 1 << row.num_qubits
    assert tuple(found.shape) == (3, 2, size, size)
    for at in itertools.product(range(3), range(2)):
        one = row.matrix(np, *values[(slice(None), *at)].astype(float))
        np.testing.assert_allclose(np.asarray(found)[at], one, atol=1e-6)
    double = row.matrix(np, *values.astype(float))
    assert double.dtype == np.complex128


@pytest.mark.parametrize("row", ROWS)
def test_matrix_takes_floats_in_any_namespace(row: GateRow, x64: None) -> None:
    values = values_of(row).tolist()
    expected = row.matrix(np, *values)
    for xp in (jnp, array_api_strict):
        found = row.matrix(xp, *values)
        assert str(found.dtype).endswith("complex128")
        np.testing.assert_allclose(np.asarray(found), expected, atol=1e-14)
    single = [jnp.float32(v) for v in values]
    assert not values or row.matrix(jnp, *single).dtype == jnp.complex64


def test_parameters_broadcast_in_one_matrix_call() -> None:
    row = row_of("u")
    found = row.matrix(np, np.zeros((4, 1)), np.zeros((1, 5)), 0.0)
    assert found.shape == (4, 5, 2, 2)


@pytest.mark.parametrize("row", WITH_PARAMS)
def test_derivative_is_that_of_the_closed_form(row: GateRow, x64: None) -> None:
    values = values_of(row, 5)
    found = jax.jacfwd(lambda v: row.matrix(jnp, *v))(jnp.asarray(values))
    step = 1e-6
    for k in range(len(values)):
        plus, minus = values.copy(), values.copy()
        plus[k] += step
        minus[k] -= step
        expected = (row.matrix(np, *plus) - row.matrix(np, *minus)) / (2 * step)
        np.testing.assert_allclose(found[..., k], expected, atol=1e-8)


@pytest.mark.parametrize("row", [r for r in ROWS if r.values[0].power is not None])
def test_power_of_a_row_with_one_generator(row: GateRow) -> None:
    gate = gates.gate(row.name, *(values_of(row) / 4))
    for exponent in (0.5, 2, -1.5, 1 / 3):
        if row.params == () and abs(exponent) > 1:
            continue  # constants: checked as roots below
        powered = ops.power(gate, exponent)
        assert isinstance(powered, Gate)
        again = ops.Unitary(gate.matrix())
        np.testing.assert_allclose(powered.matrix(), ops.power(again, exponent).matrix(), atol=1e-12)
    root = ops.power(gate, 1 / 3).matrix()
    np.testing.assert_allclose(np.linalg.matrix_power(root, 3), gate.matrix(), atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_openqasm_body_is_the_gate(row: GateRow) -> None:
    if row.qasm_body is None:
        assert row.qasm is not None or row.num_qubits == 0
        return
    from qiskit import QuantumCircuit, qasm2
    from qiskit.quantum_info import Operator

    values = values_of(row)
    name = row.qasm or row.name
    params = f"({','.join(map(repr, values.tolist()))})" if row.params else ""
    qubits = ",".join(f"q[{i}]" for i in range(row.num_qubits))
    text = f'OPENQASM 2.0;include "qelib1.inc";{row.qasm_body} qreg q[{row.num_qubits}];{name}{params} {qubits};'
    circuit: QuantumCircuit = qasm2.loads(text)
    found = reverse_qubits(Operator(circuit).data)
    expected = row.matrix(np, *values)
    overlap = np.vdot(expected, found) / len(expected)
    assert abs(abs(overlap) - 1) < 1e-12  # qelib1 has no global phase
    np.testing.assert_allclose(found, overlap * expected, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_method_constructor_and_gate_are_one(row: GateRow) -> None:
    values, qubits = values_of(row).tolist(), range(row.num_qubits)
    by_method = getattr(Circuit(4), row.name)(*values, *qubits)
    by_constructor = Circuit(4, [getattr(gates, row.name)(*values, *qubits)])
    by_append = Circuit(4).append(gates.gate(row.name, *values), qubits)
    assert by_method == by_constructor == by_append
    assert by_method.key == by_constructor.key == by_append.key
    assert by_method.instructions[0].operation.params == tuple(values)


def test_generated_files_are_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


def test_prx_is_a_turned_rx() -> None:
    theta, phi = 0.7, -1.1
    expected = unitary_of(Circuit(1).rz(-phi, 0).rx(theta, 0).rz(phi, 0))
    np.testing.assert_allclose(gates.gate("prx", theta, phi).matrix(), expected, atol=1e-15)


def test_controls_find_the_rows() -> None:
    assert ops.controlled(gates.gate("cx"), 1).name == "ccx"
    assert ops.controlled(gates.gate("gphase", 0.3), 1) == gates.gate("p", 0.3)
    assert ops.controlled(gates.gate("gphase", 0.3), 2) == gates.gate("cp", 0.3)
    assert ops.controlled(gates.gate("x"), 0) == gates.gate("x")
    assert ops.controlled(gates.gate("x"), 2, "10").control_state == 2
    assert ops.controlled(ops.controlled(gates.gate("h"), 1, 0), 1).control_state == 2


def test_gate_of_unknown_name_or_wrong_number_of_parameters() -> None:
    with pytest.raises(CircuitError, match="There is no gate 'rq'"):
        gates.gate("rq")
    with pytest.raises(CircuitError, match=r"rx has 1 parameters \(theta\), but was given 2"):
        gates.gate("rx", 0.1, 0.2)


def test_matrix_of_an_open_parameter_names_it() -> None:
    with pytest.raises(ParameterError, match="Parameter `theta` has no value"):
        gates.gate("rx", Parameter("theta")).matrix()


def test_building_and_keying_many_gates_is_fast() -> None:
    circuit = Circuit(20)
    start = time.perf_counter()
    for k in range(33_334):
        circuit.h(k % 20).rx(0.1 * k, k % 20).cx(k % 20, (k + 1) % 20)
    built = time.perf_counter()
    assert circuit.key
    keyed = time.perf_counter()
    assert len(circuit) == 100_002
    assert built - start < 3  # 0.1 to 0.3 s on an idle core
    assert keyed - built < 1.5  # under 0.1 s on an idle core


@pytest.mark.slow
def test_broadcasting_many_gates_is_fast() -> None:
    start = time.perf_counter()
    circuit = Circuit(50_000).h(range(50_000)).ry(np.linspace(0, 1, 50_000), range(50_000))
    assert len(circuit) == 100_000
    assert time.perf_counter() - start < 3


def test_xx_plus_yy_is_a_turned_exchange() -> None:
    theta, beta = 0.7, -1.1
    between = Circuit(2).rxx(theta / 2, 0, 1).ryy(theta / 2, 0, 1)
    expected = unitary_of(Circuit(2).rz(beta, 0) + between + Circuit(2).rz(-beta, 0))
    np.testing.assert_allclose(gates.gate("xx_plus_yy", theta, beta).matrix(), expected, atol=1e-15)
