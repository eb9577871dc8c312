"""Operations of users that have no more than they must: what nothing can replace is told apart by its values."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracle import statevector

from qsim import Circuit, Parameter, X, Z, execute, qasm
from qsim._errors import CircuitError
from qsim.ir.operation import Conditional, Gate, controlled, row_of
from qsim.primitives import Estimator
from qsim.results import Expectation, State
from qsim.rules import Backprop, ParameterShift


class Plain:
    """No more than a number and a matrix."""

    name, num_clbits, num_params = "plain", 0, 1

    def __init__(self, angle, num_qubits):
        self.params, self.num_qubits = (angle,), num_qubits

    def matrix(self, xp):
        return xp.asarray(np.diag(np.exp(1j * self.params[0] * np.arange(1 << self.num_qubits))))


@pytest.mark.parametrize("n, qubits", [(1, [0]), (2, [1, 0]), (6, [0, 5]), (6, [5, 3, 0, 1, 2])])
@pytest.mark.parametrize("controls", [0, 1])
def test_an_operation_with_a_number_and_a_matrix_alone_is_a_constant(n, qubits, controls):
    operation = Plain(0.3, len(qubits))
    circuit = Circuit(n + controls).h(range(n + controls))
    for _ in range(2):
        circuit.append(controlled(operation, controls) if controls else operation, [*range(n, n + controls), *qubits])
        circuit.ry(0.7, range(n))
    np.testing.assert_allclose(execute(circuit, State()), statevector(circuit), atol=1e-6)


class Keyed(Plain):
    """The same with a key, which says nothing of the number."""

    key = "keyed"


@pytest.mark.parametrize("n, qubits", [(1, [0]), (6, [5, 3, 0, 1, 2])])
@pytest.mark.parametrize("controls", [0, 1])
def test_numbers_that_nothing_can_replace_are_in_the_key(n, qubits, controls):
    operations = [Keyed(angle, len(qubits)) for angle in (0.3, 1.1)]
    if controls:
        operations = [controlled(operation, controls) for operation in operations]
    for chosen in ([0], [1], [0, 1]):  # one program for all would give the first one's state
        circuit = Circuit(n + controls).h(range(n + controls))
        for at in chosen:
            circuit.append(operations[at], [*range(n, n + controls), *qubits]).ry(0.7, range(n))
        np.testing.assert_allclose(execute(circuit, State()), statevector(circuit), atol=1e-6)


@pytest.mark.parametrize("value", [Parameter("a"), jnp.float32(0.3)])
def test_numbers_that_nothing_can_replace_must_have_values(value):
    with pytest.raises(CircuitError, match="plain.*not all constants.*must have `key` and `replace"):
        execute(Circuit(1).append(Keyed(value, 1), [0]), State(), {"a": 0.3} if isinstance(value, Parameter) else None)
    with pytest.raises(CircuitError, match="plain.*not all constants.*must have `key` and `replace"):
        jax.grad(lambda a: execute(Circuit(1).append(Keyed(a, 1), [0]), Expectation(Z(0))))(0.3)


class Diagonal:
    """Arrays, and its action alone; `kept` hides what acts."""

    name, num_qubits, num_clbits, num_params, params = "diagonal", 2, 0, 0, ()

    def __init__(self, values, *, kept):
        self.arrays, self.kept = (() if kept else (values,)), values

    def apply(self, xp, columns):
        return columns * xp.asarray(self.kept)[:, None]


@pytest.mark.parametrize("kept", [False, True])
def test_operations_with_apply_alone_are_known_by_what_they_do(kept):
    first, second = np.array([1, 1j, -1, -1j]), np.array([1, 1, -1, 1j])
    for values in ([first], [second], [first, second]):
        circuit = Circuit(2).h([0, 1])
        for value in values:
            circuit.append(Diagonal(value, kept=kept), [0, 1])
        np.testing.assert_allclose(execute(circuit, State()), np.prod(values, axis=0) / 2, atol=1e-6)
    wide = Diagonal(first, kept=kept)
    wide.num_qubits = 21
    with pytest.raises(CircuitError, match="diagonal.*more than 20 qubits must have `key`.*21"):
        execute(Circuit(21).append(wide, range(21)), Expectation(Z(0)))
    with pytest.raises(CircuitError, match="diagonal.*not all constants"):
        execute(Circuit(2).append(Diagonal(jnp.asarray(first), kept=False), [0, 1]), State())


class Large:
    """A phase as a matrix that is too large to be made, and as an action."""

    num_clbits, num_params, name, key = 0, 1, "large", "large"

    def __init__(self, angle, num_qubits):
        self.params, self.num_qubits = (angle,), num_qubits

    def matrix(self, xp):
        raise AssertionError("the matrix is not made")

    def apply(self, xp, columns):
        return columns * np.exp(1j * self.params[0])

    def inverse(self):
        return Large(-self.params[0], self.num_qubits)


def test_large_operations_are_told_apart_by_their_action():
    for angle in (0.3, 1.1):
        found = execute(Circuit(12).append(Large(angle, 12), range(12)), State())
        assert abs(found[0] - np.exp(1j * angle)) < 1e-6


@pytest.mark.parametrize("bad", [[1.0, 2.0], None, np.array(["x"]), np.array([None])])
def test_arrays_of_an_operation_must_be_arrays_of_numbers(bad):
    with pytest.raises(CircuitError, match="diagonal: `arrays` must hold NumPy or JAX arrays"):
        Circuit(2).append(Diagonal(bad, kept=False), [0, 1])


def test_values_that_a_matrix_closes_over_are_constants():
    class Traced:
        name, num_qubits, num_clbits, num_params, params = "traced", 1, 0, 0, ()

        def __init__(self, angle):
            self.angle = angle

        def matrix(self, xp):
            return xp.diag(xp.exp(1j * xp.stack([self.angle, -self.angle])))

    operation = Traced(0.3)
    circuit = Circuit(1).h(0).append(operation, [0]).h(0)
    assert abs(execute(circuit, Expectation(Z(0))) - np.cos(0.6)) < 1e-6

    def value(angle):
        return execute(Circuit(1).append(Traced(angle), [0]), Expectation(Z(0)))

    with pytest.raises(CircuitError, match="traced: matrix.numpy. fails: Tracer.*must be in `params`.*`replace"):
        jax.grad(value)(0.3)

    def later(angle):
        operation = Traced(0.3)
        circuit = Circuit(1).append(operation, [0])
        operation.angle = angle
        return execute(circuit, Expectation(Z(0)))

    with pytest.raises(CircuitError, match="traced: what tells it.*matrix.numpy. fails: Tracer.*Give it `key`"):
        jax.grad(later)(0.3)


class Jaxed(Diagonal):
    """An action that takes nothing but tracers and JAX arrays."""

    def apply(self, xp, columns):
        return columns.at[0].multiply(self.kept[0])


def test_an_action_that_numpy_cannot_do_needs_a_key():
    circuit = Circuit(2).append(Jaxed(np.array([-1, 1, 1, 1]), kept=True), [0, 1])
    with pytest.raises(CircuitError, match="diagonal.*apply.numpy, columns. fails: AttributeError.*Give it `key`."):
        execute(circuit, State())


class Defined(Plain):
    """A rotation by its definition, and as more: what it is known by is what is run."""

    name = "defined"

    def definition(self):
        return Circuit(1).ry(self.params[0], 0)

    def matrix(self, xp):
        return Gate(row_of("ry"), (self.params[0],)).matrix(xp)


class Applied(Defined):
    """The same with an action."""

    key = "applied"

    def apply(self, xp, columns):
        return self.matrix(xp) @ columns


@pytest.mark.parametrize("kind", [Defined, Applied])
@pytest.mark.parametrize("controls", [0, 1])
def test_operations_with_a_definition_are_run_by_it(kind, controls):
    def value(angle, **how):
        operation = kind(angle, 1)
        circuit = Circuit(1 + controls).x(range(controls))
        circuit.append(controlled(operation, controls) if controls else operation, range(controls + 1))
        return execute(circuit, Expectation(Z(controls)), **how)

    angles = jnp.array([0.3, 1.1])
    for angle in angles:
        for given in (angle, float(angle)):
            assert abs(value(given) - np.cos(angle)) < 1e-6
        assert abs(value(Parameter("a"), params={"a": angle}) - np.cos(angle)) < 1e-6
        assert abs(jax.grad(value)(angle) + np.sin(angle)) < 1e-6
    np.testing.assert_allclose(jax.vmap(value)(angles), np.cos(angles), atol=1e-6)
    np.testing.assert_allclose(value(Parameter("a"), params={"a": angles}), np.cos(angles), atol=1e-6)


def closed_over(angle):
    class Closed:
        name, num_qubits, num_clbits, num_params, params = "closed", 1, 0, 0, ()

        def definition(self):
            return Circuit(1).ry(angle, 0)

        def apply(self, xp, columns):
            raise AssertionError("what it is known by is what is run")

    return Closed()


def test_operations_that_close_over_values_are_run_by_their_definition():
    def value(angle):
        return execute(Circuit(1).append(closed_over(angle), [0]), Expectation(Z(0)))

    for angle in (jnp.float32(0.3), jnp.float32(1.1), 0.3, 1.1):
        assert abs(value(angle) - np.cos(angle)) < 1e-6
    assert abs(jax.grad(value)(0.3) + np.sin(0.3)) < 1e-6


@pytest.mark.parametrize("controls", [0, 1])
@pytest.mark.parametrize("operation", [Plain(0.3, 1), Defined(0.3, 1), Diagonal(np.array([1, 1j]), kept=False)])
def test_circuits_with_such_operations_are_pytrees(operation, controls):
    operation.num_qubits = 1
    circuit = Circuit(1 + controls).h(range(1 + controls))
    circuit.append(controlled(operation, controls) if controls else operation, range(1 + controls))
    circuit.ry(0.7, 0).unitary(np.array([[0, 1j], [1, 0]]), [0])
    want = execute(circuit, State())
    np.testing.assert_allclose(jax.jit(lambda c: execute(c, State()))(circuit), want, atol=1e-6)
    np.testing.assert_allclose(execute(jax.tree.map(lambda leaf: leaf, circuit), State()), want, atol=1e-6)


def test_circuits_with_such_operations_are_written_and_transpiled():
    circuit = Circuit(2).h([0, 1]).append(Plain(0.3, 1), [1])
    assert "h q[0]" in qasm.dumps(circuit)
    circuit.append(controlled(Defined(0.3, 1)), [0, 1])
    want = execute(circuit, Expectation(Z(1)))
    assert abs(execute(circuit, Expectation(Z(1)), on="local@line5", shots=20_000, key=jax.random.key(0)) - want) < 0.03


def test_an_operation_with_apply_alone_has_no_adjoint_gradient():
    def value(angle, **how):
        circuit = Circuit(2).append(Diagonal(np.ones(4), kept=True), [0, 1]).ry(angle, 0)
        return execute(circuit, Expectation(Z(0)), **how)

    with pytest.raises(CircuitError, match=r"diagonal on qubits \(0, 1\).*inverse\(\), matrix.*Diagonal.*Backprop"):
        jax.grad(value)(0.3)
    assert abs(jax.grad(lambda a: value(a, gradient=Backprop()))(0.3) + np.sin(0.3)) < 1e-6


@pytest.mark.parametrize(
    "made, message",
    [
        (None, "must give a Circuit, but gives NoneType"),
        (Circuit(2).h(0), "the definition is on 2 qubits, but the operation on 1"),
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda circuit: execute(circuit, State()),
        lambda circuit: execute(circuit, State(), on="numpy"),
        lambda circuit: circuit.key,
        lambda circuit: circuit.inverse(),
        lambda circuit: execute(circuit.controlled(), State()),
        lambda circuit: jax.jit(lambda c: execute(c, State()))(circuit),
        qasm.dumps,
    ],
)
def test_a_definition_that_is_none_is_refused(use, made, message):
    operation = closed_over(0.3)
    type(operation).definition = lambda self: made
    with pytest.raises(CircuitError, match=f"closed: .*{message}"):
        use(Circuit(1).append(operation, [0]))


def test_a_definition_that_contains_itself_is_refused():
    operation = closed_over(0.3)
    type(operation).definition = lambda self: Circuit(1).append(operation, [0])
    with pytest.raises(CircuitError, match="closed go deeper than 64"):
        execute(Circuit(1).append(operation, [0]), State())


@pytest.mark.parametrize(
    "made, message",
    [
        (Circuit(1).ry(Parameter("a"), 0), "has the parameter `a`, which is not in `params`"),
        (Circuit(1).h(0).measure_all(), "has 1 classical bits, but the operation 0"),
    ],
)
def test_a_definition_with_more_than_the_operation_is_refused(made, message):
    operation = closed_over(0.3)
    type(operation).definition = lambda self: made
    with pytest.raises(CircuitError, match=f"closed: the definition {message}"):
        execute(Circuit(1).append(operation, [0]), State())


@pytest.mark.parametrize("controls", [0, 1])
def test_values_in_definitions_are_shared_or_not_as_they_are(controls):
    def value(a, b, c):
        circuit = Circuit(1 + controls).x(range(controls)).ry(a, controls)
        for angle in (b, c):
            operation = closed_over(angle)
            circuit.append(controlled(operation, controls) if controls else operation, range(1 + controls))
        return execute(circuit.ry(a, controls), Expectation(Z(controls)))

    v, w = jnp.float32(0.3), jnp.float32(1.1)
    for angles in ((v, v, v), (v, v, w), (v, w, v), (w, v, v), (v, w, w), (v, v, v)):
        first, second, third = map(float, angles)
        assert abs(value(*angles) - np.cos(2 * first + second + third)) < 1e-6
    slope = -np.sin(2 * 0.3 + 0.7 + 1.1)
    np.testing.assert_allclose(jax.grad(value, (0, 1, 2))(0.3, 0.7, 1.1), [2 * slope, slope, slope], atol=1e-5)


def test_hidden_values_are_told_apart_on_devices_too():
    for angle in (jnp.float32(0.3), jnp.float32(1.1)):
        circuit = Circuit(1).append(closed_over(angle), [0])
        found = execute(circuit, Expectation(Z(0)), on="local@line5", shots=20_000, key=jax.random.key(0))
        assert abs(found - np.cos(angle)) < 0.03


def closed_over_sine(angle):
    operation = closed_over(angle)
    type(operation).definition = lambda self: Circuit(1).ry(jnp.sin(jnp.float32(angle)), 0)
    return operation


class Computed:
    """An operation whose definition makes JAX values."""

    name, num_qubits, num_clbits, num_params = "computed", 1, 0, 1

    def __init__(self, angle):
        self.params = (angle,)

    def definition(self):
        return Circuit(1).ry(jnp.sin(self.params[0]), 0)


@pytest.mark.parametrize("angle", [0.3, jnp.float32(0.3)])
def test_what_a_definition_makes_in_one_trace_stays_there(angle):
    want = np.cos(np.sin(0.3))
    circuit = Circuit(1).append(Computed(angle), [0])
    assert abs(jax.jit(lambda x: x * execute(circuit, Expectation(Z(0))))(1.0) - want) < 1e-6
    assert abs(execute(circuit, Expectation(Z(0))) - want) < 1e-6
    again = Circuit(1).append(Computed(angle), [0])
    jax.jit(lambda x: (jax.tree.leaves(again), x)[1])(1.0)
    assert abs(jax.jit(lambda c: execute(c, Expectation(Z(0))))(again) - want) < 1e-6


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_parameters_that_a_definition_leaves_out_are_those_of_the_circuit(names):
    operation = closed_over(0.0)
    operation.params = tuple(map(Parameter, names))
    type(operation).definition = lambda self: Circuit(1).ry(self.params[0], 0)
    circuit, values = Circuit(1).append(operation, [0]), dict.fromkeys(names, jnp.array(jnp.inf)) | {"a": 0.3}

    def value(c, params):
        return execute(c, Expectation(Z(0)), params)

    again = jax.tree.map(jnp.array, circuit)
    for found in (value(circuit, values), jax.jit(value)(circuit, values), value(again, values)):
        assert abs(found - np.cos(0.3)) < 1e-6


def test_values_that_are_one_in_a_trace_and_two_outside():
    """JAX gives the same tracer for the real part of a real value, but another array outside."""

    def made():
        operation, v, w = closed_over(0.0), jnp.float32(0.3), jnp.float32(1.1)
        type(operation).definition = lambda self: Circuit(1).ry(jnp.real(v), 0).ry(jnp.squeeze(v), 0).ry(w, 0)
        return Circuit(1).append(operation, [0])

    def value(circuit):
        return execute(circuit, Expectation(Z(0)))

    for key_first, order in ((False, (0, 1, 0)), (False, (1, 0, 1)), (True, (1, 0))):
        circuit = made()
        assert not key_first or circuit.key
        for inside in order:
            found = jax.jit(lambda x, c=circuit: x * value(c))(1.0) if inside else value(circuit)
            assert abs(found - np.cos(1.7)) < 1e-6


class Replaced(Computed):
    """The same with a key, and values that are one in a trace."""

    key = "replaced"

    def replace(self, params, arrays=()):
        return Replaced(params[0])

    def definition(self):
        return Circuit(1).ry(jnp.real(self.params[0]), 0).ry(jnp.squeeze(self.params[0]), 0)


@pytest.mark.parametrize("order", [(0, 1, 0), (1, 0, 1)])
def test_values_that_definitions_with_a_key_make(order):
    circuit = Circuit(1).append(Replaced(jnp.float32(0.3)), [0]).ry(jnp.float32(1.1), 0)
    for inside in order:
        run = partial(execute, circuit, Expectation(Z(0)))
        assert abs((jax.jit(run) if inside else run)() - np.cos(1.7)) < 1e-6


def test_values_that_definitions_make_tell_pubs_apart():
    angles = np.array([0.3, 1.1, 0.7, 2.0])
    pubs = [(Circuit(1).append(closed_over_sine(angle), [0]), Z(0)) for angle in angles]
    found = [pub.data.evs for pub in Estimator(key=jax.random.key(0)).run(pubs).result()]
    np.testing.assert_allclose(found, np.cos(np.sin(angles)), atol=1e-6)


def test_devices_differentiate_what_definitions_hold():
    def value(angle, operation):
        circuit = Circuit(1).append(operation(angle), [0])
        how = dict(on="local@line5", shots=20_000, key=jax.random.key(0))
        return execute(circuit, Expectation(Z(0)), **how)

    for operation, slope in ((closed_over, -np.sin(0.3)), (Computed, -np.sin(np.sin(0.3)) * np.cos(0.3))):
        assert abs(jax.grad(value)(0.3, operation) - slope) < 0.03


def test_definitions_have_spectra():
    def value(time, **how):
        operation = closed_over(0.0)
        observable = 0.7 * Z(0) + 0.3 * X(0)
        type(operation).definition = lambda self: Circuit(1).pauli_evolution(observable, time, [0], order=2, steps=3)
        return execute(Circuit(1).h(0).append(operation, [0]), Expectation(X(0)), **how)

    want = jax.grad(value)(0.4)
    assert abs(want) > 0.1
    assert abs(jax.grad(lambda t: value(t, gradient=ParameterShift()))(0.4) - want) < 1e-4


def test_a_conditional_operation_with_hidden_values_is_refused():
    circuit = Circuit(1, num_clbits=1).append(Conditional(closed_over(jnp.float32(0.3)), "c", 1), [0])
    with pytest.raises(CircuitError, match="closed: with JAX values in its definition, it must have `key`"):
        _ = circuit.key


def test_a_conditional_operation_that_nothing_can_replace_is_a_leaf_of_itself():
    circuit = Circuit(1, num_clbits=1).append(Conditional(Plain(0.3, 1), "c", 1), [0])
    assert jax.tree.map(lambda leaf: leaf, circuit) == circuit


def test_numbers_of_definitions_are_no_structure():
    first, second = (Circuit(1).append(closed_over(angle), [0]) for angle in (0.3, 1.1))
    assert first.key == second.key
    assert first.numbers() == [0.3] and second.numbers() == [1.1]


@pytest.mark.parametrize("param", [True, "a", None, 1j, np.nan, 10**400, jnp.ones(2), np.ones(2), np.array("x")])
def test_params_that_are_no_numbers_are_refused(param):
    with pytest.raises(CircuitError, match="plain: `params` must hold finite numbers, Parameters or JAX scalars"):
        Circuit(1).append(Plain(param, 1), [0])


@pytest.mark.parametrize("member", ["params", "arrays"])
@pytest.mark.parametrize("held", [None, np.ones(1)])
def test_params_and_arrays_are_tuples(member, held):
    operation = Plain(0.3, 1)
    setattr(operation, member, held)
    with pytest.raises(CircuitError, match=f"plain: `{member}` must be a tuple"):
        Circuit(1).append(operation, [0])


@pytest.mark.parametrize("has_key", [False, True])
@pytest.mark.parametrize(
    "member, made, shape",
    [
        ("matrix", lambda xp: xp.eye(4).tolist() if xp is np else xp.eye(4), r"\(128, 128\), but gives \(4, 4\)"),
        ("apply", lambda xp, columns: columns[:2], r"\(128, 1\), but gives \(2, 1\)"),
        ("apply", lambda xp, columns: None, r"\(128, 1\), but gives \(\)"),
    ],
)
def test_what_large_operations_give_must_fit(member, made, shape, has_key):
    key = f"{member} {shape}" if has_key else None
    operation = type("Wide", (), dict(name="wide", num_qubits=7, num_clbits=0, num_params=0, params=(), key=key))()
    setattr(operation, member, made)
    with pytest.raises(CircuitError, match=f"wide: {member}.* must give shape {shape}"):
        execute(Circuit(7).append(operation, range(7)), State())


def test_a_matrix_of_lists_is_controlled():
    operation = closed_over(0.0)
    del type(operation).definition, type(operation).apply
    operation.matrix = lambda xp: [[0, 1], [1, 0]]
    np.testing.assert_allclose(execute(Circuit(2).x(0).append(controlled(operation), [0, 1]), State()), [0, 0, 0, 1])


def test_an_inverse_that_cannot_be_applied_is_none():
    operation = closed_over(0.0)
    del type(operation).definition
    operation.num_qubits, operation.key = 5, "identity"
    operation.apply, operation.inverse = lambda xp, columns: columns, lambda: None

    def value(angle):
        return execute(Circuit(5).append(operation, range(5)).ry(angle, 0), Expectation(Z(0)))

    with pytest.raises(CircuitError, match="closed on qubits .* has none of them"):
        jax.grad(value)(0.3)


@pytest.mark.parametrize("array", [jax.random.key(0), [1.0], None, np.array(["x"])])
def test_arrays_that_hold_no_numbers_are_refused(array):
    operation = Plain(0.3, 1)
    operation.arrays = (array,)
    with pytest.raises(CircuitError, match="plain: `arrays` must hold NumPy or JAX arrays of numbers"):
        Circuit(1).append(operation, [0])
