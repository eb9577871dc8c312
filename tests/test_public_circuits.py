"""Public OpenQASM programs: the states that Qiskit gives, global phase included."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import shared_files

import qsim
from qsim import execute
from qsim.methods import Statevector

MAX_QUBITS = 20


def qiskit_state(path: Path) -> np.ndarray:
    """Qiskit's final state in our index order: qubit 0 most significant."""
    from qiskit import qasm2
    from qiskit.quantum_info import Statevector as QiskitStatevector

    circuit = qasm2.load(path, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    circuit.remove_final_measurements()
    n = circuit.num_qubits
    return np.asarray(QiskitStatevector(circuit)).reshape((2,) * n).transpose(range(n)[::-1]).reshape(-1)


def large_ones_are_slow(path):
    """A path whose name says 16 qubits or more as a slow parameter; any other as it is."""
    size = re.search(r"_n(\d+)", path.stem) if isinstance(path, Path) else None
    return pytest.param(path, marks=pytest.mark.slow) if size and int(size[1]) >= 16 else path


@pytest.mark.parametrize(
    "path", list(map(large_ones_are_slow, shared_files("circuits", "*.qasm"))), ids=lambda p: p.stem
)
def test_public_programs_give_the_states_of_qiskit(path, x64):
    circuit = qsim.qasm.load(path)
    if circuit.num_qubits > MAX_QUBITS:
        pytest.skip(f"{circuit.num_qubits} qubits: this test compares states of at most {MAX_QUBITS}")
    want = qiskit_state(path)
    for dtype, tolerance in (("complex128", 1e-10), ("complex64", 1e-5)):
        got = execute(circuit, method=Statevector(dtype))
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, atol=tolerance, rtol=0)
