"""States of up to 32 qubits: indices that 31 bits do not hold, without the memory that the states would take."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from qsim import Circuit, ParameterVector, X, Y, Z, execute
from qsim._errors import MethodError
from qsim.engine.flips import _Step
from qsim.kernels import bits, sampling
from qsim.kernels.packed import gather_tables
from qsim.kernels.pauli import flip_parts
from qsim.methods import Statevector
from qsim.methods.paulis import PauliTable
from qsim.results import (
    Amplitudes,
    Counts,
    DiagonalObservable,
    Entropy,
    Expectation,
    Probabilities,
    Projector,
    Samples,
    Variance,
)

KEY = jax.random.key(0)


@pytest.fixture
def enough_memory(monkeypatch):
    for module in ("qsim._program", "qsim.backends.local", "qsim.methods.statevector"):
        monkeypatch.setattr(f"{module}.device_memory", lambda: 1 << 50)


def layers(n: int) -> Circuit:
    theta = ParameterVector("theta", 4)
    circuit = Circuit(n)
    for layer in range(4):
        circuit.ry(theta[layer], range(n))
        for q in range(n - 1):
            circuit.cx(q, q + 1)
    return circuit


def tape(n: int) -> Circuit:
    theta, rng = ParameterVector("theta", 4), np.random.default_rng(0)
    circuit = Circuit(n)
    for g in range(200):
        a, b = map(int, rng.choice(n, 2, replace=False))
        circuit.ry(theta[g % 4], a).cz(a, b).rzz(theta[g % 3], a, b)
    return circuit


def rotations(n: int) -> Circuit:
    theta, rng = ParameterVector("theta", 4), np.random.default_rng(0)
    circuit = Circuit(n)
    for g in range(20):
        a, b, c, d = map(int, rng.permutation(np.arange(1, n))[:4])
        circuit.pauli_evolution(X(0) @ Y(a) @ Z(b) @ X(c) @ Z(d), theta[g % 4])
    return circuit


RESULTS = {
    "expectation": lambda n: Expectation(Y(0) @ Z(n - 1) + X(0) @ X(1) + Z(0)),
    "amplitudes": lambda n: Amplitudes(["1" * n, (1 << n) - 2]),
    "probabilities": lambda n: Probabilities([0, n - 1]),
    "entropy": lambda n: Entropy([0, n - 1]),
    "projector": lambda n: Variance(Projector("1" * n, range(n))),
}


@pytest.mark.parametrize("n", [31, 32])
@pytest.mark.parametrize("make", [layers, tape, rotations])
def test_all_results_are_traced(enough_memory, make, n):
    circuit = make(n)
    results = {name: of(n) for name, of in RESULTS.items()}

    def run(theta, diagonal):
        cost = Expectation(DiagonalObservable(diagonal, range(n)))
        drawn = execute(circuit, (Samples(), Counts(), Probabilities(), cost), {"theta": theta}, shots=10, key=KEY)
        return execute(circuit, results, {"theta": theta}, initial_state="1" * n), drawn

    diagonal = jax.ShapeDtypeStruct((1 << n,), jnp.float32)
    exact, (samples, _, frequencies, _) = jax.eval_shape(run, jnp.zeros(4), diagonal)
    assert exact["expectation"].shape == () and exact["amplitudes"].shape == (2,)
    assert samples.shape == (10, n) and frequencies.shape == (1 << n,)
    gradient = jax.grad(lambda theta: execute(circuit, results["expectation"], {"theta": theta}))
    assert jax.eval_shape(gradient, jnp.zeros(4)).shape == (4,)


def test_33_qubits_are_refused_in_circuit_words(enough_memory):
    assert Statevector().max_qubits == 32
    with pytest.raises(MethodError, match="at most 32 qubits.*this circuit has 33.*Use fewer"):
        execute(Circuit(33).h(0), Expectation(Z(0)))


def places_of_32_bits() -> np.ndarray:
    places = np.random.default_rng(0).integers(0, 1 << 32, 500, dtype=np.uint64)
    return np.concatenate([places, np.array([0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1], np.uint64)])


def test_masks_and_gathers_of_steps_on_32_qubits():
    masks = np.random.default_rng(1).integers(0, 1 << 32, 4, dtype=np.uint64).astype(np.uint32)
    masks[0] |= 1 << 31
    masks[3] &= masks[2]
    step = _Step(jnp.asarray(masks), 1 << 16, 16)
    base, column = np.asarray(step.base), np.asarray(step.column)
    odd, active = ([np.asarray(part) for part in pair] for pair in (step.parity, step.active))
    x, z, control, value = map(int, masks)
    for j in map(int, places_of_32_bits()):
        high, low = j >> 16, j & 0xFFFF
        assert int(base[high] | column[low]) == j ^ x
        assert int(odd[0][high] ^ odd[1][low]) == (j & z).bit_count() % 2
        assert bool(active[0][high] & active[1][low]) == (j & control == value)


def test_permutations_of_32_bits_of_an_index():
    src, k = np.random.default_rng(2).permutation(32).astype(np.int32), 11
    high, low, columns = map(np.asarray, gather_tables(jnp.asarray(src), k))
    split = (32 - k) // 2
    for j in map(int, places_of_32_bits()):
        row = j >> k
        found = int(high[row >> split] | low[row & ((1 << split) - 1)] | columns[j & ((1 << k) - 1)])
        assert found == sum((j >> i & 1) << int(src[i]) for i in range(32))


def test_pauli_strings_on_32_qubits():
    x, z = np.zeros((2, 2, 32), np.uint8)
    x[0, 0] = x[1, 31] = z[1, 0] = 1
    masks = PauliTable.from_masks(x, z).flips.x
    assert sorted(masks.tolist()) == [1, 1 << 31]
    high, low = jax.eval_shape(lambda x: flip_parts(jnp, x, 32), jax.ShapeDtypeStruct((), masks.dtype))
    assert (high.shape, low.shape, high.dtype) == ((1 << 28, 1), (1, 16), jnp.uint32)


def test_projectors_on_32_qubits():
    columns = jax.ShapeDtypeStruct((1 << 32,), jnp.complex64)
    made = str(jax.make_jaxpr(lambda psi: Projector("1" * 32, range(32)).apply(psi, 32))(columns))
    assert "u32[] 4294967295" in made or "4294967295:u32[]" in made
    assert "scatter" not in made and "gather" not in made


@pytest.mark.parametrize("xp", [np, jnp])
def test_rows_of_32_bits_are_packed(xp):
    rows = xp.asarray(np.array([[1] * 32, [0] * 31 + [1], [1] + [0] * 31], np.uint8))
    assert bits.pack(xp, rows).tolist() == [(1 << 32) - 1, 1, 1 << 31]


def test_descents_end_at_the_last_of_many_leaves():
    weights = np.zeros(1 << 12, np.float32)
    weights[-1] = 1
    heap, uniforms = sampling.tree(jnp, jnp.asarray(weights)), jnp.zeros((12, 3))
    assert sampling.descend(heap, uniforms).all()
    nodes = jax.make_jaxpr(sampling.descend)(jax.ShapeDtypeStruct((1 << 32, 2), jnp.float32), jnp.zeros((32, 3)))
    assert "u32[3,1]" in str(nodes) and "i32[3,1]" not in str(nodes)
