"""Drawing bit strings: distributions, order of qubits, classical bits, counts."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from results_table import random_state, sampled
from scipy import stats

from qsim._errors import ResultError
from qsim.methods.pure import PureState
from qsim.results import Context, Counts, Samples
from qsim.results.samples import tally


def draw(psi, n, shots, qubits=None, seed=0):
    return np.asarray(Samples(qubits).evaluate(PureState(psi), sampled(seed, shots, n)))


def pack(bits):
    return bits.astype(int) @ (1 << np.arange(bits.shape[1])[::-1])


@pytest.mark.parametrize("qubits", [[0, 1, 2, 3], [3, 0], [2], [1, 3, 2, 0]])
def test_samples_have_the_distribution(qubits):
    psi = jnp.asarray(random_state(4, 2), jnp.complex64)
    shots = 20_000
    seen = np.bincount(pack(draw(psi, 4, shots, qubits)), minlength=1 << len(qubits))
    wanted = np.asarray(PureState(psi).probabilities(qubits), float)
    assert stats.chisquare(seen, wanted / wanted.sum() * shots).pvalue > 1e-3


def uniform_tail(n):
    """Every second amplitude of a uniform state twice as likely: the last qubit is 1 in 2 of 3 shots."""
    psi = jnp.where(jnp.arange(1 << n) % 2 == 1, jnp.sqrt(2 / 3), jnp.sqrt(1 / 3)) / 2 ** ((n - 1) / 2)
    return psi.astype(jnp.complex64)


@pytest.mark.parametrize("n", [20, pytest.param(24, marks=pytest.mark.slow)])
def test_the_last_qubits_of_many(n):
    shots = 30_000
    bits = draw(uniform_tail(n), n, shots)
    seen = np.bincount(pack(bits[:, -3:]), minlength=8)
    wanted = np.tile([1 / 12, 2 / 12], 4) * shots
    assert stats.chisquare(seen, wanted).pvalue > 1e-3
    first = np.bincount(pack(bits[:, :3]), minlength=8)
    assert stats.chisquare(first).pvalue > 1e-3


def test_impossible_outcomes_never_come():
    psi = jnp.zeros(64, jnp.complex64).at[jnp.asarray([5, 6, 40])].set(jnp.asarray([1e-3, 1.0, 1e-2]))
    assert set(pack(draw(psi, 6, 50_000))) <= {5, 6, 40}


def test_norm_does_not_matter():
    psi = jnp.asarray(random_state(3), jnp.complex64)
    assert (draw(psi, 3, 100) == draw(4 * psi, 3, 100)).all()


def test_measured_circuits_report_classical_bits():
    psi = jnp.zeros(8, jnp.complex64).at[0b011].set(1)
    context = Context(
        num_qubits=3, num_clbits=5, measured=((3, 1), (0, 0), (4, 2), (4, 1), (0, 2)), shots=4, key=jax.random.key(0)
    )
    assert Samples().evaluate(PureState(psi), context).tolist() == [[1, 0, 0, 1, 1]] * 4
    assert dict(Counts().evaluate(PureState(psi), context)) == {"10011": 4}
    assert Samples([0, 1]).evaluate(PureState(psi), context).tolist() == [[0, 1]] * 4


@pytest.mark.parametrize("shots, k", [(1, 3), (50, 2), (200, 6), (30, 33), (64, 70), (5, 0)])
def test_tally_counts_rows(shots, k):
    rng = np.random.default_rng(shots + k)
    pool = rng.integers(0, 2, (min(7, 1 << min(k, 5)), k), dtype=np.uint8)
    bits = pool[rng.integers(0, len(pool), shots)]
    wanted = {}
    for row in bits.tolist():
        word = "".join(map(str, row))
        wanted[word] = wanted.get(word, 0) + 1
    table = jax.jit(tally)(jnp.asarray(bits))
    assert table.to_dict() == dict(sorted(wanted.items()))
    assert table.outcomes.shape == (min(shots, 1 << k), k) and table.outcomes.dtype == jnp.uint8
    assert table.counts.sum() == shots and table.counts.dtype == jnp.int32


def test_counts_read_as_a_dict():
    psi = jnp.zeros(4, jnp.complex64).at[2].set(1)
    counts = Counts().evaluate(PureState(psi), sampled(shots=9, n=2))
    assert repr(counts) == "{'10': 9}" and dict(counts) == {"10": 9} and counts["01"] == 0 and len(counts) == 1
    assert [*counts] == ["10"] and [*counts.items()] == [("10", 9)]
    batch = jax.tree.map(lambda a: jnp.stack([a, a]), counts)
    with pytest.raises(ResultError, match="Take one of the batch"):
        batch.to_dict()
    seen = []
    jax.jit(lambda c: seen.append(repr(c)) or c.counts)(counts)
    assert seen[0].startswith("CountTable(")
    with pytest.raises(ResultError, match="traced"):
        jax.jit(lambda c: c["10"])(counts)


def test_the_program_does_not_unroll_the_levels():
    """Each level once: an unrolled tree compiled for seconds at n = 20, and was computed again in every level."""

    def gathers(n):
        f = jax.jit(lambda psi, key: PureState(psi).sample(key, 100, range(n)))
        return f.lower(jnp.zeros(1 << n, jnp.complex64), jax.random.key(0)).as_text().count("stablehlo.gather")

    assert gathers(12) == gathers(6)
