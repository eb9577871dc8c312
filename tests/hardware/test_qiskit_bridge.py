"""Our simulator as a Qiskit backend, compared with Qiskit's own simulators and primitives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qiskit_aer")  # the extra `qiskit`: .ci/vendors runs these

import qiskit
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate, Parameter
from qiskit.circuit.library import CXGate
from qiskit.circuit.random import random_circuit
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers import JobStatus
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.quantum_info import SparsePauliOp, Statevector
from scipy.stats import chisquare

from hardware.bridges.qiskit import QsimBackend
from hardware.errors import RejectedProgram
from qsim import Target
from qsim.errors import BackendError, QsimError

BACKEND = QsimBackend()
REFERENCE = QsimBackend("numpy")
"""The reference, which compiles nothing: for tests of many small circuits."""


def test_keys_are_qiskits():
    q, a, b = QuantumRegister(3, "q"), ClassicalRegister(2, "a"), ClassicalRegister(1, "b")
    given = QuantumCircuit(q, a, b, name="asymmetric", metadata={"note": 1})
    given.x(0)
    given.h(1)
    given.cx(1, 2)
    given.barrier()
    given.measure(q[0], a[0])
    given.measure(q[1], a[1])
    given.measure(q[2], b[0])
    result = BACKEND.run([given, given], shots=2000, seed_simulator=5, memory=True).result()
    first = result.get_counts(0)
    assert set(first) == {"0 01", "1 11"} and first != result.get_counts(1)
    assert sum(first.values()) == 2000 and result.results[1].header["name"] == "asymmetric"
    assert chisquare(list(first.values())).pvalue > 1e-3
    memory = result.get_memory(0)
    assert len(memory) == 2000 and {key: memory.count(key) for key in set(memory)} == dict(first)
    assert result.results[0].header["metadata"] == {"note": 1} and result.results[0].shots == 2000
    again = BACKEND.run([given, given], shots=2000, seed_simulator=5).result()
    assert again.get_counts() == result.get_counts()
    other = BACKEND.run([given, given], shots=2000).result()
    assert other.get_counts() != result.get_counts()


def test_bits_that_are_not_written_are_zero():
    given = QuantumCircuit(2, 70)
    given.x(1)
    given.measure(1, 67)
    (word,) = BACKEND.run(given, shots=3).result().get_counts()
    assert word[::-1].index("1") == 67 and word.count("1") == 1 and len(word) == 70


def test_a_jobs_life():
    given = QuantumCircuit(1, 1)
    given.measure(0, 0)
    job = BACKEND.run(given, shots=5)
    assert job.result(timeout=60).get_counts() == {"0": 5}
    assert job.status() is JobStatus.DONE and not job.cancel() and job.backend() is BACKEND
    middle = QuantumCircuit(1, 1)
    middle.measure(0, 0)
    middle.h(0)
    middle.measure(0, 0)
    failed = BACKEND.run(middle)
    with pytest.raises(QsimError):
        failed.result()
    assert failed.status() is JobStatus.ERROR


def test_what_cannot_be_run_is_refused_by_name():
    reset, branch, opaque, open_ = (QuantumCircuit(2, 2) for _ in range(4))
    reset.x(1)
    reset.reset(1)
    with branch.if_test((branch.clbits[0], 1)):
        branch.x(1)
    opaque.append(Gate("mystery", 2, [0.1]), [1, 0])
    open_.rx(Parameter("t"), 0)
    for given, words in ((reset, r"'reset' on qubits \(1,\)"), (branch, "'if_else'"), (opaque, "'mystery'")):
        with pytest.raises(RejectedProgram, match=words):
            BACKEND.run(given)
    with pytest.raises(RejectedProgram, match=r"unbound parameter.*assign_parameters"):
        BACKEND.run(open_)
    with pytest.raises(BackendError, match="Unknown backend"):
        QsimBackend("nowhere@all")


def test_a_gate_of_a_users_own_is_not_taken_for_the_standard_one():
    mine = QuantumCircuit(2, name="cx")
    mine.x(1)
    given = QuantumCircuit(2, 2)
    given.append(mine.to_gate(), [0, 1])
    given.append(CXGate(ctrl_state=0), [0, 1])
    given.measure([0, 1], [0, 1])
    assert BACKEND.run(given, shots=5).result().get_counts() == {"00": 5}


def test_qiskits_transpiler_takes_our_targets():
    given = QuantumCircuit(4)
    given.h(0)
    given.rccx(0, 3, 2)
    given.measure_all()
    assert qiskit.transpile(given, BACKEND).num_qubits == 4
    line = QsimBackend(target=Target.line(5, ["rz", "sx", "x", "cz"]))
    assert line.coupling_map.is_symmetric and len(line.coupling_map.get_edges()) == 8
    made = qiskit.transpile(given, line, seed_transpiler=1)
    assert set(made.count_ops()) <= {"rz", "sx", "x", "cz", "measure", "barrier"}
    found = line.run(made, shots=4000, seed_simulator=7).result().get_counts()
    assert chisquare([found.get("0000", 0), found.get("0001", 0)]).pvalue > 1e-3


def test_facts_go_over():
    source = QsimBackend(target=Target.from_qiskit(GenericBackendV2(3, seed=1)))
    vendor = GenericBackendV2(3, seed=1)
    for q in range(3):
        assert source.qubit_properties(q).t1 == vendor.qubit_properties(q).t1
        assert source.target["sx"][(q,)].error == vendor.target["sx"][(q,)].error
        assert source.target["measure"][(q,)].duration == vendor.target["measure"][(q,)].duration
    assert set(source.target["cx"]) == set(vendor.target["cx"])


def _pubs(number: int):
    """A random circuit with two angles, and three points."""
    rng = np.random.default_rng(number)
    a, b = Parameter("a"), Parameter("b")
    given = QuantumCircuit(3)
    given.compose(random_circuit(3, 2, max_operands=2, seed=number), inplace=True)
    given.rx(a, int(rng.integers(3)))
    given.cx(*rng.permutation(3)[:2].tolist())
    given.ry(2 * b + a, int(rng.integers(3)))
    return given, rng.uniform(-3, 3, (2, 2)), rng


def test_twenty_pubs_of_the_sampler():
    shots, pubs = 4000, []
    for number in range(20):
        given, points, _ = _pubs(number)
        given.measure_all()
        pubs.append((given, points))
    found = BackendSamplerV2(backend=REFERENCE, options={"seed_simulator": 1}).run(pubs, shots=shots).result()
    exact = StatevectorSampler(seed=2).run(pubs, shots=shots).result()
    for (given, points), ours, theirs in zip(pubs, found, exact, strict=True):
        bare = given.remove_final_measurements(inplace=False)
        for k, point in enumerate(points):
            right = Statevector(bare.assign_parameters(point)).probabilities_dict()
            mine, other = ours.data.meas[k].get_counts(), theirs.data.meas[k].get_counts()
            assert set(mine) <= {key for key, p in right.items() if p > 1e-12}
            for key, p in right.items():
                sigma = np.sqrt(p * (1 - p) / shots) + 1e-9
                assert abs(mine.get(key, 0) / shots - p) < 5 * sigma
                assert abs(mine.get(key, 0) - other.get(key, 0)) / shots < 5 * np.sqrt(2) * sigma


def test_twenty_pubs_of_the_estimator():
    pubs = []
    for number in range(20):
        given, points, rng = _pubs(number)
        labels = ["".join(rng.choice(list("IXYZ"), 3)) for _ in range(3)]
        pubs.append((given, SparsePauliOp(labels, rng.normal(size=3)), points))
    precision = 1 / np.sqrt(4000)
    found = BackendEstimatorV2(backend=REFERENCE, options={"seed_simulator": 1}).run(pubs, precision=precision)
    exact = StatevectorEstimator().run(pubs, precision=0.0).result()
    for pub, ours, right in zip(pubs, found.result(), exact, strict=True):
        # Qiskit adds the standard errors of the terms, no less than the right one; 0 where all shots agree
        floor = np.abs(pub[1].coeffs).sum() * precision * 1e-2
        assert np.all(np.abs(ours.data.evs - right.data.evs) < 5 * np.maximum(ours.data.stds, floor))


def test_the_compiled_simulator_behind_the_primitives():
    given, points, _ = _pubs(3)
    pub = (given, SparsePauliOp(["ZIZ", "XXI"], [1.0, 0.5]), points)
    found = BackendEstimatorV2(backend=BACKEND, options={"seed_simulator": 1}).run([pub], precision=0.02).result()[0]
    right = StatevectorEstimator().run([pub], precision=0.0).result()[0]
    assert np.all(np.abs(found.data.evs - right.data.evs) < 5 * found.data.stds + 1e-3)
