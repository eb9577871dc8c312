"""`qsim vqe`: the ground state of a molecule by a variational circuit."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from qsim._errors import ResultError
from qsim._execute import execute_with_defaults
from qsim.cli.lbfgs import minimize
from qsim.draw import loss_curve
from qsim.draw.figures import new_figure
from qsim.ir.circuit import Circuit
from qsim.library import Molecule, hardware_efficient, molecule, uccsd
from qsim.results import Expectation, Norm

CHEMICAL_ACCURACY = 1.6e-3
"""In hartree: 1 kcal/mol."""


def vqe(arguments: argparse.Namespace) -> int:
    """Minimise the energy of a molecule, show the way, and say how far it is from the exact one."""
    problem = molecule(arguments.molecule)
    path: str | None = arguments.plot
    figure = None if path is None else _figure(path)
    circuit, start = ansatz(arguments.ansatz, problem, arguments.layers, arguments.seed)
    print(
        f"{problem.name}: {problem.num_electrons} electrons on {problem.num_qubits} qubits, "
        f"{len(problem.hamiltonian)} terms; {arguments.ansatz}, {start.size} parameters",
        flush=True,
    )
    results = (Expectation(problem.hamiltonian), Norm())

    def energy(theta: Any) -> Any:
        # over the norm, which thousands of gates in complex64 move by some 1e-6
        value, norm = execute_with_defaults(circuit, results, {"theta": theta} if theta.size else {})
        return value / norm**2

    with tqdm(total=arguments.steps, desc="compiling", unit="step", file=sys.stderr, dynamic_ncols=True) as bar:
        energies = []
        for value in minimize(energy, start, arguments.steps):
            _show(bar, value, len(energies), problem.fci_energy)
            energies.append(value)
    if path is not None:
        _draw(figure, energies, problem, path)
        print(f"wrote {path}")
    line, status = verdict(energies[-1], problem.fci_energy)
    print(line)
    return status


def ansatz(kind: str, problem: Molecule, layers: int, seed: int) -> tuple[Circuit, np.ndarray]:
    """The circuit, with its angles in a vector `theta`, and the angles to start from."""
    if kind == "uccsd":
        circuit = uccsd(problem.num_electrons, problem.num_qubits)
        return circuit, np.zeros(circuit.parameter_shapes().get("theta", (0,)))
    # from |0...0>, not from Hartree-Fock, where it would stay
    angles = np.random.default_rng(seed).normal(0.0, 0.1, (layers, 2, problem.num_qubits))
    return hardware_efficient(problem.num_qubits, layers), angles


def verdict(energy: float, exact: float | None) -> tuple[str, int]:
    """The last line, and the exit status."""
    if exact is None:
        return f"energy {energy:.6f} Ha  FCI unknown", 0
    error = energy - exact
    line = f"energy {energy:.6f} Ha  FCI {exact:.6f} Ha  error {_milli(error)} mHa"
    return line, int(not abs(error) <= CHEMICAL_ACCURACY)


def _milli(hartree: float) -> str:
    """In thousandths, three digits, without a minus sign before zero."""
    return f"{round(1e3 * hartree, 3) + 0.0:.3f}"


def _show(bar: tqdm, energy: float, step: int, exact: float | None) -> None:
    """Bring the progress bar up to date after a step."""
    text = f"{energy:.6f} Ha"
    if exact is not None:
        text += f", {_milli(energy - exact)} mHa above FCI"
    bar.set_description("vqe", refresh=False)
    bar.set_postfix_str(text, refresh=False)
    bar.update(step - bar.n)
    bar.refresh()


def _figure(path: str) -> Any:
    """An empty picture, made before the work starts, so that what is missing is said first."""
    if not Path(path).resolve().parent.is_dir():
        raise FileNotFoundError(f"--plot: there is no folder {Path(path).parent}")
    figure = new_figure(6, 4)
    known = figure.canvas.get_supported_filetypes()
    if Path(path).suffix[1:].lower() not in known:
        raise ResultError(f"--plot: the file name must end in one of {', '.join(sorted(known))}, but is {path!r}.")
    return figure


def _draw(figure: Any, energies: list[float], problem: Molecule, path: str) -> None:
    title = f"{problem.name}: {energies[-1]:.6f} Ha"
    exact, axes = problem.fci_energy, figure.add_subplot()
    if exact is None:
        loss_curve(energies, ylabel="energy / Ha", title=title, ax=axes)
    else:
        errors = [max(1e-3, 1e3 * abs(e - exact)) for e in energies]
        bound = {"chemical accuracy, 1.6 mHa": 1e3 * CHEMICAL_ACCURACY}
        loss_curve({"VQE": errors}, reference=bound, log=True, ylabel="energy above FCI / mHa", title=title, ax=axes)
    figure.savefig(path, dpi=150)
