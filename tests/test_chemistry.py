"""Operators of OpenFermion and molecules of PySCF, against those packages where they are installed."""

from __future__ import annotations

import numpy as np
import pytest

from qsim import PauliSum
from qsim._errors import ObservableError
from qsim.library import excitation, from_openfermion, from_pyscf, hubbard, molecule


def random(shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


class Terms:
    def __init__(self, terms):
        self.terms = terms


def test_operators_of_openfermion():
    assert from_openfermion(Terms({((0, "X"), (2, "Y")): 0.5, (): -1})) == PauliSum(
        [((0, "X"), (2, "Y")), ()], [0.5, -1.0]
    )
    found = from_openfermion(Terms({((1, 1), (0, 0)): 1j, ((0, 1), (1, 0)): -1j}))
    np.testing.assert_allclose(found.to_matrix(2), excitation([0], [1]).to_matrix(2), atol=1e-15)
    for bad in (3, Terms([]), Terms({((0, "Q"),): 1.0})):
        with pytest.raises(ObservableError, match="QubitOperator"):
            from_openfermion(bad)
    with pytest.raises(ObservableError, match="must be a number"):
        from_openfermion(Terms({(): "x"}))


def test_openfermions_own_operators():
    of = pytest.importorskip("openfermion")
    theirs = of.fermi_hubbard(2, 3, 1.3, 2.5, chemical_potential=0.4, periodic=True)
    ours = hubbard((3, 2), 1.3, 2.5, 0.4, periodic=True)
    mapped = from_openfermion(of.jordan_wigner(theirs))
    for found in (from_openfermion(theirs), mapped):
        difference = (found - ours).simplify(1e-12)
        assert len(difference) == 0
    values = random((4, 4)) + random((4, 4)).T
    operator = of.InteractionOperator(0.5, values, random((4,) * 4, 1))
    expected = from_openfermion(of.get_fermion_operator(operator))
    assert len((from_openfermion(operator) - expected).simplify(1e-12)) == 0


@pytest.mark.parametrize(
    "name, atoms",
    [
        ("h2", "H 0 0 0; H 0 0 0.7414"),
        ("h4_chain", "H 0 0 0.0; H 0 0 1.0; H 0 0 2.0; H 0 0 3.0"),
        ("lih", "Li 0 0 0; H 0 0 1.595"),
    ],
)
def test_molecules_of_pyscf(name, atoms):
    pyscf = pytest.importorskip("pyscf")
    known = molecule(name)
    mole = pyscf.gto.M(atom=atoms, basis="sto-3g", verbose=0)
    found = from_pyscf(mole, fci=True)
    assert (found.num_qubits, found.num_electrons, found.hartree_fock) == (
        known.num_qubits,
        known.num_electrons,
        known.hartree_fock,
    )
    assert found.hartree_fock_energy == pytest.approx(known.hartree_fock_energy, abs=1e-7)
    assert found.fci_energy == pytest.approx(known.fci_energy, abs=1e-7)
    assert found.hamiltonian.ground_state(found.num_qubits)[0] == pytest.approx(known.fci_energy, abs=1e-6)


def test_bad_molecules_of_pyscf():
    with pytest.raises(ObservableError, match="PySCF"):
        from_pyscf(3)
    pyscf = pytest.importorskip("pyscf")
    with pytest.raises(ObservableError, match="closed shell"):
        from_pyscf(pyscf.gto.M(atom="Li 0 0 0", basis="sto-3g", spin=1, verbose=0))
    mole = pyscf.gto.M(atom="H 0 0 0; H 0 0 0.7", basis="sto-3g", verbose=0)
    with pytest.raises(ObservableError, match="restricted"):
        from_pyscf(mole.UHF())
