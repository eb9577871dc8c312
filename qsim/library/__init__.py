"""Ansätze, problem Hamiltonians and molecules."""

from qsim.library.ansatz import hardware_efficient
from qsim.library.ising import transverse_field_ising
from qsim.library.molecule import MOLECULES, Molecule, molecule
from qsim.library.uccsd import excitation, excitations, uccsd

__all__ = [
    "MOLECULES",
    "Molecule",
    "excitation",
    "excitations",
    "hardware_efficient",
    "molecule",
    "transverse_field_ising",
    "uccsd",
]
