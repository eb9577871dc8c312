"""The results that the tests loop over, and the states they are asked of."""

from __future__ import annotations

import math
from typing import Any

import jax
import numpy as np

from qsim.ir.pauli import PauliSum, X, Y, Z
from qsim.results import (
    Amplitudes,
    Context,
    Counts,
    DiagonalObservable,
    Entropy,
    Expectation,
    Fidelity,
    Hermitian,
    Map,
    MutualInformation,
    Norm,
    Overlap,
    Probabilities,
    Projector,
    Purity,
    ReducedState,
    Samples,
    State,
    Variance,
)

N = 4


def random_state(n: int, seed: int = 0) -> np.ndarray:
    """A normalised random state, complex128 (2^n,)."""
    rng = np.random.default_rng(seed)
    psi = rng.normal(size=1 << n) + 1j * rng.normal(size=1 << n)
    return psi / np.linalg.norm(psi)


def random_hermitian(k: int, seed: int = 1) -> np.ndarray:
    """A random Hermitian matrix (2^k, 2^k)."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(1 << k, 1 << k)) + 1j * rng.normal(size=(1 << k, 1 << k))
    return matrix + matrix.conj().T


def random_sum(n: int, num_terms: int, seed: int = 2) -> PauliSum:
    """A Hermitian sum of random Pauli strings, the identity and repetitions among them."""
    rng = np.random.default_rng(seed)
    labels = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(num_terms - 1)]
    return PauliSum.from_list([("I" * n, 0.3), *((label, rng.normal()) for label in labels)])


def minus(pair: Any) -> Any:
    return pair[0] - pair[1]


H = random_sum(N, 20)
SMALL = Z(0) @ Z(1) + 0.5 * X(2) - 0.25 * Y(3) @ Y(0)
EXACT = {
    "State": State(),
    "Amplitudes": Amplitudes(["0101", 3]),
    "Norm": Norm(),
    "Overlap": Overlap(random_state(N, 5)),
    "Fidelity": Fidelity(random_state(N, 5)),
    "ReducedState": ReducedState([2, 0]),
    "Probabilities": Probabilities(),
    "Probabilities(3, 1)": Probabilities([3, 1]),
    "Probabilities stderr": Probabilities([0], stderr=True),
    "Expectation": Expectation(H),
    "Expectation Z": Expectation(Z(0) @ Z(3)),
    "Expectation stderr": Expectation(SMALL, stderr=True),
    "Expectation Hermitian": Expectation(Hermitian(random_hermitian(2), [3, 1])),
    "Expectation Diagonal": Expectation(DiagonalObservable(np.arange(8.0), [2, 3, 0])),
    "Expectation Projector": Expectation(Projector("10", [0, 2])),
    "Expectation Projector state": Expectation(Projector(random_state(2, 7), [3, 0])),
    "Variance": Variance(H),
    "Variance Hermitian": Variance(Hermitian(random_hermitian(2), [3, 1])),
    "Variance Diagonal": Variance(DiagonalObservable(np.arange(8.0), [2, 3, 0])),
    "Variance Projector": Variance(Projector("10", [0, 2])),
    "Variance Projector state": Variance(Projector(random_state(2, 7), [3, 0])),
    "Purity": Purity([0, 2, 1]),
    "Entropy": Entropy([1]),
    "Entropy big side": Entropy([1, 2, 0], base=math.e),
    "Entropy 2": Entropy([0, 1], alpha=2),
    "Entropy 0.5": Entropy([0, 1], alpha=0.5),
    "Entropy 3": Entropy([0, 1], alpha=3),
    "Entropy inf": Entropy([0, 1], alpha=math.inf),
    "MutualInformation": MutualInformation([0], [2, 3]),
    "Arithmetic": Expectation(SMALL) + 2 * Norm() / (1 + Purity([0])) - Expectation(Z(0)) ** 2,
    "Map": Map(minus, (Expectation(SMALL), Norm())),
}
SHOTS = 200
SAMPLED = {
    "Samples": Samples(),
    "Samples(3, 0)": Samples([3, 0], shots=50),
    "Counts": Counts(),
    "Counts(2, 1)": Counts([2, 1]),
    "Probabilities": Probabilities([3, 1]),
    "Probabilities stderr": Probabilities([0], stderr=True),
    "Expectation": Expectation(SMALL, stderr=True),
    "Expectation Hermitian": Expectation(Hermitian(random_hermitian(2), [3, 1]), stderr=True),
    "Expectation Diagonal": Expectation(DiagonalObservable(np.arange(8.0), [2, 3, 0])),
    "Expectation Projector": Expectation(Projector("10", [0, 2])),
    "Expectation Projector state": Expectation(Projector(random_state(2, 7), [3, 0])),
    "Variance": Variance(SMALL, stderr=True),
    "Variance Hermitian": Variance(Hermitian(random_hermitian(2), [3, 1]), stderr=True),
    "Arithmetic": Expectation(SMALL) * Expectation(Z(0)),
    "Map": Map(minus, (Expectation(SMALL), Expectation(Z(0)))),
}


def exact(n: int = N) -> Context:
    """A run without shots."""
    return Context(num_qubits=n)


def sampled(seed: int = 0, shots: int = SHOTS, n: int = N) -> Context:
    """A run with shots."""
    return Context(num_qubits=n, shots=shots, key=jax.random.key(seed))
