"""Checks that other packages can use too: equivalence of circuits, gradients, and a kit for backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._compile import trace_count
from qsim._errors import QsimError
from qsim._execute import execute, submit
from qsim._typing import Array, PyTree
from qsim.backends.base import Backend, JobStatus
from qsim.backends.logical import logical
from qsim.backends.reference import Reference
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Barrier, Measure
from qsim.ir.parameter import ParameterVector
from qsim.ir.pauli import X, Y, Z
from qsim.results import Counts, Expectation, Map, Probabilities, Samples
from qsim.rules import Adjoint

__all__ = ["assert_equivalent", "check_backend", "check_gradient", "trace_count"]

MAX_DENSE_QUBITS = 14


def assert_equivalent(
    first: Circuit, second: Circuit, *, atol: float = 1e-6, inputs: int = 3, seed: int = 0, clifford: bool | None = None
) -> None:
    """Assert that two circuits do the same to their logical qubits, up to layout and one global phase.

    Both are run on random product states of the logical qubits, with all other qubits in
    |0>, which they must leave there; the phase between the two must be the same for every
    input. Open parameters get random values. Clifford circuits of any size are compared by
    their stabilizers instead (stim, in the test extra).

    Args:
        first, second: the circuits; layouts say where their logical qubits are.
        atol: the largest difference of amplitudes.
        inputs: how many random product states.
        seed: of the random states and parameters.
        clifford: True compares by stabilizers; None does so above `MAX_DENSE_QUBITS` qubits.

    Raises:
        AssertionError: they differ; says by how much, and for which input.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.testing import assert_equivalent
        >>> assert_equivalent(Circuit(2).swap(0, 1), Circuit(2).cx(0, 1).cx(1, 0).cx(0, 1))
    """
    n = first.layout.num_qubits
    if second.layout.num_qubits != n:
        raise AssertionError(f"The circuits speak of {n} and {second.layout.num_qubits} logical qubits.")
    rng = np.random.default_rng(seed)
    first, second = _bound(first, second, rng)
    sides = [logical(circuit) for circuit in (first, second)]
    size = max(side.circuit.num_qubits for side in sides)
    if clifford or (clifford is None and size > MAX_DENSE_QUBITS):
        tables = [_stabilizers(side.circuit, side.places, size) for side in sides]
        if tables[0] != tables[1]:
            raise AssertionError("The circuits differ: their stabilizers are not the same.")
        return
    phase = None
    for number in range(inputs):
        start = _product_state(n, rng)
        states = []
        for side in sides:
            whole = Reference().amplitudes(side.circuit, side.embed(start))
            parts = np.asarray(whole).reshape(1 << n, -1)
            lost = float(np.linalg.norm(parts[:, 1:]))
            if lost > max(atol, 1e-6):
                raise AssertionError(f"Input {number}: ancillas are not back in |0>; they hold a norm of {lost:.2e}.")
            states.append(parts[:, 0])
        if phase is None:
            overlap = np.vdot(states[0], states[1])
            phase = overlap / abs(overlap) if abs(overlap) > 1e-12 else 1.0
        error = float(np.abs(states[1] - phase * states[0]).max(initial=0.0))
        if error > atol:
            raise AssertionError(f"The circuits differ: input {number}, largest difference of amplitudes {error:.2e}.")


def check_gradient(
    function: Callable[[Array], PyTree],
    point: Any,
    *,
    step: float | None = None,
    rtol: float = 1e-3,
    atol: float = 1e-3,
) -> None:
    """Assert that the reverse-mode derivative of a function agrees with central finite differences.

    Args:
        function: from an array to real or complex arrays, such as `lambda t: execute(c, r, {"t": t})`.
        point: where; keep it small, every element costs two calls.
        step: of the differences; None takes eps^(1/3) of the dtype.
        rtol, atol: of the comparison; in double precision take 1e-6.

    Raises:
        AssertionError: they differ.

    Example:
        >>> import jax.numpy as jnp
        >>> from qsim.testing import check_gradient
        >>> check_gradient(lambda t: jnp.sin(t[0]) * t[1], jnp.array([0.3, 2.0]))
    """
    point = jnp.asarray(point, float)
    size = float(np.finfo(point.dtype).eps) ** (1 / 3) if step is None else step
    parts = lambda x: [  # noqa: E731
        part for leaf in jax.tree.leaves(function(x)) for part in _real_parts(jnp.asarray(leaf)) if part.size
    ]
    exact = jax.jacrev(parts)(point)
    for index in np.ndindex(point.shape):
        moved = [np.asarray(point).copy() for _ in range(2)]
        moved[0][index] += size
        moved[1][index] -= size
        up, down = (parts(jnp.asarray(p)) for p in moved)
        for number, (a, b, found) in enumerate(zip(up, down, exact, strict=True)):
            expected = (np.asarray(a) - np.asarray(b)) / (2 * size)
            np.testing.assert_allclose(
                np.asarray(found)[(..., *index)],
                expected,
                rtol=rtol,
                atol=atol,
                err_msg=f"derivative of array {number} with respect to element {index}",
            )


def check_backend(
    backend: Backend,
    *,
    num_qubits: int = 3,
    shots: int | None = None,
    atol: float = 1e-4,
    gradient: bool = True,
    key: Any = None,
) -> None:
    """Run the conformance kit on a backend: values, composed results, batches, jit, vmap, gradients, jobs.

    Args:
        backend: any backend.
        num_qubits: the size of the test circuits, 2 or more.
        shots: how many shots, where the backend gives estimates only.
        atol: the largest difference from the exact values; a few times 1/sqrt(shots) with shots.
        gradient: False leaves gradients out.
        key: a JAX key for shots and samples.

    Raises:
        AssertionError: it does something else than it should; says what.

    Example:
        >>> from qsim.backends import LocalBackend
        >>> from qsim.testing import check_backend
        >>> check_backend(LocalBackend("cpu"), num_qubits=2)
    """
    key = jax.random.key(0) if key is None else key
    for attribute in ("name", "target", "transpiler", "supports", "run"):
        assert hasattr(backend, attribute), f"The backend has no `{attribute}`."
    circuit, point = _ansatz(num_qubits)
    h = Z(0) @ Z(num_qubits - 1) + 0.5 * X(0) - 0.25 * Y(num_qubits - 1)
    wanted: dict[str, Any] = {
        "energy": Expectation(h),
        "both": 2 * Expectation(Z(0)) + Map(jnp.sum, Probabilities((0,))),
    }
    wanted["last"] = Probabilities((num_qubits - 1, 0))
    options = {"shots": shots, "key": None if shots is None else key}

    def run(theta: Any, on: Any = backend) -> PyTree:
        return execute(circuit, wanted, {"theta": theta}, on=on, **(options if on is backend else {}))

    def compare(found: PyTree, expected: PyTree, what: str) -> None:
        for (path, a), b in zip(jax.tree.leaves_with_path(found), jax.tree.leaves(expected), strict=True):
            name = f"{what}, {jax.tree_util.keystr(path)}"
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), atol=atol, err_msg=name)

    exact = lambda theta: run(theta, "numpy")  # noqa: E731
    compare(run(point), exact(point), "a value")
    batch = np.stack([point, 0.5 * point, point + 1])
    loop = jax.tree.map(lambda *rows: np.stack(rows), *[exact(p) for p in batch])
    compare(run(batch), loop, "a batch")
    compare(jax.jit(run)(point), exact(point), "under jit")
    compare(jax.jit(jax.vmap(run))(batch), loop, "under jit and vmap")
    if gradient:
        energy = lambda theta, on: run(theta, on)["energy"]  # noqa: E731
        slope = jax.grad(lambda theta: execute(circuit, wanted["energy"], {"theta": theta}, gradient=Adjoint()))
        theta = jnp.asarray(point)
        compare(jax.grad(energy)(theta, backend), slope(theta), "a gradient")
        compare(jax.jit(jax.grad(lambda t: energy(t, backend)))(theta), slope(theta), "a gradient under jit")
    start = execute(Circuit(num_qubits), wanted["last"], on=backend, initial_state="1" * num_qubits, **options)
    compare(start, np.eye(1, 4, 3)[0], "an initial state")
    _check_samples(backend, num_qubits, key)
    _check_job(submit(circuit, wanted, {"theta": point}, on=backend, **options))
    _check_refusals(backend, circuit)


def _check_samples(backend: Backend, num_qubits: int, key: Any) -> None:
    flipped = Circuit(num_qubits).x(0).cx(0, num_qubits - 1)
    if backend.supports(Samples()):
        bits = np.asarray(execute(flipped, Samples(), on=backend, shots=50, key=key))
        expected = np.eye(1, num_qubits)[0] + np.eye(1, num_qubits, num_qubits - 1)[0]
        assert bits.shape == (50, num_qubits) and bits.dtype == np.uint8, f"samples are {bits.dtype} {bits.shape}"
        assert np.abs(bits.mean(axis=0) - expected).max() < 0.2, "samples do not follow the state, or not its qubits"
    if backend.supports(Counts()):
        measured = Circuit(num_qubits, num_clbits=2).x(0).measure([0, num_qubits - 1], [1, 0])
        counts = dict(execute(measured, Counts(), on=backend, shots=50, key=key))
        assert max(counts, key=counts.get) == "01", f"measured bits are reported as {counts}"  # type: ignore[arg-type]


def _check_job(job: Any) -> None:
    assert isinstance(job.id, str) and job.id, "a job has no id"
    assert isinstance(job.status(), JobStatus), "a job's status is no JobStatus"
    first, second = job.result(timeout=600), job.result()
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert np.array_equal(a, b), "a job gives another result when it is asked again"
    assert job.status() is JobStatus.DONE, "a job that gave its result is not done"
    assert hasattr(job.metadata, "get"), "a job's metadata is no mapping"


def _check_refusals(backend: Backend, circuit: Circuit) -> None:
    for bad in ({}, {"theta": np.zeros(1)}, {"theta": np.zeros((2, 2, 2)), "unknown": 1.0}):
        try:
            execute(circuit, Probabilities((0,)), bad, on=backend)
        except QsimError:
            continue
        raise AssertionError(f"params={bad} was not refused")


def _ansatz(num_qubits: int) -> tuple[Circuit, np.ndarray]:
    """A circuit with constants, parameters, expressions and a far pair, and a point for it."""
    theta = ParameterVector("theta", (2, num_qubits))
    circuit = Circuit(num_qubits).h(0).ry(theta[0], range(num_qubits))
    for q in range(1, num_qubits):
        circuit.cx(q - 1, q)
    circuit.rz(2 * theta[1], range(num_qubits)).cz(0, num_qubits - 1).rx(0.3, range(num_qubits))
    return circuit, np.linspace(-0.7, 1.1, 2 * num_qubits).reshape(2, num_qubits).astype(np.float32)


def _real_parts(leaf: Array) -> Sequence[Array]:
    if jnp.issubdtype(leaf.dtype, jnp.complexfloating):
        return leaf.real, leaf.imag
    return (leaf,) if jnp.issubdtype(leaf.dtype, jnp.floating) else ()


def _bound(first: Circuit, second: Circuit, rng: np.random.Generator) -> tuple[Circuit, Circuit]:
    shapes = {**first.parameter_shapes(), **second.parameter_shapes()}
    values = {name: rng.uniform(-np.pi, np.pi, shape) for name, shape in shapes.items()}
    return (
        first.bind({name: values[name] for name in first.parameter_shapes()}),
        second.bind({name: values[name] for name in second.parameter_shapes()}),
    )


def _product_state(num_qubits: int, rng: np.random.Generator) -> np.ndarray:
    state = np.ones(1, complex)
    for _ in range(num_qubits):
        one = rng.normal(size=2) + 1j * rng.normal(size=2)
        state = np.kron(state, one / np.linalg.norm(one))
    return state


def _stabilizers(circuit: Circuit, places: Sequence[int], size: int) -> list[str]:
    """The canonical stabilizers of the circuit on one half of Bell pairs, ancillas up to `size` qubits in |0>."""
    stim = import_module("stim")
    simulator = stim.TableauSimulator()
    simulator.set_num_qubits(size + len(places))
    for i, place in enumerate(places):
        simulator.h(size + i)
        simulator.cx(size + i, place)
    for instruction in circuit.instructions:
        operation = instruction.operation
        if isinstance(operation, (Barrier, Measure)):
            continue
        matrix = np.asarray(operation.matrix(np), np.complex64)
        try:
            tableau = stim.Tableau.from_unitary_matrix(matrix, endian="big")
        except ValueError:
            raise AssertionError(
                f"{operation.name} on qubits {instruction.qubits} is no Clifford gate, so circuits of this size cannot "
                "be compared by their stabilizers."
            ) from None
        simulator.do_tableau(tableau, list(instruction.qubits))
    return [str(s) for s in simulator.canonical_stabilizers()]
