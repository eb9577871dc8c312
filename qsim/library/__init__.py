"""Ansätze, feature maps, problem Hamiltonians and molecules."""

from qsim.library.ansatz import hardware_efficient, strongly_entangling, two_local
from qsim.library.chemistry import from_openfermion, from_pyscf
from qsim.library.coupled_cluster import adapt_pool, evolve, hartree_fock, k_upccgsd, uccsd
from qsim.library.feature_maps import data_reuploading, fidelity_circuit, iqp, zz_feature_map
from qsim.library.fermions import excitation, excitations, generalized_excitations, jordan_wigner
from qsim.library.hubbard import hubbard
from qsim.library.lattice import chain_edges, complete_edges, grid_edges
from qsim.library.maxcut import maxcut
from qsim.library.mixers import GroverMixer, HamiltonianMixer, Mixer, XMixer, XYMixer, dicke_state
from qsim.library.molecule import MOLECULES, Molecule, molecule
from qsim.library.qaoa import qaoa
from qsim.library.spins import heisenberg, transverse_field_ising, xxz

__all__ = [
    "MOLECULES",
    "GroverMixer",
    "HamiltonianMixer",
    "Mixer",
    "Molecule",
    "XMixer",
    "XYMixer",
    "adapt_pool",
    "chain_edges",
    "complete_edges",
    "data_reuploading",
    "dicke_state",
    "evolve",
    "excitation",
    "excitations",
    "fidelity_circuit",
    "from_openfermion",
    "from_pyscf",
    "generalized_excitations",
    "grid_edges",
    "hardware_efficient",
    "hartree_fock",
    "heisenberg",
    "hubbard",
    "iqp",
    "jordan_wigner",
    "k_upccgsd",
    "maxcut",
    "molecule",
    "qaoa",
    "strongly_entangling",
    "transverse_field_ising",
    "two_local",
    "uccsd",
    "xxz",
    "zz_feature_map",
]
