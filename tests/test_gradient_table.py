"""Every parametrised operation x every gradient rule x every differentiable result, in double precision.

One circuit holds every gate of the table that has an angle, alone and under control, and
every operation that takes a JAX array; one pytree holds every differentiable result. The whole
Jacobian of each rule is compared with central differences of values: states from the
NumPy oracle, so that neither the engine nor any derivative of JAX is on both sides.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import oracle
import pytest
from ir_oracle import unitary_of
from jax.flatten_util import ravel_pytree
from results_table import EXACT, N, exact, random_hermitian, random_state

from qsim import Circuit, ParameterVector, X, Y, Z, execute
from qsim.gradients import SPSA, Adjoint, Backprop, FiniteDifference, GradientRule, ParameterShift
from qsim.ir.controlled import Controlled
from qsim.ir.ops import Diagonal, PauliEvolution, PrepareState, Unitary
from qsim.ir.pauli import PauliSum
from qsim.ir.table import Gate, row_of, rows
from qsim.methods import Statevector
from qsim.methods import Unitary as UnitaryMethod
from qsim.methods.operator import OperatorState
from qsim.methods.pure import PureState
from qsim.results import (
    DiagonalObservable,
    Expectation,
    Fidelity,
    Hermitian,
    Map,
    Operator,
    Overlap,
    Projector,
    Variance,
)
from qsim.results.program import evaluate_all

RULES = [(Adjoint(), 1e-8), (Backprop(), 1e-8), (ParameterShift(), 1e-8), (FiniteDifference(), 1e-6)]
"""The rules that are deterministic, and their errors: all but the last are exact."""
QUICKLY = [RULES[0], RULES[2], *(pytest.param(*rule, marks=pytest.mark.slow) for rule in (RULES[1], RULES[3]))]
SUM = X(0) @ Y(1) @ Z(2) + Z(0) - X(1) @ X(2)
GATES = [row for row in rows() if row.params]
QUICK = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""Each program here runs once or a few times: do not let XLA spend its time on making it fast."""


# ---------------------------------------------------------------- one circuit of everything


def with_angles() -> list[tuple[str, int, Any]]:
    """(label, number of angles, angles -> operation) of everything that has angles."""
    found: list[tuple[str, int, Any]] = []
    for row in GATES:
        found.append((row.name, len(row.params), lambda a, row=row: Gate(row, tuple(a))))
    for row in GATES:
        name, count = f"{row.name} under control", len(row.params)
        if row.num_qubits < N:
            found.append((name, count, lambda a, row=row: Controlled(Gate(row, tuple(a)), 1, 0)))
    many = lambda a: Controlled(Gate(row_of("rz"), tuple(a)), 3, "101")  # noqa: E731
    controlled = lambda a: Controlled(PauliEvolution(0.4 * SUM, a[0]), 1)  # noqa: E731
    found += [("rz under 3 controls", 1, many), ("pauli_evolution under control", 1, controlled)]
    evolutions = {"": SUM, ", one term": 0.3 * X(0) @ Z(1), ", the identity": PauliSum.from_label("II") * 0.7}
    for label, hamiltonian in evolutions.items():
        for order in (1, 2):
            name = f"pauli_evolution{label}, order {order}"
            found.append((name, 1, lambda a, h=hamiltonian, order=order: PauliEvolution(h, a[0], order)))
    return found


MIX = [np.linalg.qr(random_hermitian(1, seed) + 1j * np.eye(2))[0] for seed in range(2)]
ARRAYS = {
    "initial_state": 2,
    "unitary": 2,
    "diagonal": 4,
    "prepare_state": 2,
    "evolution": 3,
    "evolution, traced time": 4,
}
"""How many real numbers each JAX array of the circuit is made from."""


def operations(xp: Any, q: dict[str, Any]) -> list[Any]:
    """The operations that take arrays, on manifolds where they stay unitary; and gates whose angle is a JAX value."""
    phases = xp.exp(1j * q["unitary"])
    time = q["evolution, traced time"][3]
    return [
        Unitary(xp.asarray(MIX[0]) @ (phases[:, None] * xp.asarray(MIX[1]))),
        Diagonal(xp.exp(1j * q["diagonal"])),
        PrepareState(curve(xp, 2, 21, q["prepare_state"])),
        PauliEvolution(PauliSum(SUM.strings, q["evolution"]), 0.8),
        PauliEvolution(PauliSum(SUM.strings, q["evolution, traced time"][:3]), time if xp is jnp else float(time)),
    ]


def curve(xp: Any, n: int, seed: int, q: Any) -> Any:
    """Normalised states (2^n,) that depend smoothly on two numbers."""
    psi = xp.asarray(random_state(n, seed)) + sum(q[i] * xp.asarray(random_state(n, seed + 1 + i)) for i in range(2))
    return psi / xp.sqrt(xp.sum(xp.abs(psi) ** 2))


def start(xp: Any, q: Any) -> Any:
    """The initial state, not normalised, so that Norm has a slope."""
    return (1 + q["initial_state"][0]) * curve(xp, N, 41, 0.5 * q["initial_state"])


WITH_ANGLES = with_angles()
ANGLES = [f"{label}, angle {i}" for label, count, _ in WITH_ANGLES for i in range(count)]


def circuit(angles: Any, arrays: list[Any], entries: Any = WITH_ANGLES) -> Circuit:
    """Everything once, between constant gates that make each derivative show."""
    rng = np.random.default_rng(3)
    c = Circuit(N)
    place = 0
    for _, count, make in entries:
        mix(c, rng)
        operation = make([angles[place + i] for i in range(count)])
        c.append(operation, rng.permutation(N)[: operation.num_qubits].tolist())
        place += count
    for operation in arrays:
        mix(c, rng)
        c.append(operation, rng.permutation(N)[: operation.num_qubits].tolist())
    mix(c, rng)
    return c


def mix(c: Circuit, rng: np.random.Generator) -> None:
    a, b = rng.permutation(N)[:2].tolist()
    c.u(*rng.uniform(0.4, 2.6, 3), a).cx(a, b)


# ---------------------------------------------------------------- one pytree of everything

OF_RESULTS = {
    "coefficients": 3,
    "Hermitian matrix": 1,
    "diagonal observable": 2,
    "projected state": 2,
    "other state": 2,
    "factor": 1,
}
"""How many real numbers each JAX array of the results is made from."""


def results(xp: Any, q: dict[str, Any]) -> dict[str, Any]:
    """Every differentiable result of the table, and those whose own arrays are differentiated."""
    table = {name: result for name, result in EXACT.items() if result.differentiable}
    # own copies: JAX remembers a host array with the precision of its first use, in other tests too
    table = jax.tree.map(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, table)
    strings = PauliSum.from_list([("XYIZ", 1.0), ("IIZZ", 1.0), ("YXXI", 1.0)]).strings
    matrix = xp.asarray(random_hermitian(2, 1)) + q["Hermitian matrix"] * xp.asarray(random_hermitian(2, 2))
    diagonal = xp.asarray(np.arange(4.0)) + xp.concatenate([q["diagonal observable"], xp.zeros(2)])
    onto, other = curve(xp, 2, 51, q["projected state"]), curve(xp, N, 61, q["other state"])
    return table | {
        "Expectation of own sum": Expectation(PauliSum(strings, q["coefficients"])),
        "Variance of own sum": Variance(PauliSum(strings, q["coefficients"])),
        "Expectation of own matrix": Expectation(Hermitian(matrix, [0, 2])),
        "Variance of own matrix": Variance(Hermitian(matrix, [3, 1])),
        "Expectation of own diagonal": Expectation(DiagonalObservable(diagonal, [0, 3])),
        "Variance of own diagonal": Variance(DiagonalObservable(diagonal, [2, 1])),
        "Expectation of own projector": Expectation(Projector(onto, [0, 3])),
        "Overlap with own state": Overlap(other),
        "Fidelity with own state": Fidelity(other),
        "Arithmetic with own factor": q["factor"][0] * Expectation(Z(0)) ** 2,
        "Map of own sum": Map(jnp.tanh, Expectation(PauliSum(strings, q["coefficients"]))),
    }


SIZES = ARRAYS | OF_RESULTS
INPUTS = [*ANGLES, *(f"{name} [{i}]" for name, size in SIZES.items() for i in range(size))]
POINT = np.random.default_rng(9).uniform(0.3, 1.2, len(INPUTS))


def split(x: Any) -> tuple[Any, dict[str, Any]]:
    """The angles, and what the arrays are made from."""
    ends = np.cumsum([len(ANGLES), *SIZES.values()])
    return x[: ends[0]], {name: x[a:b] for name, a, b in zip(SIZES, ends, ends[1:], strict=False)}


def reals(tree: Any) -> dict[str, Any]:
    """Per result its real numbers, (size,)."""
    parts = {name: [jnp.ravel(leaf) for leaf in jax.tree.leaves(value)] for name, value in tree.items()}
    return {name: jnp.concatenate([*(p.real for p in ps), *(p.imag for p in ps)]) for name, ps in parts.items()}


THETA = ParameterVector("theta", len(ANGLES))


def run(x: Any, rule: GradientRule, key: Any = None) -> dict[str, Any]:
    """Values by `execute`."""
    angles, q = split(x)
    wanted, initial = results(jnp, q), start(jnp, q)
    options = {"gradient": rule, "method": Statevector("complex128"), "key": key, "initial_state": initial}
    return reals(execute(circuit(THETA, operations(jnp, q)), wanted, {"theta": angles}, **options))


# ---------------------------------------------------------------- the independent side


def differences(value: Any, point: np.ndarray, step: float = 3e-4) -> dict[str, np.ndarray]:
    """Jacobians by central differences of fourth order; `value` takes all points at once, (points, inputs)."""
    eye = step * np.eye(len(point))
    found = value(np.concatenate([point + k * eye for k in (-2, -1, 1, 2)]))
    blocks = {name: np.asarray(v).reshape(4, len(point), -1) for name, v in found.items()}
    return {name: ((b[0] - b[3]) - 8 * (b[1] - b[2])).T / (12 * step) for name, b in blocks.items()}


def by_oracle(points: np.ndarray) -> dict[str, Any]:
    states = []
    for x in points:
        angles, q = split(x)
        states.append(oracle.statevector(circuit(angles.tolist(), operations(np, q)), start(np, q)))

    def value(x: Any, psi: Any) -> dict[str, Any]:
        return reals(evaluate_all(results(jnp, split(x)[1]), PureState(psi), exact()))

    return jax.jit(jax.vmap(value), compiler_options=QUICK)(points, jnp.asarray(states))


@cache
def reference() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Values and Jacobians (size, inputs) of all results, by the oracle."""
    with jax.enable_x64(True):
        values = {name: np.asarray(v)[0] for name, v in by_oracle(POINT[None]).items()}
        return values, differences(by_oracle, POINT)


def assert_jacobians(found: dict[str, Any], expected: dict[str, np.ndarray], atol: float) -> None:
    """Compare all, then name every result and input that is wrong."""
    assert found.keys() == expected.keys()
    wrong = []
    for name, jacobian in expected.items():
        error = np.abs(np.asarray(found[name]) - jacobian)
        places = np.flatnonzero(~(error.max(axis=0) < atol))
        wrong += [f"d {name} / d {INPUTS[i]}: off by {error[:, i].max():.1e}" for i in places]
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong[:40]])


@pytest.mark.slow
def test_the_tables_are_not_vacuous(x64):
    """Everything differentiable is there, and each input and each result has a derivative to get wrong."""
    _, jacobians = reference()
    whole = np.concatenate(list(jacobians.values()))
    weak = [label for label, column in zip(INPUTS, np.abs(whole).max(axis=0), strict=True) if column < 0.05]
    flat = [name for name, jacobian in jacobians.items() if np.abs(jacobian).max() < 0.05]
    assert not weak and not flat
    assert {row.name for row in rows() if row.params} <= {label.split(",")[0] for label in ANGLES}


def jacobian(function: Any) -> Any:
    """jit of x -> (values, Jacobians), by reverse mode with every cotangent at once: one program."""

    @partial(jax.jit, compiler_options=QUICK)
    def both(x: Any, *rest: Any) -> Any:
        values, pull = jax.vjp(lambda x: function(x, *rest), x)
        flat, shape = ravel_pytree(values)
        rows_ = jax.vmap(lambda cotangent: pull(shape(cotangent))[0])(jnp.eye(flat.size))
        ends = np.cumsum([0, *(v.size for v in jax.tree.leaves(values))])
        cut = [rows_[a:b] for a, b in zip(ends, ends[1:], strict=False)]
        return values, jax.tree.unflatten(jax.tree.structure(values), cut)

    return both


@pytest.mark.parametrize("rule, atol", QUICKLY, ids=lambda rule: getattr(rule, "name", ""))
def test_every_operation_and_result(rule, atol, x64):
    values, slopes = jacobian(lambda x: run(x, rule))(jnp.asarray(POINT))
    expected_values, expected = reference()
    for name, value in expected_values.items():
        np.testing.assert_allclose(values[name], value, atol=1e-10, err_msg=name)
    assert_jacobians(slopes, expected, atol)


@pytest.mark.slow
def test_spsa_is_the_slope_along_its_random_signs(x64):
    """One sample must give (J d) d^T exactly, with the same signs d for every result and others for every key."""
    both = jacobian(lambda x, key: run(x, SPSA(samples=1, step=1e-5), key))
    expected = reference()[1]
    angles = np.array([i < len(ANGLES) or INPUTS[i] == "evolution, traced time [3]" for i in range(len(INPUTS))])
    drawn = []
    for seed in range(8):
        slopes = {name: np.asarray(v) for name, v in both(jnp.asarray(POINT), jax.random.key(seed))[1].items()}
        whole = np.concatenate(list(slopes.values()))[:, angles]
        signs = np.sign(whole.T @ whole[:, 0])  # relative to the first: its own drops out of d d^T
        wanted = {name: jacobian.copy() for name, jacobian in expected.items()}
        for jacobian_ in wanted.values():
            jacobian_[:, angles] = np.outer(jacobian_[:, angles] @ signs, signs)
        assert_jacobians(slopes, wanted, 1e-5)
        drawn.append(signs)
    products = np.array(drawn).T @ np.array(drawn) / len(drawn)
    others = np.abs(products[np.triu_indices(angles.sum(), 1)])
    assert np.mean(others == 1) < 0.03 and abs(np.mean(drawn)) < 0.25


# ---------------------------------------------------------------- the matrix of the circuit

BARE = WITH_ANGLES[: len(GATES)]
NUM_BARE = sum(count for _, count, _ in BARE)
MATRIX_INPUTS = [*range(NUM_BARE), *(i for i, name in enumerate(INPUTS) if name.split(" [")[0] in ARRAYS)]


def power_of_trace(matrix: Any) -> Any:
    return jnp.abs(jnp.trace(matrix)) ** 2


OPERATORS = {"Operator": Operator(), "Arithmetic": Operator() * 2.0 - 1j, "Map": Map(power_of_trace, Operator())}


@cache
def matrix_reference() -> dict[str, np.ndarray]:
    def value(points: np.ndarray) -> dict[str, Any]:
        found = []
        for x in points:
            angles, q = split(x)
            found.append(unitary_of(circuit(angles.tolist(), operations(np, q), BARE)))
        evaluate = lambda u: reals(evaluate_all(OPERATORS, OperatorState(u), exact()))  # noqa: E731
        return jax.jit(jax.vmap(evaluate), compiler_options=QUICK)(jnp.asarray(found))

    with jax.enable_x64(True):
        return differences(value, POINT)


@pytest.mark.parametrize(
    "rule, atol",
    [RULES[0], *(pytest.param(*rule, marks=pytest.mark.slow) for rule in RULES[1:])],
    ids=lambda rule: getattr(rule, "name", ""),
)
def test_the_matrix_with_every_operation(rule, atol, x64):
    bare = ParameterVector("theta", NUM_BARE)

    def run_matrix(x):
        angles, q = split(x)
        options = {"gradient": rule, "method": UnitaryMethod("complex128")}
        made = circuit(bare, operations(jnp, q), BARE)
        return reals(execute(made, OPERATORS, {"theta": angles[:NUM_BARE]}, **options))

    assert_jacobians(jacobian(run_matrix)(jnp.asarray(POINT))[1], matrix_reference(), atol)
