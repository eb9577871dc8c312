"""Expressions evaluated level by level, against the same expressions token by token."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from qsim import Circuit, Parameter, ParameterVector, Z, execute
from qsim._errors import ParameterError
from qsim.ir.parameter import Expression, evaluate
from qsim.lower.expressions import MAX_STEPS, evaluate_together, schedule
from qsim.results import Expectation

V = ParameterVector("v", 5)
OPERATIONS = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / (b * b + 1),
    lambda a, b: np.sin(a) - (b - a),
    lambda a, b: -a,
    lambda a, b: -(a + b - 0.5),
    lambda a, b: a**2,
    lambda a, b: 0.3 - a,
]


def random_expression(rng: np.random.Generator, size: int) -> Expression:
    pool = [*V, *(rng.normal() * v for v in V), *(v + rng.normal() for v in V)]
    for _ in range(size):
        a, b = (pool[i] for i in rng.integers(len(pool), size=2))
        pool.append(OPERATIONS[rng.integers(len(OPERATIONS))](a, b))
    return pool[-1] + 0.5 * V[0]


@pytest.mark.parametrize("seed", range(20))
def test_level_by_level_is_token_by_token(seed):
    rng = np.random.default_rng(seed)
    expression = random_expression(rng, 2 + seed // 2)
    fixed = tuple((rng.random(len(expression.numbers)) < 0.5).tolist())
    numbers = np.repeat(np.array(expression.numbers)[:, None], 3, axis=1)
    params = rng.uniform(-0.9, 0.9, (len(expression.params), 3))
    mask = np.array(fixed, bool)
    found = evaluate_together(np, expression.code, fixed, numbers[mask], numbers[~mask], params)
    np.testing.assert_allclose(found, evaluate(np, expression.code, list(numbers), list(params)), rtol=1e-9)


@pytest.mark.parametrize("order", ["left", "right", "alternating"])
def test_long_sums_are_two_steps(order):
    vector = ParameterVector("t", 3000)
    total = 0.0
    for i, t in enumerate(vector):
        term = 0.001 * t
        total = total + term if order == "left" else term + total if order == "right" else term - total if i else term
    steps, _ = schedule(total.code, (True,) * len(total.numbers))
    assert len(steps) <= 3
    point = np.random.default_rng(0).normal(size=3000).astype(np.float32)
    energy = lambda t: execute(Circuit(1).ry(total, 0), Expectation(Z(0)), {"t": t})  # noqa: E731
    value, slope = jax.value_and_grad(energy)(point)
    angle = float(total.bind({"t": point.astype(float)}))
    np.testing.assert_allclose(value, np.cos(angle), atol=1e-5)
    signs = np.array([1.0] * 3000 if order != "alternating" else [(-1.0) ** (2999 - i) for i in range(3000)])
    np.testing.assert_allclose(slope, -0.001 * signs * np.sin(angle), atol=1e-7)


def test_expressions_of_one_form_are_done_together():
    wanted = [np.sin(2 * v) * (v + 0.1) for v in V]
    total = sum(wanted[1:], wanted[0])
    steps, _ = schedule(total.code, (True,) * len(total.numbers))
    assert sorted(step.operator for step in steps) == ["*", "*", "sin", "sum", "sum"]


def test_deep_nesting_is_refused_in_words():
    angle = Parameter("a")
    for _ in range(MAX_STEPS + 1):
        angle = np.sin(angle)
    with pytest.raises(ParameterError, match=f"nests more than {MAX_STEPS} operations.*as one parameter"):
        execute(Circuit(1).rx(angle, 0), params={"a": 0.1})
    assert np.isfinite(Circuit(1).rx(angle, 0).bind({"a": 0.1}).numbers()).all()
