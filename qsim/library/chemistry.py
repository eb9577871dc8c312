"""Operators of OpenFermion and molecules of PySCF, taken over."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import ObservableError
from qsim.ir.pauli import PauliSum
from qsim.library.fermions import Ladder, jordan_wigner
from qsim.library.molecule import Molecule

TOLERANCE = 1e-12


def from_openfermion(operator: Any) -> PauliSum:
    """An operator of OpenFermion as a Pauli sum: qubit and spin orbital numbers stay, fermions by Jordan-Wigner.

    Args:
        operator: a `QubitOperator`, `FermionOperator` or `InteractionOperator`.

    Raises:
        ObservableError: another object, or coefficients that are no numbers (symbols, say).

    Example:
        Any object with their `terms` will do, so OpenFermion need not be installed:

        >>> from types import SimpleNamespace
        >>> from qsim.library import from_openfermion
        >>> from_openfermion(SimpleNamespace(terms={((0, "X"), (2, "Z")): 0.5, (): 1.0}))
        0.5*X(0)@Z(2) + 1.0*I()
        >>> from_openfermion(SimpleNamespace(terms={((1, 1), (1, 0)): 2.0}))
        1.0*I() - 1.0*Z(1)
    """
    terms = getattr(operator, "terms", None)
    if isinstance(terms, dict):
        letters = {action for term in terms for _, action in term}
        if letters <= {"X", "Y", "Z"}:
            values = [_number(value) for value in terms.values()]
            is_real = not any(value.imag for value in values)
            return PauliSum(list(terms), [value.real for value in values] if is_real else values)
        if letters <= {0, 1}:
            return jordan_wigner(
                {tuple((j, bool(a)) for j, a in term): _number(value) for term, value in terms.items()}
            )
    if all(hasattr(operator, part) for part in ("constant", "one_body_tensor", "two_body_tensor")):
        return jordan_wigner(_terms(operator.constant, operator.one_body_tensor, operator.two_body_tensor))
    raise ObservableError(
        "Argument `operator` must be a QubitOperator, FermionOperator or InteractionOperator of OpenFermion, but is "
        f"{type(operator).__name__}."
    )


def from_pyscf(source: Any, name: str | None = None, *, fci: bool = False) -> Molecule:
    """A molecule of PySCF in its basis of Hartree-Fock orbitals, all of them active.

    Args:
        source: a `pyscf.gto.Mole`, whose restricted Hartree-Fock is then run, or an RHF or ROHF
            object of one's own, run here where it has not been.
        name: what it is called; None is its formula.
        fci: True to compute the lowest energy with that number of electrons too.

    Returns:
        The `Molecule`, spin orbitals interleaved, energies in hartree.

    Raises:
        ObservableError: another object, Hartree-Fock that does not converge, an unrestricted one,
            or an open shell (more alpha than beta electrons).

    Example:
        >>> from qsim.library import from_pyscf
        >>> from_pyscf("H 0 0 0; H 0 0 0.735")
        Traceback (most recent call last):
        ...
        qsim._errors.ObservableError: Argument `source` must be a Mole or a restricted Hartree-Fock object of PySCF, ...
    """
    field = source.RHF() if hasattr(source, "atom_coords") and hasattr(source, "nelec") else source
    if not all(hasattr(field, part) for part in ("mol", "get_hcore", "mo_coeff", "kernel")):
        raise ObservableError(
            "Argument `source` must be a Mole or a restricted Hartree-Fock object of PySCF, but is "
            f"{type(source).__name__}. Try pyscf.gto.M(atom='H 0 0 0; H 0 0 0.735', basis='sto-3g')."
        )
    mole = field.mol
    if mole.nelec[0] != mole.nelec[1]:
        raise ObservableError(
            f"Argument `source` must have a closed shell, but has {mole.nelec[0]} alpha and {mole.nelec[1]} beta "
            "electrons."
        )
    if field.mo_coeff is None:
        field.verbose = min(field.verbose, 3)
        field.kernel()
    if not field.converged:
        raise ObservableError("Argument `source`: Hartree-Fock did not converge. Try more cycles: mf.max_cycle = 200.")
    orbitals = np.asarray(field.mo_coeff)
    if orbitals.ndim != 2 or np.iscomplexobj(orbitals):
        raise ObservableError("Argument `source` must be restricted Hartree-Fock with real orbitals. Try mol.RHF().")
    size = orbitals.shape[1]
    one = orbitals.T @ field.get_hcore() @ orbitals
    ao2mo = import_module("pyscf.ao2mo")
    two = ao2mo.restore(1, ao2mo.kernel(mole, orbitals), size)
    electrons, constant = mole.nelectron, mole.energy_nuc()
    # (pq|rs) a^dagger_p a^dagger_r a_s a_q / 2, for both spins of each pair
    spins = np.eye(2)
    one_body = np.kron(one, spins)
    two_body = 0.5 * np.einsum("pqrs,ab,cd->paqbrcsd", two, spins, spins).reshape((2 * size,) * 4)
    exact = None
    if fci:
        solver = import_module("pyscf.fci").FCI(field)
        exact = float(solver.kernel()[0])
    return Molecule(
        mole_name(mole) if name is None else name,
        jordan_wigner(_terms(constant, one_body, two_body.transpose(0, 2, 3, 1))),
        2 * size,
        check_int("electrons", electrons, ObservableError),
        "1" * electrons + "0" * (2 * size - electrons),
        float(field.e_tot),
        exact,
    )


def mole_name(mole: Any) -> str:
    """The formula of a PySCF molecule, elements in order of first use: "LiH", "H2O"."""
    symbols = [mole.atom_pure_symbol(k) for k in range(mole.natm)]
    counts = {symbol: symbols.count(symbol) for symbol in symbols}
    return "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in counts.items())


def _terms(constant: Any, one_body: np.ndarray, two_body: np.ndarray) -> dict[tuple[Ladder, ...], Any]:
    """constant + sum h_pq a^dagger_p a_q + sum g_pqrs a^dagger_p a^dagger_q a_r a_s, as products."""
    terms: dict[tuple[Ladder, ...], Any] = {(): _number(constant)}
    for p, q in np.argwhere(np.abs(one_body) > TOLERANCE).tolist():
        terms[(p, True), (q, False)] = one_body[p, q]
    for p, q, r, s in np.argwhere(np.abs(two_body) > TOLERANCE).tolist():
        if p != q and r != s:
            terms[(p, True), (q, True), (r, False), (s, False)] = two_body[p, q, r, s]
    return terms


def _number(value: Any) -> complex:
    try:
        return complex(value)
    except (TypeError, ValueError):
        raise ObservableError(f"A coefficient must be a number, but is {value!r}.") from None
