"""PUBs of Qiskit's circuits: the same script with another import line gives what Qiskit's own primitives give."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chi2_contingency

from qsim.errors import MethodError, ObservableError, ParameterError, ResultError
from qsim.methods import Statevector
from qsim.primitives import Estimator, EstimatorPub, Sampler

qiskit = pytest.importorskip("qiskit")

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister  # noqa: E402
from qiskit.circuit import Parameter, ParameterVector  # noqa: E402
from qiskit.circuit.library import QFTGate, real_amplitudes  # noqa: E402
from qiskit.primitives import BindingsArray, ObservablesArray, StatevectorEstimator, StatevectorSampler  # noqa: E402
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp  # noqa: E402

KEY = jax.random.key(11)


def random_circuit(rng: np.random.Generator, n: int = 3) -> QuantumCircuit:
    """Parameters that are not in the order of their use, vectors, linear expressions, gates in gates."""
    b, a, v = Parameter("b"), Parameter("a"), ParameterVector("v", 11)
    circuit = QuantumCircuit(n)
    circuit.h(0)
    circuit.ry(b, 0)
    circuit.rx(v[10], 1)
    circuit.ry(2 * a - b / 3 + 0.4, n - 1)
    circuit.u(0.3, v[2], -v[2], 1)
    for _ in range(2):
        p, q = rng.permutation(n)[:2].tolist()
        circuit.cx(p, q)
        circuit.rzz(v[1] * 0.7, p, q)
        circuit.crx(rng.normal(), q, p)
        circuit.sxdg(p)
    circuit.append(QFTGate(2), [1, 0])
    return circuit


def observables(rng: np.random.Generator, n: int, shape: tuple[int, ...]) -> np.ndarray:
    found = np.empty(int(np.prod(shape, dtype=int)), object)
    for place in range(len(found)):
        label, other = ("".join(rng.choice(list("IXYZ"), n)) for _ in range(2))
        kinds = [
            label,
            Pauli(label),
            -Pauli(label),
            SparsePauliOp([label, "I" * n], [0.7, -0.2]),
            {label: 0.3, "Z" * n: -1.5} if label != "Z" * n else label,
            SparseObservable.from_list([(label, 1.5)]),
            SparsePauliOp([label, other], rng.normal(size=2)),
        ]
        found[place] = kinds[place % len(kinds)]
    return found.reshape(shape)


SHAPES = [((), ()), ((5,), ()), ((), (7,)), ((4,), (4,)), ((1, 3), (7, 1)), ((2, 3), (2, 2, 1))]


def test_estimators_agree_on_random_pubs(x64):
    rng, pubs = np.random.default_rng(0), []
    for number, (sets, asked) in enumerate(SHAPES):
        circuit = random_circuit(np.random.default_rng(number % 2))
        values = rng.normal(size=(*sets, circuit.num_parameters))
        names = {p.name: values[..., i] for i, p in enumerate(circuit.parameters)}
        forms = [values, names, {tuple(circuit.parameters): values}]
        pubs.append((circuit, observables(rng, 3, asked), forms[number % 3]))
    job = Estimator(method=Statevector(jnp.complex128)).run(pubs)
    theirs, mine = StatevectorEstimator().run(pubs).result(), job.result()
    assert len(job.jobs) == 2 and len(mine) == len(theirs) and set(theirs.metadata) <= set(mine.metadata)
    for here, there in zip(mine, theirs, strict=True):
        assert list(here.data) == list(there.data) and here.data.shape == there.data.shape
        assert here.data.evs.shape == there.data.evs.shape == here.data.stds.shape
        np.testing.assert_allclose(here.data.evs, there.data.evs, atol=1e-10)
        np.testing.assert_allclose(here.data.stds, there.data.stds, atol=1e-10)
        assert set(there.metadata) <= set(here.metadata)


def test_forms_of_observables_and_values(x64):
    circuit = real_amplitudes(2, reps=1)
    values = np.linspace(-1, 2, 4)
    method = Statevector(jnp.complex128)
    vector = next(iter(circuit.parameters)).vector
    forms = [
        ["ZI", "XY"],
        PauliList(["ZI", "XY"]),
        ObservablesArray(["ZI", "XY"]),
        [Pauli("ZI"), {Pauli("XY"): 1.0}],
        [SparsePauliOp("ZI"), SparsePauliOp("XY")],
    ]
    want = StatevectorEstimator().run([(circuit, forms[0], values)]).result()[0].data.evs
    sets = (values, {vector: values}, dict(zip(circuit.parameters, values, strict=True)))
    result = Estimator(method=method).run([(circuit, form, given) for form in forms for given in sets]).result()
    for pub in result:
        np.testing.assert_allclose(pub.data.evs, want, atol=1e-12)
    bound = BindingsArray({tuple(circuit.parameters): np.stack([values, 2 * values])})
    pub = EstimatorPub.coerce((circuit, "ZI", bound.as_array(circuit.parameters)))
    assert pub.shape == (2,) and pub.circuit is circuit


SCRIPT = """
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

theta = Parameter("θ")
circuit = QuantumCircuit(2)
circuit.h(0)
circuit.cx(0, 1)
circuit.ry(theta, 0)
hamiltonian = SparsePauliOp(["ZZ", "XI"], [1.0, 0.5])
job = StatevectorEstimator(default_precision=0.0, seed=1).run([(circuit, hamiltonian, [[0.1], [0.2]])])
result = job.result()
evs, stds = result[0].data.evs, result[0].data["stds"]
energies = [float(e) for e in evs]
measured = circuit.copy()
measured.x(1)
measured.measure_all()
sampler = StatevectorSampler(default_shots=10, seed=12)
job = sampler.run([(measured, [0.0]), (measured, [0.0], 30)], shots=20)
assert job.job_id()
data = [pub.data.meas for pub in job.result()]
shots = [bits.num_shots for bits in data]
outcomes = sorted(data[1].get_counts())
shapes = [result[0].data.shape, data[0].shape, data[0].array.shape]
"""


def test_a_script_runs_with_the_import_line_changed():
    theirs, mine = {}, {}
    exec("from qiskit.primitives import StatevectorEstimator, StatevectorSampler" + SCRIPT, theirs)
    imports = "from qsim.primitives import Estimator as StatevectorEstimator, Sampler as StatevectorSampler"
    exec(imports + SCRIPT, mine)
    np.testing.assert_allclose(mine["energies"], theirs["energies"], atol=1e-6)
    for name in ("shots", "outcomes", "shapes"):
        assert mine[name] == theirs[name]


def test_samplers_agree_register_by_register():
    rng = np.random.default_rng(1)
    circuit = QuantumCircuit(QuantumRegister(4, "q"), ClassicalRegister(2, "alpha"), ClassicalRegister(9, "beta"))
    a, b = Parameter("a"), Parameter("b")
    circuit.ry(b, 0)
    circuit.rx(a, 1)
    circuit.cx(0, 2)
    circuit.ry(a + b, 3)
    circuit.measure([2, 0], [1, 0])
    circuit.measure([1, 3], [2, 10])
    values = rng.normal(size=(2, 1, 2))
    shots = 3000
    theirs = StatevectorSampler(seed=3).run([(circuit, values)], shots=shots).result()[0]
    mine = Sampler(key=KEY).run([(circuit, values)], shots=shots).result()[0]
    assert list(mine.data) == list(theirs.data) == ["alpha", "beta"] and mine.data.shape == theirs.data.shape
    for name in mine.data:
        here, there = mine.data[name], theirs.data[name]
        assert (here.num_bits, here.num_shots, here.shape) == (there.num_bits, there.num_shots, there.shape)
        assert here.array.shape == there.array.shape
    for place in np.ndindex(2, 1):
        joined = [r.join_data().get_counts(place) for r in (mine, theirs)]
        outcomes = sorted(set(joined[0]) | set(joined[1]))
        table = np.array([[counts.get(o, 0) for o in outcomes] for counts in joined])
        table = table[:, table.sum(axis=0) > 10]
        assert table.shape[1] > 3 and chi2_contingency(table)[1] > 1e-3
    bits = [r.data.alpha.slice_bits([1]).get_counts((0, 0)) for r in (mine, theirs)]
    assert abs(bits[0].get("1", 0) - bits[1].get("1", 0)) < 6 * np.sqrt(shots)
    means = [r.data.alpha.expectation_values([["ZI", "IZ"]]) for r in (mine, theirs)]
    np.testing.assert_allclose(means[0], means[1], atol=0.2)


@pytest.mark.slow
def test_many_pubs_of_qiskit_run_together_and_estimates_have_errors():
    circuit = random_circuit(np.random.default_rng(2))
    values = np.random.default_rng(3).normal(size=(6, circuit.num_parameters))
    job = Estimator(key=KEY).run([(circuit, "XYZ", v) for v in values], precision=0.05)
    assert len(job.jobs) == 1
    exact = StatevectorEstimator().run([(circuit, "XYZ", values)]).result()[0].data.evs
    for pub, value in zip(job.result(), exact, strict=True):
        assert abs(pub.data.evs - value) < 5 * pub.data.stds + 1e-3
        assert 0 < pub.data.stds <= 0.051


def test_gradients_through_a_circuit_of_qiskit():
    circuit = QuantumCircuit(2)
    circuit.ry(2 * Parameter("t"), 1)
    energy = lambda t: Estimator().run([(circuit, "ZI", [t])]).result()[0].data.evs  # noqa: E731
    assert jax.jit(jax.grad(energy))(0.3) == pytest.approx(-2 * np.sin(0.6), abs=1e-5)


def _measured_in_the_middle() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.reset(0)
    circuit.measure(0, 0)
    return circuit


PLAIN = QuantumCircuit(2)
PLAIN.rx(Parameter("a"), 0)
BAD = {
    "qubits": ((PLAIN, "ZII", 0.1), ObservableError, "3 qubits, but the circuit has 2"),
    "operator": ((PLAIN, SparsePauliOp("Z"), 0.1), ObservableError, "1 qubits, but the circuit has 2"),
    "complex": ((PLAIN, SparsePauliOp("ZZ", 1j), 0.1), ObservableError, "Hermitian"),
    "projectors": ((PLAIN, SparseObservable("0Z"), 0.1), ObservableError, "projectors"),
    "name": ((PLAIN, "ZZ", {"b": 0.1}), ParameterError, "Unknown parameter `b`"),
    "missing": ((PLAIN, "ZZ"), ParameterError, "No value for parameter `a`"),
    "NaN": ((PLAIN, "ZZ", np.nan), ParameterError, "values of a hold NaN"),
    "reset": ((_measured_in_the_middle(), "Z"), MethodError, "reset on qubits"),
}


@pytest.mark.parametrize("pub, kind, words", BAD.values(), ids=BAD)
def test_bad_pubs_are_named(pub, kind, words):
    with pytest.raises(kind, match=f"PUB 1: .*{words}"):
        Estimator().run([(PLAIN, "ZZ", 0.1), pub])


def test_bad_circuits_of_the_sampler():
    with pytest.raises(ResultError, match="PUB 0: .*measures nothing"):
        Sampler().run([(PLAIN, 0.1)])
    with pytest.raises(ResultError, match=r"run\(\[pub\]\)"):
        Sampler().run(PLAIN)
