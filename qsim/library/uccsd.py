"""Unitary coupled cluster with single and double excitations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from qsim._errors import CircuitError, ObservableError
from qsim.ir.circuit import Circuit
from qsim.ir.ops import PauliEvolution
from qsim.ir.parameter import ParameterVector
from qsim.ir.pauli import I, PauliSum, X, Y

Excitation = tuple[tuple[int, ...], tuple[int, ...]]
"""(occupied spin orbitals, the virtual ones they go to), each sorted."""


def excitations(num_electrons: int, num_spin_orbitals: int) -> tuple[Excitation, ...]:
    """All spin-conserving singles, then all spin-conserving doubles, from the lowest spin orbitals filled.

    Even spin orbitals are alpha, odd ones beta.

    Args:
        num_electrons: how many spin orbitals are filled. num_spin_orbitals: how many there are.

    Raises:
        CircuitError: more electrons than spin orbitals, or negative numbers.

    Example:
        >>> from qsim.library import excitations
        >>> excitations(2, 4)
        (((0,), (2,)), ((1,), (3,)), ((0, 1), (2, 3)))
    """
    if not 0 <= num_electrons <= num_spin_orbitals:
        raise CircuitError(
            f"Argument `num_electrons` must be from 0 to the {num_spin_orbitals} spin orbitals, but is {num_electrons}."
        )
    occupied, virtual = range(num_electrons), range(num_electrons, num_spin_orbitals)
    return tuple(
        (source, target)
        for order in (1, 2)
        for source in combinations(occupied, order)
        for target in combinations(virtual, order)
        if sum(s % 2 for s in source) == sum(t % 2 for t in target)
    )


def excitation(source: Sequence[int], target: Sequence[int]) -> PauliSum:
    """The generator G of one excitation: exp(-i theta G) = exp(theta (T - T^dagger)) under Jordan-Wigner.

    T = a^dagger_target[0] a_source[0] for a single, and
    T = a^dagger_target[0] a^dagger_target[1] a_source[1] a_source[0] for a double;
    a_j = Z_0 .. Z_(j-1) (X_j + i Y_j) / 2. The strings of G commute with each other.

    Args:
        source: spin orbitals that lose electrons. target: those that gain them, as many.

    Raises:
        ObservableError: a spin orbital named twice, or different numbers of them.

    Example:
        >>> from qsim.library import excitation
        >>> excitation([0], [1])
        -0.5*Y(0)@X(1) + 0.5*X(0)@Y(1)
    """
    if len(source) != len(target) or len({*source, *target}) < 2 * len(source):
        raise ObservableError(
            f"Arguments `source` and `target` must be as many different spin orbitals each, but are "
            f"{tuple(source)} and {tuple(target)}."
        )
    product: PauliSum = I()
    for orbital in target:
        product = product @ _annihilation(orbital).adjoint()
    for orbital in reversed(source):
        product = product @ _annihilation(orbital)
    return (1j * (product - product.adjoint())).simplify()


def uccsd(num_electrons: int, num_spin_orbitals: int, name: str = "theta") -> Circuit:
    """The UCCSD ansatz, factorised: Hartree-Fock, then exp(theta_k (T_k - T_k^dagger)) for each excitation.

    Qubit i is spin orbital i (alpha and beta interleaved, Jordan-Wigner); the singles come
    first. Each excitation is one `pauli_evolution` on the qubits it acts on, exact since its
    strings commute. All angles zero gives the Hartree-Fock determinant.
    Reference: Anand et al., arXiv:2109.15176.

    Args:
        num_electrons: the spin orbitals 0 .. num_electrons - 1 start filled.
        num_spin_orbitals: the number of qubits.
        name: the name of the `ParameterVector`, one angle per element of `excitations(...)`, radians.

    Raises:
        CircuitError: more electrons than spin orbitals, or negative numbers.

    Example:
        >>> from qsim.library import uccsd
        >>> circuit = uccsd(2, 4)
        >>> circuit.count_ops(), circuit.parameter_shapes()
        ({'x': 2, 'pauli_evolution': 3}, {'theta': (3,)})
    """
    pairs = excitations(num_electrons, num_spin_orbitals)
    theta = ParameterVector(name, len(pairs))
    circuit = Circuit(num_spin_orbitals)
    circuit.x(range(num_electrons))
    for k, (source, target) in enumerate(pairs):
        generator = excitation(source, target)
        qubits = generator.support
        places = {qubit: i for i, qubit in enumerate(qubits)}
        circuit.append(PauliEvolution(generator.relabel(places), theta[k]), qubits)
    return circuit


def _annihilation(orbital: int) -> PauliSum:
    """a_j = Z_0 .. Z_(j-1) (X_j + i Y_j) / 2."""
    chain = PauliSum([tuple((q, "Z") for q in range(orbital))], [0.5])
    return chain @ (X(orbital) + 1j * Y(orbital))
