"""Molecules against their known energies, excitations against fermion matrices, ansätze against their definitions."""

from __future__ import annotations

import json
from itertools import combinations

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import expm

from qsim._errors import CircuitError, ObservableError, SerialError
from qsim.ir.circuit import Circuit
from qsim.ir.serial import from_json, to_json
from qsim.library import (
    MOLECULES,
    excitation,
    excitations,
    hardware_efficient,
    molecule,
    transverse_field_ising,
    uccsd,
)


def run(circuit: Circuit, state: np.ndarray | None = None) -> np.ndarray:
    """The final state by dense matrices, one operation at a time, from |0...0> or another state."""
    n = circuit.num_qubits
    state = np.eye(1, 2**n, dtype=complex) if state is None else state.astype(complex)
    state = state.reshape((2,) * n)
    for i in circuit.instructions:
        k = len(i.qubits)
        matrix = np.asarray(i.operation.matrix(np)).reshape((2,) * 2 * k)
        state = np.moveaxis(np.tensordot(matrix, state, (range(k, 2 * k), i.qubits)), range(k), i.qubits)
    return state.reshape(-1)


def annihilation(orbital: int, size: int) -> np.ndarray:
    """a_j under Jordan-Wigner, as Kronecker products."""
    factors = [np.diag([1, -1])] * orbital + [np.array([[0, 1], [0, 0]])] + [np.eye(2)] * (size - orbital - 1)
    matrix = np.eye(1)
    for factor in factors:
        matrix = np.kron(matrix, factor)
    return matrix


@pytest.mark.parametrize("name", MOLECULES)
def test_molecules_are_as_the_files_say(name):
    m = molecule(name)
    assert m.name == name and m.hamiltonian.num_qubits == m.num_qubits and m.hamiltonian.is_hermitian
    assert m.hartree_fock.count("1") == m.num_electrons and len(m.hartree_fock) == m.num_qubits
    assert molecule(name).hamiltonian == m.hamiltonian
    energy = sum(  # of the determinant: the diagonal terms, with (-1) for each occupied Z
        c * np.prod([-1.0 if m.hartree_fock[q] == "1" else 1.0 for q, _ in string])
        for string, c in zip(m.hamiltonian.strings, m.hamiltonian.coefficients, strict=True)
        if all(letter == "Z" for _, letter in string)
    )
    assert energy == pytest.approx(m.hartree_fock_energy, abs=1e-8)


@pytest.mark.parametrize("name", ["h2", "h4", "lih", pytest.param("beh2", marks=pytest.mark.slow)])
def test_ground_states_are_the_fci_energies(name):
    m = molecule(name)
    energy, state = m.hamiltonian.ground_state(m.num_qubits)
    assert energy == pytest.approx(m.fci_energy, abs=1e-6)
    sparse = m.hamiltonian.to_sparse(m.num_qubits)
    assert np.vdot(state, sparse @ state).real == pytest.approx(m.fci_energy, abs=1e-6)
    determinant = int(m.hartree_fock, 2)
    assert sparse[determinant, determinant].real == pytest.approx(m.hartree_fock_energy, abs=1e-8)


def test_water_is_grouped_quickly():
    groups = molecule("h2o").hamiltonian.commuting_groups()
    assert sum(map(len, groups)) == 1086 and len(groups) < 400
    assert len(molecule("h2o").hamiltonian.commuting_groups(qubit_wise=False)) < 100


def test_a_molecule_from_a_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"num_qubits": 2, "num_electrons": 1, "terms": [["ZI", 0.5], ["XX", 0.25]]}))
    for source in (path, str(path)):
        m = molecule(source)
        assert (m.name, m.hartree_fock, m.fci_energy, m.hartree_fock_energy) == ("mine", "10", None, None)
        assert m.hamiltonian.labels(2) == ("ZI", "XX")


def test_a_molecule_has_a_name_or_a_path():
    with pytest.raises(SerialError, match="`source` must be a name or a path, but is int"):
        molecule(3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_qubits": 0}, r"\$\.num_qubits"),
        ({"num_qubits": 10**9}, r"\$\.num_qubits"),
        ({"num_electrons": 3}, r"\$\.num_electrons"),
        ({"terms": [["XXX", 1.0]]}, r"\$\.terms\[0\]\[0\]: must be a label of 2"),
        ({"terms": [["XQ", 1.0]]}, r"\$\.terms\[0\]\[0\]"),
        ({"terms": [["XX", "1"]]}, r"\$\.terms\[0\]\[1\]"),
        ({"terms": [["XX"]]}, r"\$\.terms\[0\]: must have 2"),
        ({"terms": None}, r"\$\.terms: must be a list"),
        ({"hartree_fock_bitstring": "11"}, "with 1 ones"),
        ({"mapping": "parity"}, "jordan_wigner"),
        ({"fci_energy": "low"}, r"\$\.fci_energy"),
    ],
)
def test_a_bad_molecule_file_is_refused_where_it_is_bad(tmp_path, change, words):
    path = tmp_path / "mine.json"
    data = {"num_qubits": 2, "num_electrons": 1, "terms": [["ZI", 0.5]]}
    path.write_text(json.dumps(data | change))
    with pytest.raises(SerialError, match=words) as error:
        molecule(path)
    assert str(path) in str(error.value)


def test_unknown_molecules_and_files():
    with pytest.raises(SerialError, match="no molecule 'unobtainium' here, only h2"):
        molecule("unobtainium")
    with pytest.raises(SerialError, match=r"none\.json: cannot be read"):
        molecule("none.json")


@pytest.mark.parametrize(("electrons", "orbitals"), [(2, 4), (2, 6), (4, 8), (3, 6), (4, 12), (0, 4), (4, 4), (10, 14)])
def test_excitations_are_all_that_keep_the_spin(electrons, orbitals):
    found = excitations(electrons, orbitals)
    expected = [
        (s, t)
        for k in (1, 2)
        for s in combinations(range(electrons), k)
        for t in combinations(range(electrons, orbitals), k)
        if sorted(x % 2 for x in s) == sorted(x % 2 for x in t)
    ]
    assert list(found) == expected
    if (electrons, orbitals) == (4, 12):
        assert len(found) == 92


@pytest.mark.parametrize(
    ("source", "target"),
    [((0,), (1,)), ((0,), (2,)), ((1,), (4,)), ((0, 1), (2, 3)), ((0, 2), (3, 4)), ((1, 3), (0, 4)), ((2,), (0,))],
)
def test_generators_are_jordan_wigner(source, target):
    size = 5
    raising = np.eye(2**size)
    for orbital in target:
        raising = raising @ annihilation(orbital, size).T
    for orbital in reversed(source):
        raising = raising @ annihilation(orbital, size)
    generator = excitation(source, target)
    np.testing.assert_allclose(generator.to_matrix(size), 1j * (raising - raising.T), atol=1e-15)
    assert generator.coefficients.dtype == np.float64
    assert len(generator.commuting_groups(qubit_wise=False)) == 1
    theta = 0.37
    np.testing.assert_allclose(
        expm(-1j * theta * generator.to_matrix(size)), expm(theta * (raising - raising.T)), atol=1e-12
    )


def test_uccsd_is_the_product_of_its_excitations():
    electrons, orbitals = 2, 6
    pairs = excitations(electrons, orbitals)
    angles = np.random.default_rng(0).normal(size=len(pairs))
    circuit = uccsd(electrons, orbitals)
    assert circuit.count_ops() == {"x": 2, "pauli_evolution": len(pairs)}
    assert circuit.parameter_shapes() == {"theta": (len(pairs),)}
    state = np.zeros(2**orbitals)
    state[int("110000", 2)] = 1
    for angle, (source, target) in zip(angles, pairs, strict=True):
        raising = np.eye(2**orbitals)
        for orbital in target:
            raising = raising @ annihilation(orbital, orbitals).T
        for orbital in reversed(source):
            raising = raising @ annihilation(orbital, orbitals)
        state = expm(angle * (raising - raising.T)) @ state
    np.testing.assert_allclose(run(circuit.bind({"theta": angles})), state, atol=1e-12)


@pytest.mark.parametrize(("name", "electrons", "orbitals"), [("h2", 2, 4), ("h4", 4, 8)])
def test_uccsd_starts_at_hartree_fock(name, electrons, orbitals):
    m = molecule(name)
    circuit = uccsd(electrons, orbitals)
    shape = circuit.parameter_shapes()["theta"]
    state = run(circuit.bind({"theta": np.zeros(shape)}))
    assert abs(state[int(m.hartree_fock, 2)]) == pytest.approx(1)
    energy = np.vdot(state, m.hamiltonian.to_sparse(orbitals) @ state).real
    assert energy == pytest.approx(m.hartree_fock_energy, abs=1e-8)


def test_uccsd_reaches_the_ground_state_of_hydrogen():
    m = molecule("h2")
    circuit = uccsd(2, 4)
    sparse = m.hamiltonian.to_sparse(4)
    energies = []
    for angle in np.linspace(-0.3, 0.3, 121):
        state = run(circuit.bind({"theta": np.array([0, 0, angle])}))
        energies.append(np.vdot(state, sparse @ state).real)
    assert min(energies) == pytest.approx(m.fci_energy, abs=1e-5)


def test_uccsd_without_excitations():
    for electrons, orbitals in [(0, 3), (3, 3), (0, 0)]:
        circuit = uccsd(electrons, orbitals)
        assert circuit.parameters == () and len(circuit) == electrons


def test_uccsd_is_saved_and_loaded():
    circuit = uccsd(2, 4)
    assert from_json(to_json(circuit)).key == circuit.key


def test_hardware_efficient():
    circuit = hardware_efficient(3, 2, periodic=True)
    assert circuit.count_ops() == {"ry": 6, "rz": 6, "cz": 6}
    assert circuit.parameter_shapes() == {"theta": (2, 2, 3)}
    first = [(i.operation.name, i.qubits, *map(str, i.operation.params)) for i in circuit.instructions[:9]]
    assert first == [
        *(("ry", (q,), f"theta[0,0,{q}]") for q in range(3)),
        *(("rz", (q,), f"theta[0,1,{q}]") for q in range(3)),
        ("cz", (0, 1)),
        ("cz", (1, 2)),
        ("cz", (2, 0)),
    ]
    assert hardware_efficient(1, 3).count_ops() == {"ry": 3, "rz": 3}
    assert len(hardware_efficient(4, 0)) == 0
    with pytest.raises(CircuitError, match="1 qubit or more"):
        hardware_efficient(0, 1)


def test_ising():
    chain = transverse_field_ising(4, j=0.5, h=2.0, periodic=True)
    assert chain.labels(4) == ("ZZII", "IZZI", "IIZZ", "ZIIZ", "XIII", "IXII", "IIXI", "IIIX")
    np.testing.assert_array_equal(chain.coefficients, [-0.5] * 4 + [-2.0] * 4)
    assert transverse_field_ising(1).labels() == ("X",)
    assert len(transverse_field_ising(2, periodic=True)) == 3
    assert transverse_field_ising(3, j=jnp.float32(1), h=2.0).coefficients.shape == (5,)
    with pytest.raises(ObservableError, match="at least 1"):
        transverse_field_ising(0)


def test_bad_excitations_are_named():
    with pytest.raises(CircuitError, match="num_electrons"):
        uccsd(5, 4)
    with pytest.raises(CircuitError, match="num_electrons"):
        excitations(-1, 4)
    with pytest.raises(ObservableError, match="different spin orbitals"):
        excitation([0], [0])
    with pytest.raises(ObservableError, match="different spin orbitals"):
        excitation([0, 1], [2])
