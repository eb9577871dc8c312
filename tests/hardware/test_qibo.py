"""Qibo's circuits on our simulator, against Qibo's own NumPy backend."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qibo")

import qibo
from qibo import gates
from qibo.backends import NumpyBackend

from hardware.bridges.qibo import MetaBackend, circuit_of
from qsim import execute
from qsim.errors import BackendError, CircuitError

NUMPY = NumpyBackend()
GATES = [
    *(getattr(gates, name)(1) for name in "I X Y Z H S SDG T TDG SX SXDG".split()),
    *(getattr(gates, name)(1, 0.4) for name in "RX RY RZ U1 GPI GPI2".split()),
    gates.PRX(1, 0.4, 0.9),
    gates.U2(1, 0.4, 0.9),
    gates.U3(1, 0.4, 0.9, -0.3),
    *(getattr(gates, name)(2, 0) for name in "CNOT CY CZ CSX CSXDG SWAP iSWAP SiSWAP FSWAP ECR".split()),
    *(getattr(gates, name)(2, 0, 0.4) for name in "CRX CRY CRZ CU1 RXX RYY RZZ RZX RBS GIVENS".split()),
    gates.CU3(2, 0, 0.4, 0.9, -0.3),
    gates.fSim(2, 0, 0.4, 0.9),
    gates.TOFFOLI(2, 0, 1),
    gates.CCZ(2, 0, 1),
    gates.SWAP(0, 1).controlled_by(2),
    gates.RY(0, 0.7).controlled_by(2, 1),
    gates.Unitary(np.linalg.qr(np.arange(16).reshape(4, 4) ** 2 % 7 + 1j)[0], 2, 0),
]


@pytest.fixture
def backend():
    return MetaBackend.load("cpu")


def circuit_with(*more):
    circuit = qibo.Circuit(3)
    for q in range(3):
        circuit.add(gates.U3(q, 0.3 + q, 0.2, 0.5 * q))
    circuit.add(more)
    return circuit


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__class__.__name__)
def test_every_gate(backend, gate):
    expected = NUMPY.execute_circuit(circuit_with(gate)).state()
    np.testing.assert_allclose(execute(circuit_of(circuit_with(gate), backend), on="numpy"), expected, atol=1e-6)


def test_all_gates_at_once(backend):
    expected = NUMPY.execute_circuit(circuit_with(*GATES)).state()
    found = backend.execute_circuit(circuit_with(*GATES)).state()
    assert found.dtype == np.complex128
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_known_gates_keep_their_names(backend):
    circuit = circuit_with(gates.CNOT(2, 0), gates.RZZ(0, 1, 0.3), gates.fSim(0, 1, 0.1, 0.2))
    assert circuit_of(circuit, backend).count_ops() == {"cx": 1, "rzz": 1, "unitary": 4}


def test_qibo_takes_it_by_name():
    before = qibo.get_backend()
    try:
        qibo.set_backend("hardware.bridges.qibo", platform="cpu")
        circuit = qibo.Circuit(3)
        circuit.add([gates.X(0), gates.H(1), gates.CNOT(1, 2), gates.M(2, 0)])
        assert str(qibo.get_backend()) == "qsim (cpu)"
        result = circuit(nshots=1000)
        counts = result.frequencies()
        assert set(counts) == {"01", "11"} and abs(counts["01"] - 500) < 100
        assert circuit.final_state is result
    finally:
        qibo.set_backend(before.name, **({} if before.platform is None else {"platform": before.platform}))


def test_states_to_start_from(backend):
    circuit, start = circuit_with(gates.CZ(0, 2)), np.eye(1, 8, 5, dtype=complex)[0]
    expected = NUMPY.execute_circuit(circuit_with(gates.CZ(0, 2)), start.copy()).state()
    np.testing.assert_allclose(backend.execute_circuit(circuit, start).state(), expected, atol=1e-10)
    first = circuit_with(gates.X(1))
    both = NUMPY.execute_circuit(circuit_with(gates.X(1)) + circuit_with(gates.CZ(0, 2))).state()
    np.testing.assert_allclose(backend.execute_circuit(circuit, first).state(), both, atol=1e-10)
    backend.set_dtype("complex64")
    assert backend.execute_circuit(circuit).state().dtype == np.complex64


def test_what_it_does_not_do(backend):
    noisy = qibo.Circuit(1, density_matrix=True)
    noisy.add(gates.X(0))
    with pytest.raises(CircuitError, match="without noise or collapse"):
        backend.execute_circuit(noisy)
    with pytest.raises(BackendError, match="warp"):
        MetaBackend.load("warp")
    assert MetaBackend().list_available()["cpu"] is True
