"""Named parameters: arithmetic, binding, and the shapes of values."""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ParameterVector
from qsim._errors import CircuitError, ParameterError
from qsim.ir.parameter import OPERATORS, Expression, evaluate

A, B = Parameter("a"), Parameter("b")
VALUES = {"a": np.float64(0.7), "b": np.float64(1.3)}
EXPRESSIONS = {
    "sum": (A + B, 2.0),
    "mixed": (2 * A - B / 4 + 1, 2 * 0.7 - 1.3 / 4 + 1),
    "right": (1 - A, 0.3),
    "over": (1 / B, 1 / 1.3),
    "power": (A**2 + 2**B, 0.49 + 2**1.3),
    "negative": (-A, -0.7),
    "numpy": (np.sin(A) * np.cos(B), math.sin(0.7) * math.cos(1.3)),
    "own": (A.tan() + A.arcsin() + A.arccos() + A.arctan(), math.tan(0.7) + math.pi / 2 + math.atan(0.7)),
    "exp": (np.exp(A) + np.log(B) + np.sqrt(B), math.exp(0.7) + math.log(1.3) + math.sqrt(1.3)),
    "numpy numbers": (np.float32(0.5) * A + np.int64(3), 3.35),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_arithmetic(name: str) -> None:
    expression, expected = EXPRESSIONS[name]
    assert expression.bind(VALUES) == pytest.approx(expected, abs=1e-7)
    left = expression.bind({"a": VALUES["a"]})
    whole = left.bind({"b": VALUES["b"]}) if isinstance(left, Expression) else left
    assert whole == pytest.approx(expected, abs=1e-7)
    traced = expression.bind({"a": jnp.float32(0.7), "b": jnp.float32(1.3)})
    assert float(traced) == pytest.approx(expected, abs=1e-5)


@given(st.recursive(st.sampled_from([A, B]), lambda e: st.tuples(st.sampled_from("+-*"), e, e), max_leaves=8))
def test_text_reads_back_as_the_same_expression(tree: object) -> None:
    def build(node: object) -> object:
        if isinstance(node, Parameter):
            return node
        token, left, right = node  # type: ignore[misc]
        return OPERATORS[token][1](np, build(left), build(right))

    found = build(tree)
    again = eval(str(found), {"a": A, "b": B})  # the text is Python
    assert again.bind(VALUES) == pytest.approx(found.bind(VALUES))  # type: ignore[attr-defined]


def test_expressions_of_one_form_share_their_code() -> None:
    first, second = 2 * A + 1, 3 * B + 4
    assert first.code == second.code
    batch = evaluate(np, first.code, [np.array([2.0, 3.0]), np.array([1.0, 4.0])], [np.array([0.7, 1.3])])
    np.testing.assert_allclose(batch, [first.bind(VALUES), second.bind(VALUES)])


def test_equality_is_by_name() -> None:
    assert Parameter("a") == A != B
    assert hash(Parameter("a")) == hash(A)
    assert 2 * A == 2 * Parameter("a") != 3 * A
    theta = ParameterVector("theta", 2)
    assert theta[0] == ParameterVector("theta", 2)[0] != theta[1]
    assert theta[0] != Parameter("theta")


def test_vectors_index_iterate_and_calculate() -> None:
    theta = ParameterVector("theta", (2, 3))
    assert str(theta[1, 2]) == "theta[1,2]" and theta.size == 6 and len(theta) == 2
    assert theta[0].shape == (3,)
    value = {"theta": np.arange(6.0).reshape(2, 3)}
    for made, expected in (
        (2 * theta - 1, 2 * value["theta"] - 1),
        (np.ones((2, 3)) - theta, 1 - value["theta"]),
        (theta + theta, 2 * value["theta"]),
        (-theta / 2, -value["theta"] / 2),
        (np.array([1.0, 2, 3]) * theta[1], np.array([1.0, 2, 3]) * value["theta"][1]),
    ):
        np.testing.assert_allclose(np.vectorize(lambda e: e.bind(value))(made).astype(float), expected)
    assert np.asarray(theta).shape == (2, 3) and next(iter(theta)).shape == (3,)


def test_circuit_knows_its_parameters_sorted() -> None:
    theta = ParameterVector("theta", 12)
    circuit = Circuit(2).rx(theta[11], 0).rx(theta[2], 0).ry(2 * A, 1).rz(B * A, 0)
    assert [str(p) for p in circuit.parameters] == ["a", "b", "theta[2]", "theta[11]"]
    assert circuit.parameter_shapes() == {"a": (), "b": (), "theta": (12,)}


def test_bind_some_then_all() -> None:
    theta = ParameterVector("theta", 2)
    circuit = Circuit(1).rx(theta[0], 0).ry(A + theta[1], 0).h(0)
    some = circuit.bind({"a": 1.0})
    assert [str(p) for p in some.parameters] == ["theta[0]", "theta[1]"]
    done = some.bind({theta: [0.25, 0.5]})
    assert done.parameters == () and done.numbers().tolist() == [0.25, 1.5]
    assert done == circuit.bind({A: 1.0, "theta": np.array([0.25, 0.5])})
    assert circuit.parameters  # binding makes another circuit


def test_bind_to_jax_keeps_the_array_whole() -> None:
    theta = ParameterVector("theta", 3)
    value = jnp.arange(3.0)
    bound = Circuit(3).rx(theta, range(3)).bind({"theta": value})
    assert len(bound.values()) == 1 and bound.values()[0] is value


BAD = [
    (lambda: Parameter("2x"), "Argument `name` must be letters"),
    (lambda: Parameter(3), "Argument `name` must be letters"),  # type: ignore[arg-type]
    (lambda: ParameterVector("t", -1), "must be non-negative ints, but is -1"),
    (lambda: ParameterVector("t", 1.5), "must be non-negative ints, but is 1.5"),  # type: ignore[arg-type]
    (lambda: float(A), "Parameter `a` has no value yet"),
    (lambda: bool(A + 1), r"The truth of parameter `a\+1` is not known"),
    (lambda: A + 1j, "not with complex in `\\+`"),
    (lambda: A * jnp.float32(2), "not with ArrayImpl in `\\*`"),
    (lambda: A + True, "not with bool in `\\+`"),
    (lambda: A + "x", "not with str"),
    (lambda: Circuit(1).rx(A, 0).bind({"b": 1.0}), "Unknown parameter `b`; the circuit's parameters are: a"),
    (lambda: Circuit(1).h(0).bind({"b": 1.0}), "the circuit's parameters are: none"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": float("nan")}), "The value of parameter `a` holds NaN"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": float("inf")}), "parameter `a` holds an infinite number"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": 1j}), "must be real numbers, but is complex"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": "x"}), "must be real numbers, but is str"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": True}), "must be real numbers, but is bool"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": [1.0, 2.0]}), r"has shape \(\), but the value to bind has shape \(2,\)"),
    (lambda: Circuit(1).rx(A, 0).bind({"a": 1.0, A: 2.0}), "Parameter `a` is given twice"),
    (lambda: Circuit(1).rx(ParameterVector("t", 2)[0], 0).bind({"t": [1.0]}), r"Parameter `t` has shape \(2,\)"),
    (lambda: Circuit(1).rx(ParameterVector("t", 2)[0], 0).bind({"t": [[1.0], [1, 2]]}), "is a ragged list"),
    (
        lambda: Circuit(1).rx(ParameterVector("t", 2)[0], 0).bind({ParameterVector("t", 2)[0]: 1.0}),
        r"t\[0\] is an element of a vector, which is bound as a whole",
    ),
    (
        lambda: Circuit(1).rx(ParameterVector("t", 2)[0], 0).ry(Parameter("t"), 0).parameters,
        r"Parameter `t` is a vector of shape \(2,\) in one gate and a scalar in another",
    ),
    (
        lambda: Circuit(1).rx(ParameterVector("t", 4)[0] + ParameterVector("t", (2, 2))[0, 0], 0).parameters,
        r"a vector of shape \(4,\) in one gate and a vector of shape \(2, 2\) in another",
    ),
    (lambda: A * float("nan"), "must be finite, but one is nan"),
    (lambda: A + 10**400, "must be finite, but one is inf"),
    (lambda: A / 0, "A parameter cannot be divided by 0, as in `a / 0`"),
    (lambda: ParameterVector("t", "ab"), "must be non-negative ints, but is 'ab'"),  # type: ignore[arg-type]
    (lambda: ParameterVector("t", (2, 2.7)), "must be non-negative ints"),  # type: ignore[arg-type]
    (lambda: ParameterVector("t", 10**12), "must have at most 10000000 elements"),
    (lambda: Circuit(1).rx(A, 0).bind([1.0]), "`params` must map names to values, but is list. Try {'a': ...}"),
]


@pytest.mark.parametrize("make, message", BAD, ids=[m[:40] for _, m in BAD])
def test_bad_input_is_one_clear_error(make, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


def test_an_expression_without_a_finite_value_is_refused_when_bound() -> None:
    with pytest.raises(CircuitError, match="rx: a parameter must be a finite number"), np.errstate(all="ignore"):
        Circuit(1).rx(1 / A, 0).bind({"a": 0.0})


def test_batches_pass_check_values_but_not_bind() -> None:
    theta = ParameterVector("theta", 2)
    circuit = Circuit(1).rx(theta[0], 0)
    assert circuit.check_values({"theta": np.zeros((5, 2))})["theta"].shape == (5, 2)
    with pytest.raises(ParameterError, match=r"Batches go to execute\(\.\.\., params=\.\.\.\)"):
        circuit.bind({"theta": np.zeros((5, 2))})


def test_numpy_functions_and_powers_of_vectors() -> None:
    vector = ParameterVector("v", 3)
    point = {"v": np.array([0.2, 0.5, 0.9])}
    for found, wanted in [
        (np.sin(vector), np.sin(point["v"])),
        (vector**2, point["v"] ** 2),
        (2**vector, 2 ** point["v"]),
        (1 / vector, 1 / point["v"]),
        (np.arange(3) * vector, np.arange(3) * point["v"]),
        ([np.sum(vector)], [point["v"].sum()]),
    ]:
        np.testing.assert_allclose([e.bind(point) for e in found], wanted)
