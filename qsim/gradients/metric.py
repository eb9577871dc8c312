"""The Fubini-Study metric of a family of states: as a matrix, in blocks, and as products with vectors."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from qsim._checks import check_int, check_memory
from qsim._errors import MethodError
from qsim._typing import Array, PyTree
from qsim.gradients.ansatz import Ansatz, Source
from qsim.gradients.layers import block_table
from qsim.methods import Method
from qsim.methods.statevector import batch_amplitudes, device_memory
from qsim.rules import Adjoint, Backprop


def metric_tensor(
    circuit: Source,
    params: PyTree,
    *,
    blocks: PyTree | None = None,
    method: Method | None = None,
    chunk: int | None = None,
) -> Array:
    """The Fubini-Study metric of a circuit's states |psi(params)>, a real symmetric matrix (P, P).

    g_ij = Re(<d_i psi|d_j psi> - <d_i psi|psi><psi|d_j psi>) for |psi> of norm 1; other states are
    normalised. Four times it is the quantum Fisher information. The tangents |d_i psi> come from forward
    derivatives of one run, many side by side, so that neither the program nor its first call grows with P.

    Time: P tangents, about two runs of the circuit each, and P^2 2^n multiplications. Memory: the tangents
    of one block, P 2^n amplitudes without `blocks`; where that is too much, natural gradients work with
    `ConjugateGradient()`, which never has the matrix. Outside `jax.jit` every call traces again.

    Args:
        circuit: a `Circuit` with open parameters, or a function from params to a circuit without any or
            to amplitudes (2^n,) (made with `execute(..., gradient=Backprop())`, if with `execute`).
        params: values of all P parameters: name -> array of the declared shape, for a function any pytree;
            real floats, radians.
        blocks: a pytree like params with the number of each element's block, such as
            `parameter_layers(circuit)`; entries between different blocks are left out: 0. None has all.
        method: how to simulate, as for `execute`: `Statevector("complex128")` for double precision.
        chunk: how many tangents are found side by side; None takes what fits the caches.

    Returns:
        (P, P), rows in the order of `circuit.parameters`, which is that of `jax.flatten_util.ravel_pytree`.

    Raises:
        ParameterError: params that are not real floats, or not those of the circuit; bad blocks.
        CircuitError: not a circuit, or a function that returns neither a circuit nor amplitudes.
        MethodError: a chunk below 1, or a bad method.
        MemoryLimitError: tangents that do not fit the memory.

    Reference: J. Stokes et al., arXiv:1909.02108.

    Example:
        >>> from qsim import Circuit, Parameter
        >>> from qsim.gradients import metric_tensor
        >>> circuit = Circuit(1).ry(Parameter("a"), 0).rz(Parameter("b"), 0)
        >>> metric = metric_tensor(circuit, {"a": 0.5, "b": 0.1})
        >>> [f"{entry:.4f}" for entry in metric.diagonal()]
        ['0.2500', '0.0575']
    """
    ansatz = Ansatz(circuit, method)
    flat, unravel = ansatz.flat(params)
    table = block_table(blocks, params)
    size = flat.shape[0]
    parts = metric_blocks(lambda x: ansatz.amplitudes(unravel(x), Backprop()), flat, table, chunk)
    whole = jnp.zeros((size, size), parts.dtype)
    return whole.at[table[:, :, None], table[:, None, :]].set(parts, mode="drop")


def metric_blocks(state: Callable[[Array], Array], flat: Array, table: np.ndarray, chunk: int | None = None) -> Array:
    """The diagonal blocks of the metric, (B, b, b); zeros where a block is shorter.

    Args:
        state: params (P,) -> amplitudes (2^n,), with forward derivatives.
        flat: the params (P,).
        table: places of each block, (B, b); P where there is none.
        chunk: how many tangents side by side.
    """
    if chunk is not None:
        chunk = check_int("chunk", chunk, MethodError, minimum=1)
    count, width = table.shape
    if flat.shape[0] == 0:
        return jnp.zeros((count, width, width), flat.dtype)
    psi = state(flat)
    memory = f"The tangents of {width} parameters, {psi.shape[0]} amplitudes each,"
    fix = "Try blocks=parameter_layers(circuit), or natural_gradient(..., solver=ConjugateGradient())."
    check_memory(memory, width * psi.size * psi.dtype.itemsize, device_memory(), fix)
    side = min(width, chunk or max(1, batch_amplitudes() // psi.shape[0]))

    def push(place: Array) -> Array:
        vector = jax.nn.one_hot(place, flat.shape[0], dtype=flat.dtype)
        return jax.jvp(state, (flat,), (vector,))[1]

    def block(places: Array) -> Array:
        rows = _mapped(push, places, side, flat.shape[0])
        return gram(rows, psi)

    places = jnp.asarray(table)
    return block(places[0])[None] if count == 1 else lax.map(block, places)


def gram(rows: Array, psi: Array) -> Array:
    """Re <v_i|v_j> of tangents (b, 2^n), projected off `psi` and for norm 1: positive semidefinite as rounded."""
    rows = _projected(rows, psi)
    parts = jnp.concatenate([rows.real, rows.imag], axis=-1)
    return jnp.matmul(parts, parts.T, precision=lax.Precision.HIGHEST)


def metric_product(ansatz: Ansatz, flat: Array, unravel: Callable[[Array], PyTree]) -> Callable[[Array], Array]:
    """v -> g v, (P,) -> (P,): one forward derivative and one adjoint pass, at the memory of a few states."""

    def push(vector: Array) -> Array:
        return jax.jvp(lambda x: ansatz.amplitudes(unravel(x), Backprop()), (flat,), (vector,))[1]

    psi, pull = jax.vjp(lambda x: ansatz.amplitudes(unravel(x), Adjoint()), flat)
    norm = jnp.sqrt(jnp.sum(psi.real**2 + psi.imag**2))

    def product(vector: Array) -> Array:
        tangent = _projected(push(vector)[None], psi)[0] / norm
        return pull(jnp.conj(tangent).astype(psi.dtype))[0]

    return product


def _projected(rows: Array, psi: Array) -> Array:
    """Tangents (b, 2^n) of `psi`, without their parts along it, divided by its norm."""
    squared = jnp.sum(psi.real**2 + psi.imag**2)
    along = jnp.matmul(rows, jnp.conj(psi), precision=lax.Precision.HIGHEST) / squared
    return (rows - along[:, None] * psi) / jnp.sqrt(squared)


def _mapped(push: Callable[[Array], Array], places: Array, side: int, none: int) -> Array:
    """`push` of every place, `side` at a time: one traced copy, whatever their number."""
    count = places.shape[0]
    if count <= side:
        return jax.vmap(push)(places)
    folded = jnp.pad(places, (0, -count % side), constant_values=none).reshape(-1, side)
    return lax.map(jax.vmap(push), folded).reshape(-1, *jax.eval_shape(push, places[0]).shape)[:count]
