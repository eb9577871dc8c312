"""Molecules as qubit Hamiltonians, from the files shipped here or from one's own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from qsim._errors import SerialError
from qsim.ir.json_nodes import Node, parse, read_file
from qsim.ir.pauli import PauliSum

MOLECULES = ("h2", "h4_chain", "lih", "beh2", "h2o")
"""The molecules that come with qsim, in the STO-3G basis."""

MAX_QUBITS = 128
MAX_TERMS = 2_000_000

_ALIASES = {"h4": "h4_chain"}


@dataclass(frozen=True, slots=True)
class Molecule:
    """A molecule in a finite basis: its Hamiltonian after the Jordan-Wigner mapping, and what is known of it.

    Spin orbital i is qubit i, alpha and beta interleaved; energies in hartree.

    Attributes:
        name: what it is called.
        hamiltonian: the Hamiltonian, nuclear repulsion included.
        num_qubits: the number of spin orbitals. num_electrons: the number of electrons.
        hartree_fock: the occupations of the Hartree-Fock determinant, a bit string.
        hartree_fock_energy: its energy, or None where unknown.
        fci_energy: the lowest energy with that number of electrons, or None where unknown.

    Example:
        >>> from qsim.library import molecule
        >>> h2 = molecule("h2")
        >>> h2.num_qubits, h2.num_electrons, h2.hartree_fock
        (4, 2, '1100')
    """

    name: str
    hamiltonian: PauliSum
    num_qubits: int
    num_electrons: int
    hartree_fock: str
    hartree_fock_energy: float | None = None
    fci_energy: float | None = None

    def __repr__(self) -> str:
        return (
            f"Molecule({self.name!r}, {self.num_electrons} electrons on {self.num_qubits} qubits, "
            f"{len(self.hamiltonian)} terms, fci_energy={self.fci_energy})"
        )


def molecule(source: str | Path) -> Molecule:
    """A molecule by name ("h2", "h4", "lih", "beh2", "h2o"), or from a JSON file.

    A file has the members `num_qubits`, `num_electrons`, `terms` (pairs of a Pauli label, whose
    character i acts on qubit i, and a real number) and, optionally, `name`,
    `hartree_fock_bitstring`, `hartree_fock_energy`, `fci_energy` and `mapping`
    ("jordan_wigner", the only one read). Other members are left alone.

    Args:
        source: a name of `MOLECULES`, or the path of a file: a `Path`, or a string that ends in
            ".json" or has a slash in it.

    Raises:
        SerialError: an unknown name, or a file that is not such a one; says where.

    Example:
        >>> from qsim.library import molecule
        >>> molecule("lih")
        Molecule('lih', 4 electrons on 12 qubits, 631 terms, fci_energy=-7.882401932290224)
    """
    if not isinstance(source, (str, Path)):
        raise SerialError(f"Argument `source` must be a name or a path, but is {type(source).__name__}.")
    if isinstance(source, Path) or source.endswith(".json") or "/" in source or "\\" in source:
        path = Path(source)
        try:
            return _read(read_file(path), path.stem)
        except SerialError as error:
            raise error if str(error).startswith(str(path)) else SerialError(f"{path}: {error}") from None
    name = _ALIASES.get(source.lower(), source.lower())
    if name not in MOLECULES:
        raise SerialError(
            f"There is no molecule {source!r} here, only {', '.join(MOLECULES)}. Give the path of a file that ends "
            "in .json for others."
        )
    return _read(parse(files("qsim.library").joinpath("data", f"{name}.json").read_text("utf-8"), name), name)


def _read(node: Node, default_name: str) -> Molecule:
    num_qubits = node.get("num_qubits").integer(1, MAX_QUBITS)
    num_electrons = node.get("num_electrons").integer(0, num_qubits)
    mapping = node.get("mapping", "jordan_wigner")
    if mapping.text() != "jordan_wigner":
        mapping.expect("'jordan_wigner'")
    filled = "1" * num_electrons + "0" * (num_qubits - num_electrons)
    bits = node.get("hartree_fock_bitstring", filled)
    if len(bits.text()) != num_qubits or set(bits.value) - {"0", "1"} or bits.value.count("1") != num_electrons:
        bits.expect(f"{num_qubits} characters of 0 and 1 with {num_electrons} ones")
    terms = []
    for term in node.get("terms").items(MAX_TERMS):
        label, coefficient = term.items(2, size=2)
        if len(label.text()) != num_qubits or set(label.value) - set("IXYZ"):
            label.expect(f"a label of {num_qubits} letters I, X, Y, Z")
        terms.append((label.value, coefficient.number()))
    energies = [node.get(key, None) for key in ("hartree_fock_energy", "fci_energy")]
    return Molecule(
        node.get("name", default_name).text(100),
        PauliSum.from_list(terms),
        num_qubits,
        num_electrons,
        bits.value,
        *(None if energy.is_null else energy.number() for energy in energies),
    )
