"""Results against dense matrices and closed forms."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import H, N, exact, random_hermitian, random_state, random_sum

from qsim.ir.pauli import PauliSum, X, Y, Z
from qsim.methods.pure import PureState
from qsim.results import (
    Amplitudes,
    DiagonalObservable,
    Entropy,
    Expectation,
    Fidelity,
    Hermitian,
    MutualInformation,
    Norm,
    Overlap,
    Probabilities,
    Projector,
    Purity,
    ReducedState,
    Variance,
)

PSI = random_state(N, 3)
OTHER = random_state(N, 4)


def value(result, psi=PSI, n=N):
    result.check(exact(n))
    return result.evaluate(PureState(jnp.asarray(psi)), exact(n))


def reduced(psi, qubits, n=N):
    """tr_rest |psi><psi| by an einsum of all indices."""
    tensor = psi.reshape((2,) * n)
    bra = [q + n if q in qubits else q for q in range(n)]
    out = [*qubits, *(q + n for q in qubits)]
    size = 1 << len(qubits)
    return np.einsum(tensor, range(n), tensor.conj(), bra, out).reshape(size, size)


def embed(matrix, qubits, n=N):
    """A matrix on some qubits as a matrix on all."""
    k = len(qubits)
    whole = np.zeros((1 << n, 1 << n), complex)
    for row in range(1 << n):
        bits = [row >> (n - 1 - q) & 1 for q in range(n)]
        small = int("".join(str(bits[q]) for q in qubits) or "0", 2)
        for other in range(1 << k):
            target = list(bits)
            for place, q in enumerate(qubits):
                target[q] = other >> (k - 1 - place) & 1
            whole[row, int("".join(map(str, target)), 2)] += matrix[small, other]
    return whole


def entropy(rho, alpha, base):
    p = np.linalg.eigvalsh(rho)
    p = p[p > 1e-14]
    if alpha == 1:
        return -(p * np.log(p)).sum() / math.log(base)
    if alpha == math.inf:
        return -math.log(p.max()) / math.log(base)
    return math.log((p**alpha).sum()) / (1 - alpha) / math.log(base)


DENSE = [
    (H, H.to_matrix(N)),
    (Z(1), Z(1).to_matrix(N)),
    (Y(0) @ Y(1) @ Y(3) + X(2), (Y(0) @ Y(1) @ Y(3) + X(2)).to_matrix(N)),
    (PauliSum([()], [2.5]), 2.5 * np.eye(16)),
    (Hermitian(random_hermitian(2), [3, 1]), embed(random_hermitian(2), [3, 1])),
    (Hermitian(random_hermitian(4), [1, 0, 3, 2]), embed(random_hermitian(4), [1, 0, 3, 2])),
    (DiagonalObservable(np.arange(8.0), [2, 3, 0]), embed(np.diag(np.arange(8.0)), [2, 3, 0])),
    (Projector("10", [3, 1]), embed(np.diag([0, 0, 1, 0]), [3, 1])),
    (
        Projector(random_state(2, 7), [3, 0]),
        embed(np.outer(random_state(2, 7), random_state(2, 7).conj()), [3, 0]),
    ),
]


@pytest.mark.parametrize("observable, matrix", DENSE)
def test_observables_are_their_matrices(observable, matrix, x64):
    mean = (PSI.conj() @ matrix @ PSI).real
    np.testing.assert_allclose(value(Expectation(observable)), mean, atol=1e-12)
    square = (PSI.conj() @ matrix @ matrix @ PSI).real
    np.testing.assert_allclose(value(Variance(observable)), square - mean**2, atol=1e-11)


def test_reading_the_state(x64):
    assert np.allclose(value(Amplitudes(["0110", 9, "1111"])), PSI[[6, 9, 15]])
    assert np.allclose(value(Norm(), 2 * PSI), 2)
    overlap = np.vdot(OTHER, PSI)
    assert np.allclose(value(Overlap(OTHER)), overlap)
    assert np.allclose(value(Fidelity(OTHER)), abs(overlap) ** 2)


@pytest.mark.parametrize("qubits", [[0], [3], [1, 2], [2, 1], [3, 0, 2], [0, 1, 2, 3], [3, 1, 0, 2], []])
def test_parts_of_the_state(qubits, x64):
    rho = reduced(PSI, qubits)
    assert np.allclose(value(ReducedState(qubits)), rho)
    assert np.allclose(value(Probabilities(qubits)), np.diag(rho))
    assert np.allclose(value(Probabilities(qubits), 2 * PSI), 4 * np.diag(rho))
    assert np.allclose(value(Purity(qubits)), np.trace(rho @ rho))
    for alpha in (1, 0.5, 2, 3, math.inf):
        wanted = entropy(rho, alpha, 2)
        assert np.allclose(value(Entropy(qubits, alpha=alpha)), wanted, atol=1e-6)
        assert np.allclose(value(Entropy(qubits, alpha=alpha, base=math.e)), wanted * math.log(2), atol=1e-6)


def test_mutual_information(x64):
    a, b = [0, 3], [1]
    wanted = entropy(reduced(PSI, a), 1, 2) + entropy(reduced(PSI, b), 1, 2) - entropy(reduced(PSI, a + b), 1, 2)
    assert np.allclose(value(MutualInformation(a, b)), wanted)


def test_rank_is_the_entropy_of_order_zero():
    ghz = jnp.zeros(16, jnp.complex64).at[jnp.asarray([0, 15])].set(0.5**0.5)
    assert np.allclose(value(Entropy([0, 1], alpha=0), ghz), 1, atol=1e-6)


SPECIAL = {
    "product": np.eye(16)[5],
    "plus": np.full(16, 0.25),
    "bell pairs": np.kron([1, 0, 0, 1], [1, 0, 0, 1]) / 2,
    "ghz": (np.eye(16)[0] + np.eye(16)[15]) / 2**0.5,
}


@pytest.mark.parametrize("dtype", [jnp.complex64, jnp.complex128])
@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2, 3, math.inf])
@pytest.mark.parametrize("name", SPECIAL)
def test_entropy_has_finite_gradients_everywhere(name, alpha, dtype, x64):
    psi = jnp.asarray(SPECIAL[name], dtype)
    result = Entropy([0, 1], alpha=alpha)

    def of(p):
        return value(result, p)

    gradient = jax.grad(of)(psi)
    assert np.isfinite(of(psi)) and np.isfinite(gradient).all()
    step = jnp.asarray(random_state(4, 9), dtype)
    assert np.isfinite(jax.jvp(jax.grad(of), (psi,), (step,))[1]).all()


def test_entropy_gradient_where_eigenvalues_are_equal(x64):
    """A Bell pair with angle t: S = h(sin^2 t), whose derivative at t = pi/4 is 0."""

    def of(t):
        psi = jnp.stack([jnp.cos(t), 0 * t, 0 * t, jnp.sin(t)]).astype(complex)
        return Entropy([0]).evaluate(PureState(psi), exact(2))

    assert np.allclose(jax.grad(of)(jnp.pi / 4), 0, atol=1e-12)
    t = 0.3
    p = math.sin(t) ** 2
    assert np.allclose(jax.grad(of)(t), math.log2((1 - p) / p) * math.sin(2 * t))
    h = 1e-4
    assert np.allclose(jax.grad(jax.grad(of))(t), (of(t + h) - 2 * of(t) + of(t - h)) / h**2, atol=1e-5)
    assert np.allclose(jax.grad(jax.grad(of))(jnp.pi / 4), -4 / math.log(2), atol=1e-6)


def test_variance_keeps_its_digits_in_single_precision():
    """Of a ground state of energy -75 the variance is 0, though <H^2> is 5600."""
    shifted = random_sum(N, 12) - 75.0 * (Z(0) @ Z(0))
    _, ground = shifted.ground_state(N)
    assert abs(float(value(Variance(shifted), ground.astype(np.complex64)))) < 1e-7
