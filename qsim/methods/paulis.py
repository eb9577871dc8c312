"""Expectation values of Pauli sums: one scan over chunks of terms, with masks and signs as data.

Terms that share their X mask share one permutation of the amplitudes, j -> j ^ x; they are
taken `CHUNK` at a time. The program is the same whatever the number of terms, its tables
grow with the terms only, and nothing of size 2^n is kept per chunk, differentiated or not.
On few qubits a sum of strings of Z alone is its diagonal, made once for all states.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.custom_derivatives import SymbolicZero

from qsim.kernels import pauli
from qsim.kernels.bits import pack
from qsim.kernels.take import take_places, take_rows
from qsim.lower import cost

Array = Any
CHUNK = 8
ONE_LOOP = 12
"""Up to so many qubits strings of Z alone are run among the others, where they are fewer, and without others are one
diagonal: half the kernels. Beside a large state a diagonal is half a state more."""


@dataclass(frozen=True, eq=False)
class Chunks:
    """Terms in chunks (c, CHUNK), each chunk with one X mask; host arrays of the size of the terms.

    Attributes:
        x: the X masks as integers, uint32 for up to 32 qubits (c,).
        odd: 1 where the strings of the chunk have an odd number of Y, which makes them imaginary (c,).
        z: the Z masks as integers, of the high and of the low half of the qubits (c, CHUNK, 2).
        term: the index of each term's coefficient; 0 in places left over (c, CHUNK).
        sign: +1 or -1, and 0 in places left over (c, CHUNK).
    """

    x: np.ndarray
    odd: np.ndarray
    z: np.ndarray
    term: np.ndarray
    sign: np.ndarray

    def signed(self, coefficients: Array) -> Array:
        """The chunks' coefficients (c, CHUNK), with the terms' signs."""
        return take_rows(coefficients, self.term) * jnp.asarray(self.sign, coefficients.dtype)

    def scanned(self, coefficients: Array) -> tuple[Array, ...]:
        """What the scans run over: x, odd, z, and the chunks' coefficients."""
        return jnp.asarray(self.x), jnp.asarray(self.odd), jnp.asarray(self.z), self.signed(coefficients)


@dataclass(frozen=True, eq=False)
class PauliTable:
    """The strings of a Pauli sum, lowered: those of Z alone, and those that flip qubits.

    Compared by identity: make one per structure and keep it.
    """

    num_qubits: int
    num_terms: int
    signs: Chunks
    flips: Chunks

    @classmethod
    def from_masks(cls, x: np.ndarray, z: np.ndarray) -> PauliTable:
        """From X and Z masks (T, n) of 0 and 1; Y has both."""
        num_terms, n = x.shape
        num_y = (x & z).sum(axis=1).astype(int)
        places = np.asarray([1 << (n - 1 - q) for q in range(n)], dtype=np.int64)
        mask, high = x.astype(np.int64) @ places, pauli.halves(n)[0]
        z = np.stack([pack(np, z[:, :high]), pack(np, z[:, high:])], axis=-1)
        # (P psi)(j) = (-i)^num_y (-1)^(z.j) psi(j ^ x), with (-i)^num_y = sign * (i where odd)
        odd = num_y % 2
        sign = np.asarray([1, -1, -1, 1])[num_y % 4]
        groups: dict[tuple[int, int], list[int]] = {}
        for t in range(num_terms):
            groups.setdefault((int(mask[t]), int(odd[t])), []).append(t)
        chunks = [
            (key, terms[start : start + CHUNK])
            for key, terms in sorted(groups.items())
            for start in range(0, len(terms), CHUNK)
        ]
        still = [c for c in chunks if c[0][0] == 0]
        moving = [c for c in chunks if c[0][0] != 0]
        return cls(n, num_terms, _chunks(still, z, sign), _chunks(moving, z, sign))


def _chunks(chunks: list[tuple[tuple[int, int], list[int]]], z: np.ndarray, sign: np.ndarray) -> Chunks:
    count = len(chunks)
    table = Chunks(
        x=np.asarray([key[0] for key, _ in chunks], dtype=np.uint32),
        odd=np.asarray([key[1] for key, _ in chunks], dtype=np.int32),
        z=np.zeros((count, CHUNK, 2), dtype=np.int32),
        term=np.zeros((count, CHUNK), dtype=np.int32),
        sign=np.zeros((count, CHUNK), dtype=np.int8),
    )
    for row, (_, terms) in enumerate(chunks):
        table.z[row, : len(terms)] = z[terms]
        table.term[row, : len(terms)] = terms
        table.sign[row, : len(terms)] = sign[terms]
    return table


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def pauli_apply(table: PauliTable, coefficients: Array, psi: Array) -> Array:
    """H psi of a Pauli sum with real coefficients (T,): (2^n,) -> (2^n,)."""
    return _apply(table, coefficients, psi)


@partial(pauli_apply.defjvp, symbolic_zeros=True)
def _pauli_apply_jvp(table: PauliTable, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    # H psi is linear in both. Said here, because JAX forgets `checkpoint` in what it finds
    # to be known while it linearises: gradients of gradients would keep every chunk.
    (coefficients, psi), (d_coefficients, d_psi) = primals, tangents
    tangent = jnp.zeros_like(psi)
    if not isinstance(d_psi, SymbolicZero):
        tangent = tangent + _apply(table, coefficients, d_psi)
    if not isinstance(d_coefficients, SymbolicZero):
        tangent = tangent + _apply(table, d_coefficients, psi)
    return pauli_apply(table, coefficients, psi), tangent


def _apply(table: PauliTable, coefficients: Array, psi: Array) -> Array:
    n = table.num_qubits

    def add_signs(total: Array, chunk: tuple[Array, ...]) -> tuple[Array, None]:
        _, _, z, values = chunk
        return total + pauli.diagonal(jnp, z, values, n) * psi, None

    def add_flips(total: Array, chunk: tuple[Array, ...]) -> tuple[Array, None]:
        x, odd, z, values = chunk
        flipped = _flip(psi, x, n) * _unit(odd, psi.dtype)
        return total + pauli.diagonal(jnp, z, values, n) * flipped, None

    with jax.default_matmul_precision("highest"):
        few = n <= ONE_LOOP
        if few and not len(table.flips.x):
            z = table.signs.z.reshape(-1, 2)
            if len(z) << pauli.halves(n)[1] > cost.KNOWN_ENTRIES:
                z = jnp.asarray(z)  # or its signs are made on the host
            return pauli.diagonal(jnp, z, table.signs.signed(coefficients).reshape(-1), n) * psi
        still, moving = (chunks.scanned(coefficients) for chunks in (table.signs, table.flips))
        total = jnp.zeros_like(psi)
        if few and len(moving[0]) >= len(still[0]) > 0:
            return _scan(add_flips, total, tuple(map(jnp.concatenate, zip(still, moving, strict=True))))
        return _scan(add_flips, _scan(add_signs, total, still), moving)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def pauli_means(table: PauliTable, psi: Array) -> Array:
    """<psi|P_t|psi> of every term: real (T,)."""
    return _means(table, psi, psi)


@pauli_means.defjvp
def _pauli_means_jvp(table: PauliTable, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    (psi,), (d_psi,) = primals, tangents
    return pauli_means(table, psi), 2 * _means(table, psi, d_psi)


def _means(table: PauliTable, left: Array, right: Array) -> Array:
    """Re <left|P_t|right>, linear in both."""
    dtype = left.real.dtype

    def of_chunk(flips: bool, total: Array, chunk: tuple[Array, ...]) -> tuple[Array, None]:
        x, odd, z, term, sign = chunk
        image = _flip(right, x, table.num_qubits) * _unit(odd, right.dtype) if flips else right
        weights = left.real * image.real + left.imag * image.imag
        return total.at[term].add(sign * pauli.sign_sums(jnp, z, weights, table.num_qubits)), None

    total = jnp.zeros(table.num_terms, dtype)
    with jax.default_matmul_precision("highest"):
        for flips, chunks in ((False, table.signs), (True, table.flips)):
            data = (chunks.x, chunks.odd, chunks.z, chunks.term, chunks.sign.astype(dtype))
            total = _scan(partial(of_chunk, flips), total, tuple(map(jnp.asarray, data)))
    return total


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def pauli_mean(table: PauliTable, coefficients: Array, psi: Array) -> Array:
    """<psi|H|psi> of a Pauli sum: a real scalar.

    The value and its derivative share one H psi: d<H> = 2 Re <H psi|dpsi> + sum_t dc_t <P_t>.

    Args:
        table: the strings.
        coefficients: real (T,).
        psi: amplitudes (2^n,).
    """

    return real_dot(psi, pauli_apply(table, coefficients, psi))


@partial(pauli_mean.defjvp, symbolic_zeros=True)
def _pauli_mean_jvp(table: PauliTable, primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    coefficients, psi = primals
    d_coefficients, d_psi = tangents
    image = pauli_apply(table, coefficients, psi)
    # the mean first: its products are gone before the cotangent of the state is made
    mean, image = lax.optimization_barrier((real_dot(psi, image), image))
    tangent = jnp.zeros_like(mean)
    if not isinstance(d_psi, SymbolicZero):
        tangent = tangent + 2 * real_dot(image, d_psi)
    if not isinstance(d_coefficients, SymbolicZero):
        tangent = tangent + jnp.sum(d_coefficients * pauli_means(table, psi))
    return mean, tangent


def real_dot(a: Array, b: Array) -> Array:
    """Re <a|b> of two vectors of amplitudes."""
    # written otherwise, XLA:CPU keeps all four real and imaginary parts: two states, three times slower
    return jnp.sum((jnp.conj(a) * b).real)


def _scan(body: Any, total: Array, chunks: tuple[Array, ...]) -> Array:
    """Run `body` over the chunks; what a chunk computes is computed again where a gradient needs it."""
    if chunks[0].shape[0] == 0:
        return total
    return lax.scan(jax.checkpoint(body), total, chunks)[0]


def _flip(psi: Array, x: Array, num_qubits: int) -> Array:
    """psi(j ^ x). The permutation undoes itself, so it is its own inverse and transpose."""
    # The barrier keeps the index table (2^n) from being folded into the program as a constant.
    high, low = pauli.flip_parts(jnp, lax.optimization_barrier(x), num_qubits)

    def take(vector: Array) -> Array:
        index = lax.optimization_barrier(high) | low
        return take_places(vector, index[..., None], unique=True).reshape(vector.shape)

    # Solving a linear system whose matrix is its own inverse: this tells JAX that the
    # transpose is a gather too, where differentiating a gather would give a scatter.
    return lax.custom_linear_solve(take, psi, lambda matvec, vector: matvec(vector), symmetric=True)


def _unit(odd: Array, dtype: Any) -> Array:
    return jnp.where(odd == 1, jnp.asarray(1j, dtype), jnp.asarray(1, dtype))
