"""Molecules by unitary coupled cluster: evolutions under long Pauli strings, Hamiltonians of 600 terms and more."""

from __future__ import annotations

from benchmarks.circuits import parameters
from benchmarks.data import Scale, Task, Workload
from benchmarks.fermions import molecule, uccsd

NAMES = {Scale.TINY: ["h2"], Scale.QUICK: ["h4_chain"], Scale.FULL: ["lih", "h2o"], Scale.GPU: ["lih", "h2o"]}


def workloads(scale: Scale) -> list[Workload]:
    """Value and gradient of the energy, away from Hartree-Fock."""
    made = []
    for name in NAMES[scale]:
        n, electrons, hamiltonian = molecule(name)
        gates, used = uccsd(electrons, n)
        made.append(Workload(f"{name} n={n}", Task.GRADIENT, n, gates, hamiltonian, 0.2 * parameters(used)))
    return made
