"""Unitary coupled cluster: circuits of excitations on the Hartree-Fock determinant."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from qsim._checks import check_int
from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.ops import PauliEvolution
from qsim.ir.parameter import ParameterVector
from qsim.ir.pauli import PauliSum
from qsim.library.fermions import check_electrons, excitation, excitations, generalized_excitations


def hartree_fock(num_electrons: int, num_spin_orbitals: int) -> Circuit:
    """The determinant with the lowest spin orbitals filled: X on the first `num_electrons` qubits.

    Args:
        num_electrons: how many spin orbitals are filled. num_spin_orbitals: the number of qubits.

    Raises:
        CircuitError: more electrons than spin orbitals, or negative numbers.

    Example:
        >>> from qsim.library import hartree_fock
        >>> hartree_fock(2, 4).count_ops()
        {'x': 2}
    """
    electrons, orbitals = check_electrons(num_electrons, num_spin_orbitals)
    return Circuit(orbitals).x(range(electrons))


def evolve(circuit: Circuit, generators: Iterable[PauliSum], name: str = "theta") -> Circuit:
    """A circuit, then exp(-i name[k] G_k) for each generator in turn: how an ansatz is grown from a pool.

    Each is one `pauli_evolution` on the qubits it acts on, exact where its strings commute, as
    those of every generator of this library do. With all angles 0 the new circuit is the old
    one, and the gradient there ranks the generators: see `adapt_pool`.

    Args:
        circuit: what comes first. generators: Hermitian Pauli sums.
        name: the name of the `ParameterVector`, one angle per generator, radians.

    Raises:
        CircuitError: a generator that is not Hermitian, or acts beyond the circuit.

    Example:
        >>> from qsim import Circuit, X, Y
        >>> from qsim.library import evolve
        >>> evolve(Circuit(2).x(0), [X(0) @ Y(1)]).parameter_shapes()
        {'theta': (1,)}
    """
    if not isinstance(circuit, Circuit):
        raise CircuitError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    if not isinstance(generators, Iterable):
        raise CircuitError(f"Argument `generators` must hold PauliSums, but is {type(generators).__name__}.")
    pool = [generators] if isinstance(generators, PauliSum) else list(generators)
    theta = ParameterVector(name, len(pool))
    grown = circuit.copy()
    for k, generator in enumerate(pool):
        if not isinstance(generator, PauliSum):
            raise CircuitError(f"Argument `generators` must hold PauliSums, but holds {type(generator).__name__}.")
        qubits = generator.support
        places = {qubit: i for i, qubit in enumerate(qubits)}
        grown.append(PauliEvolution(generator.relabel(places), theta[k]), qubits)
    return grown


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
    return evolve(hartree_fock(num_electrons, num_spin_orbitals), [excitation(*pair) for pair in pairs], name)


def k_upccgsd(num_electrons: int, num_spin_orbitals: int, k: int = 1, name: str = "theta") -> Circuit:
    """The k-UpCCGSD ansatz, factorised: Hartree-Fock, then k times all paired doubles and generalised singles.

    A paired double moves the alpha and the beta electron of one spatial orbital together to
    another; a generalised single moves one electron between any two orbitals of its spin. Each
    pair of orbitals comes once, since the reverse has the same generator. All angles zero gives
    the Hartree-Fock determinant. Reference: Lee et al., arXiv:1810.02327.

    Args:
        num_electrons: the spin orbitals 0 .. num_electrons - 1 start filled.
        num_spin_orbitals: the number of qubits, even: alpha and beta interleaved.
        k: how many times, 1 or more.
        name: the name of the `ParameterVector`, of shape (k * 3 m (m - 1) / 2,) for m spatial
            orbitals: in each of the k parts the doubles, then the singles; radians.

    Raises:
        CircuitError: more electrons than spin orbitals, an odd number of those, or a `k` below 1.

    Example:
        >>> from qsim.library import k_upccgsd
        >>> circuit = k_upccgsd(2, 4, k=2)
        >>> circuit.count_ops(), circuit.parameter_shapes()
        ({'x': 2, 'pauli_evolution': 6}, {'theta': (6,)})
    """
    start = hartree_fock(num_electrons, num_spin_orbitals)
    if num_spin_orbitals % 2:
        raise CircuitError(f"Argument `num_spin_orbitals` must be even, two per orbital, but is {num_spin_orbitals}.")
    check_int("k", k, CircuitError, minimum=1)
    spatial = range(num_spin_orbitals // 2)
    doubles = [((2 * p, 2 * p + 1), (2 * q, 2 * q + 1)) for p, q in combinations(spatial, 2)]
    singles = [pair for pair in generalized_excitations(num_spin_orbitals) if len(pair[0]) == 1]
    return evolve(start, [excitation(*pair) for pair in doubles + singles] * k, name)


def adapt_pool(
    num_electrons: int, num_spin_orbitals: int, *, generalized: bool = False, qubit: bool = False
) -> tuple[PauliSum, ...]:
    """The generators that ADAPT-VQE picks from: Hermitian Pauli sums G for exp(-i theta G).

    ADAPT-VQE repeats: find the generator along which the energy falls fastest, append it with an
    angle of its own, and minimise over all angles. The slopes d E / d theta_k = i <[G_k, H]> of a
    whole pool are one gradient, that of `evolve(circuit, pool, "trial")` at zero.
    References: Grimsley et al., arXiv:1812.11173; Tang et al., arXiv:1911.10205 (qubit pool).

    Args:
        num_electrons: how many spin orbitals are filled; counts only where `generalized` is False.
        num_spin_orbitals: the number of qubits, alpha and beta interleaved.
        generalized: True for singles and doubles between any spin orbitals, not only from
            filled to empty ones.
        qubit: True for single Pauli strings, the parts of those excitations without their chains
            of Z: cheaper on a device, but they conserve no particle number.

    Raises:
        CircuitError: more electrons than spin orbitals, or negative numbers.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> from qsim import execute
        >>> from qsim.library import adapt_pool, evolve, hartree_fock, molecule
        >>> from qsim.results import Expectation
        >>> h2, pool = molecule("h2"), adapt_pool(2, 4)
        >>> trial = evolve(hartree_fock(2, 4), pool, "trial")
        >>> energy = lambda angles: execute(trial, Expectation(h2.hamiltonian), {"trial": angles})
        >>> slopes = jax.grad(energy)(jnp.zeros(len(pool)))
        >>> int(jnp.argmax(jnp.abs(slopes)))  # the double excitation
        2
    """
    electrons, orbitals = check_electrons(num_electrons, num_spin_orbitals)
    pairs = generalized_excitations(orbitals) if generalized else excitations(electrons, orbitals)
    generators = [excitation(*pair) for pair in pairs]
    if not qubit:
        return tuple(generators)
    found: dict[tuple[tuple[int, str], ...], None] = {}
    for generator, (source, target) in zip(generators, pairs, strict=True):
        ends = {*source, *target}
        for string in generator.strings:
            found[tuple((q, letter) for q, letter in string if q in ends)] = None
    return tuple(PauliSum([string], [1.0]) for string in found)
