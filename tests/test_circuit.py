"""Circuits: building, refusing, composing, and what their key tells apart."""

from __future__ import annotations

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_oracle import random_unitary, unitary_of

from qsim import Circuit, Parameter, ParameterVector, Z, gates, ops
from qsim._errors import CircuitError, MemoryLimitError
from qsim.ir import expand as expand_module
from qsim.ir.expand import expand
from qsim.ir.instruction import Instruction
from qsim.ir.layout import Layout
from qsim.ir.operation import Conditional, Reset, rows

N = 3
ANGLES = st.floats(-3, 3).map(lambda x: round(x, 3))


@st.composite
def circuits(draw: Any, num_qubits: int = N, max_size: int = 8) -> Circuit:
    circuit = Circuit(num_qubits)
    fitting = [row for row in rows() if row.num_qubits <= num_qubits]
    for row in draw(st.lists(st.sampled_from(fitting), max_size=max_size)):
        qubits = draw(st.permutations(range(num_qubits)))[: row.num_qubits]
        params = [draw(ANGLES) for _ in row.params]
        getattr(circuit, row.name)(*params, *qubits)
    return circuit


@settings(max_examples=40, deadline=None)
@given(circuits())
def test_inverse_undoes(circuit: Circuit) -> None:
    one = np.eye(1 << N)
    np.testing.assert_allclose(unitary_of(circuit + circuit.inverse()), one, atol=1e-12)
    np.testing.assert_allclose(unitary_of(circuit.inverse()), unitary_of(circuit).conj().T, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(circuits(), circuits(2), st.permutations(range(N)))
def test_extend_puts_the_other_where_it_is_told(circuit: Circuit, other: Circuit, order: list[int]) -> None:
    found = unitary_of(circuit.extend(other, qubits=order[:2]))
    moved = Circuit(N).unitary(unitary_of(other), order[:2])
    np.testing.assert_allclose(found, unitary_of(moved) @ unitary_of(circuit), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(circuits(2, 5), st.integers(1, 2), st.data())
def test_controlled_acts_where_the_controls_read(circuit: Circuit, number: int, data: Any) -> None:
    state = data.draw(st.integers(0, (1 << number) - 1))
    found = unitary_of(circuit.controlled(number, state))
    expected = np.eye(4 << number, dtype=complex)
    expected[4 * state : 4 * state + 4, 4 * state : 4 * state + 4] = unitary_of(circuit)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    bits = f"{state:0{number}b}"
    assert circuit.controlled(number, bits) == circuit.controlled(number, state)


@settings(max_examples=20, deadline=None)
@given(circuits(2, 5), st.integers(-3, 3))
def test_power_is_the_power_of_the_matrix(circuit: Circuit, exponent: int) -> None:
    expected = np.linalg.matrix_power(unitary_of(circuit), exponent)
    np.testing.assert_allclose(unitary_of(circuit.power(exponent)), expected, atol=1e-11)


@settings(max_examples=40, deadline=None)
@given(circuits(), st.data())
def test_key_is_structure(circuit: Circuit, data: Any) -> None:
    other = Circuit(N)
    for i in circuit.instructions:
        op = i.operation
        other.append(op.replace([data.draw(ANGLES) for _ in op.params]), i.qubits)
    assert other.key == circuit.key == circuit.copy().key
    longer = circuit.copy().h(0)
    assert longer.key != circuit.key
    assert circuit.copy().h(0).key == longer.key
    assert Circuit(N + 1, circuit.instructions).key != circuit.key


@settings(max_examples=20, deadline=None)
@given(circuits(), circuits())
def test_key_goes_on_after_it_was_read(first: Circuit, second: Circuit) -> None:
    whole = first.copy()
    assert whole.key == first.key
    for i in second.instructions:
        whole.append(i.operation, i.qubits)
    assert whole.key == Circuit(N, [*first.instructions, *second.instructions]).key == (first + second).key


def test_key_tells_structures_apart() -> None:
    a, b = Parameter("a"), Parameter("b")
    v, w = ParameterVector("v", 2), ParameterVector("v", 3)
    x, y = jnp.float32(0.1), jnp.float32(0.2)
    array = jnp.arange(2.0)
    different = [
        Circuit(2).rx(0.1, 0),
        Circuit(2).rx(0.1, 1),
        Circuit(2).ry(0.1, 0),
        Circuit(2).rx(a, 0),
        Circuit(2).rx(b, 0),
        Circuit(2).rx(2 * a, 0),
        Circuit(2).rx(a + 2, 0),
        Circuit(2).rx(v[0], 0),
        Circuit(2).rx(v[1], 0),
        Circuit(2).rx(w[0], 0),
        Circuit(2).rx(x, 0),
        Circuit(2).rx(x, 0).rx(x, 1),
        Circuit(2).rx(x, 0).rx(y, 1),
        Circuit(2).rx(array, range(2)),
        Circuit(2).cx(0, 1),
        Circuit(2).cx(1, 0),
        Circuit(2).unitary(np.eye(2), 0),
        Circuit(2).unitary(jnp.eye(2), 0),
        Circuit(2).unitary(np.eye(4), range(2)),
        Circuit(2).pauli_evolution(Z(0) @ Z(1), 0.1),
        Circuit(2).pauli_evolution(Z(0) @ Z(1), 0.1, order=2),
        Circuit(2).permutation([0, 1, 3, 2], range(2)),
        Circuit(2).permutation([0, 2, 1, 3], range(2)),
        Circuit(2).append(ops.Controlled(gates.gate("x"), 1, 0), (0, 1)),
        Circuit(2).append(ops.Controlled(gates.gate("x"), 1, 1), (0, 1)),
        Circuit(2).barrier(),
        Circuit(2, num_clbits=2),
        Circuit(2, num_clbits={"a": 2}),
        Circuit(2).with_layout(Layout((1, 0), (1, 0))),
        Circuit(2),
        Circuit(3),
    ]
    assert len({c.key for c in different}) == len(different)


def test_key_is_blind_to_values() -> None:
    rng = np.random.default_rng(0)
    same = [
        (Circuit(1).rx(0.1, 0), Circuit(1).rx(np.float32(3), 0)),
        (Circuit(1).rx(jnp.float32(0.1), 0), Circuit(1).rx(jnp.float32(0.2), 0)),
        (Circuit(1).unitary(random_unitary(rng, 1), 0), Circuit(1).unitary(np.eye(2), 0)),
        (Circuit(1).rx(2 * Parameter("a"), 0), Circuit(1).rx(3 * Parameter("a"), 0)),
        (Circuit(2).ry(jnp.arange(2.0), range(2)), Circuit(2).ry(jnp.ones(2), range(2))),
        (Circuit(1).pauli_evolution(2 * Z(0), 0.1), Circuit(1).pauli_evolution(3 * Z(0), 0.4)),
    ]
    for first, second in same:
        assert first.key == second.key and first != second
        assert np.shape(first.numbers()) == np.shape(second.numbers()) and len(first.values()) == len(second.values())


def test_numbers_and_values_are_in_order_of_the_instructions() -> None:
    a, x, array = Parameter("a"), jnp.float32(9.0), jnp.arange(2.0)
    circuit = Circuit(2).rx(1, 0).ry(2 * a + 3, 0).rz(x, 1).unitary([[0, 1j], [1j, 0]], 1).ry(array, range(2)).rz(x, 0)
    circuit.diagonal(jnp.ones(2), 0).rx(np.array(4.0), 1)
    assert circuit.numbers().tolist() == [1, 2, 3, 0, 0, 0, 1, 0, 1, 0, 0, 4]
    assert [v is w for v, w in zip(circuit.values()[:2], (x, array), strict=True)] == [True, True]
    assert len(circuit.values()) == 3


def test_methods_broadcast() -> None:
    theta = ParameterVector("theta", (2, 3))
    assert Circuit(3).h(range(3)).count_ops() == {"h": 3}
    assert [i.qubits for i in Circuit(4).cx([0, 2], [1, 3]).instructions] == [(0, 1), (2, 3)]
    assert [i.qubits for i in Circuit(3).cx(0, [1, 2]).instructions] == [(0, 1), (0, 2)]
    assert [i.qubits for i in Circuit(3).cz(range(2), range(1, 3)).instructions] == [(0, 1), (1, 2)]
    assert [str(i.operation) for i in Circuit(3).ry(theta[0], range(3)).instructions][2] == "ry(theta[0,2])"
    assert Circuit(2).rx([0.1, 0.2], (0, 1)).numbers().tolist() == [0.1, 0.2]
    assert Circuit(2).u(0.1, [0.2, 0.3], 0.4, (0, 1)).numbers().tolist() == [0.1, 0.2, 0.4, 0.1, 0.3, 0.4]
    assert len(Circuit(2).rx(np.zeros(0), ())) == 0 and len(Circuit(2).h(())) == 0
    assert Circuit(1).rx([0.5], 0).numbers().tolist() == [0.5]
    assert Circuit(3).h(np.arange(3)).h(np.int64(1)).h(np.array(2)).count_ops() == {"h": 5}
    assert len(Circuit(0).gphase(0.1)) == 1


def test_traced_values_go_into_gates_without_being_read() -> None:
    @jax.jit
    def build(t: Any) -> Any:
        circuit = Circuit(3).ry(t, range(3)).rx(t[0] * 2, 0)
        undone = circuit.inverse()
        assert len(circuit.values()) == 2 and len(undone.values()) == 2
        return undone.values()[1]

    np.testing.assert_allclose(build(jnp.arange(3.0)), -jnp.arange(3.0))


def test_inverse_leaves_no_tracers_behind() -> None:
    circuit = Circuit(2).ry(jnp.arange(2.0), range(2))

    @jax.jit
    def inside(t: Any) -> Any:
        return t + circuit.inverse().values()[0]

    inside(1.0)
    np.testing.assert_allclose(circuit.inverse().values()[0], -jnp.arange(2.0))
    twice = circuit.inverse().inverse()
    assert twice.values()[0] is circuit.values()[0] and twice == circuit


def test_depth_and_count_ops() -> None:
    circuit = Circuit(3).h(0).h(1).cx(0, 1).x(2)
    assert circuit.depth() == 2 and circuit.count_ops() == {"h": 2, "cx": 1, "x": 1}
    assert Circuit(3).h(0).barrier().h(1).depth() == 2
    assert Circuit(0).depth() == 0 and Circuit(2).gphase(0.1).depth() == 0 and len(Circuit(1)) == 0
    assert Circuit(2, num_clbits=2).h(0).measure((0, 1), (0, 1)).depth() == 2


def test_measurements_and_registers() -> None:
    circuit = Circuit(2, num_clbits={"a": 1, "b": 2}).measure(0, 2).measure_all().measure_all()
    assert [(r.name, r.start, r.size) for r in circuit.cregs][1:] == [("b", 1, 2), ("meas", 3, 2), ("meas0", 5, 2)]
    assert circuit.instructions[-1].clbits == (6,)
    both = Circuit(2, num_clbits=1).measure(1, 0).extend(circuit)
    assert [r.name for r in both.cregs] == ["c", "a", "b", "meas", "meas0"]
    assert both.instructions[1].clbits == (3,)


def test_layout_is_trivial_until_set_and_turns_round_with_the_inverse() -> None:
    circuit = Circuit(3).h(0)
    assert circuit.layout == Layout.trivial(3)
    placed = circuit.with_layout(Layout((0, 2), (2, 1)))
    assert placed.inverse().layout == Layout((2, 1), (0, 2)) and placed.copy().layout == placed.layout
    assert circuit.layout == Layout.trivial(3)


def test_new_circuits_leave_the_old_one_alone() -> None:
    circuit = Circuit(2).h(0)
    key = circuit.key
    for other in (circuit.copy(), circuit.repeat(2), circuit.inverse(), circuit + circuit, circuit.bind({})):
        other.x(1)
    assert len(circuit) == 1 and circuit.key == key
    assert len(circuit.repeat(0)) == 0 and len(circuit.repeat(3)) == 3


def test_public_methods_are_few() -> None:
    inherited = {n for base in Circuit.__mro__[1:] for n in vars(base)}
    assert (
        len([n for n in vars(Circuit) if not n.startswith("_") and n not in inherited and callable(vars(Circuit)[n])])
        <= 25
    )


class Named:
    """A third-party operation."""

    num_clbits, num_params, params = 0, 0, ()

    def __init__(self, name: str, definition: Any = None, num_qubits: int = 1):
        self.name, self.num_qubits = name, num_qubits
        if definition is not None:
            self.definition = definition


def test_third_party_operations_stand_in_a_circuit() -> None:
    op = Named("mine", lambda: Circuit(1).h(0).s(0))
    circuit = Circuit(2).append(op, 1)
    assert circuit.count_ops() == {"mine": 1}
    assert [i.operation.name for i in circuit.inverse().instructions] == ["sdg", "h"]
    np.testing.assert_allclose(
        unitary_of(circuit.controlled(1)), unitary_of(Circuit(2).h(1).s(1).controlled(1)), atol=1e-12
    )


def test_expand_goes_until_keep_holds() -> None:
    circuit = Circuit(4, num_clbits=1).qft((3, 1)).append(Named("mine", lambda: Circuit(1).append(inner, 0)), 2)
    inner = Named("inner", lambda: Circuit(1).h(0))
    circuit.measure(0, 0)
    found = expand(circuit, lambda op: op.name in ("h", "cp", "swap", "measure"))
    assert found.count_ops() == {"h": 3, "cp": 1, "swap": 1, "measure": 1}
    assert found.instructions[0].qubits == (3,) and found.instructions[-1].clbits == (0,)
    assert found.cregs == circuit.cregs and len(circuit) == 3
    kept = expand(circuit, lambda op: True)
    assert kept == circuit and kept is not circuit


def test_expand_says_what_it_cannot_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CircuitError, match=r"inner on qubits \(1,\) \(inside outer\) cannot be run as it is"):
        outer = Named("outer", lambda: Circuit(1).append(Named("inner"), 0))
        expand(Circuit(2).append(outer, 1), lambda op: False)

    def endless() -> Circuit:
        return Circuit(1).append(Named("endless", endless), 0)

    with pytest.raises(CircuitError, match="the definitions of endless go deeper than 64"):
        expand(endless(), lambda op: False)
    with pytest.raises(CircuitError, match="the definition is on 2 qubits, but the operation on 1"):
        expand(Circuit(1).append(Named("wide", lambda: Circuit(2)), 0), lambda op: False)
    monkeypatch.setattr(expand_module, "MAX_SIZE", 10)
    with pytest.raises(CircuitError, match="qft makes more than 10 operations"):
        expand(Circuit(5).qft(range(5)), lambda op: op.name != "qft")


BAD = [
    (lambda: Circuit(-1), "`num_qubits` must be between 0 and"),
    (lambda: Circuit(10**9), "`num_qubits` must be between 0 and 1000000, but is 1000000000"),
    (lambda: Circuit(2.0), "`num_qubits` must be an int, but is 2.0"),
    (lambda: Circuit(True), "`num_qubits` must be an int, but is True"),
    (lambda: Circuit(2, num_clbits={"c": -1}), r"`num_clbits\['c'\]` must be between"),
    (lambda: Circuit(2).h(2), "h: qubit 2 is out of range; the circuit has 2 qubits, numbered 0 to 1"),
    (lambda: Circuit(2).h(-1), "h: qubit -1 is out of range"),
    (lambda: Circuit(2).cx(1, 1), r"cx: the qubits must be different, but are \(1, 1\)"),
    (lambda: Circuit(3).ccx(0, 1, 0), "ccx: the qubits must be different"),
    (lambda: Circuit(2).h(0.5), "`qubits` must be an int or a sequence of ints, but is 0.5"),
    (lambda: Circuit(2).h(True), "`qubits` must be an int or a sequence of ints, but is True"),
    (lambda: Circuit(2).h([0, "a"]), "`qubits` must be an int or a sequence of ints"),
    (lambda: Circuit(2).rx(float("nan"), 0), "rx: a parameter must be a finite number, but is nan"),
    (lambda: Circuit(2).rx(np.inf, 0), "rx: a parameter must be a finite number, but is inf"),
    (lambda: Circuit(2).rx(True, 0), "rx: a parameter must be a real number, .* but is bool True"),
    (lambda: Circuit(2).rx(np.bool_(True), 0), "rx: a parameter must be a real number"),
    (lambda: Circuit(2).rx(1j, 0), "rx: a parameter must be a real number, .* but is complex 1j"),
    (lambda: Circuit(2).rx("x", 0), "rx: a parameter must be a real number, .* but is str 'x'"),
    (lambda: Circuit(2).rx(None, 0), "rx: a parameter must be a real number"),
    (lambda: Circuit(2).rx(jnp.complex64(1), 0), "must be real, but is complex. Take its .real part"),
    (lambda: Circuit(2).rx(jnp.ones(2, complex), range(2)), "must be real, but is complex"),
    (lambda: Circuit(2).rx(jnp.ones((2, 2)), range(2)), r"must be single or one-dimensional, but have shape \(2, 2\)"),
    (lambda: Circuit(2).rx(jnp.ones(2), 0), "2 parameter values were given for one place"),
    (lambda: Circuit(3).rx([0.1, 0.2], range(3)), r"must have one length or be single, but have lengths \[2, 3\]"),
    (lambda: Circuit(3).cx([0, 1], [0, 1, 2]), r"but have lengths \[2, 3\]"),
    (lambda: Circuit(2).append(gates.h(0), 0), "Argument `operation` must be an operation; pass instruction"),
    (lambda: Circuit(2).append("h", 0), "has no `name`"),
    (lambda: Circuit(2).append(gates.gate("cx"), 0), r"cx acts on 2 qubits, but was given 1: \(0,\)"),
    (lambda: Circuit(2).append(gates.gate("h"), 0, 0), "`clbits` must be 0 different ones of the circuit's 0"),
    (lambda: Circuit(1, [gates.h(1)]), "h: qubit 1 is out of range"),
    (lambda: Circuit(2, num_clbits=1).measure(0, 1), "measure: argument `clbits`"),
    (lambda: Circuit(2, num_clbits=2).measure((0, 1), 0), "2 qubits cannot be measured into 1 classical bits"),
    (lambda: Circuit(2, num_clbits=2).measure((0, 0), (0, 1)), "measure: the qubits must be different"),
    (lambda: Circuit(2).measure_all().inverse(), r"measure on qubits \(1,\) has no inverse"),
    (lambda: Circuit(2).measure_all().controlled(), "measure cannot be put under control"),
    (lambda: Circuit(2).append(Reset(), 0).controlled(), "reset cannot be put under control"),
    (lambda: Circuit(1).append(Conditional(gates.gate("x"), "c", 1), 0).controlled(), "if_x cannot be put under"),
    (lambda: Circuit(1).controlled(1, 2), "`control_state` must be between 0 and 1"),
    (lambda: Circuit(1).controlled(1, "2"), "`control_state` must be 1 characters of 0 and 1"),
    (lambda: Circuit(1).controlled(-1), "`num_controls` must be between 0"),
    (lambda: Circuit(1).power(0.5), "power: argument `exponent` must be an int, but is 0.5. For roots"),
    (lambda: Circuit(1).repeat(-1), "repeat: argument `times` must be 0 or more, but is -1"),
    (lambda: Circuit(1).extend(Circuit(2)), "extend: qubit 1 is out of range"),
    (lambda: Circuit(2).extend(Circuit(2), [1, 1]), "extend: the qubits must be different"),
    (lambda: Circuit(2).extend(Circuit(2), [0]), "extend acts on 2 qubits, but was given 1"),
    (lambda: Circuit(2).extend("x"), "`other` must be a Circuit, but is str"),
    (
        lambda: Circuit(1, num_clbits=1).extend(Circuit(1, num_clbits=2)),
        "classical register 'c' is smaller here than in `other`",
    ),
    (lambda: Circuit(1).with_layout(Layout((0, 1), (0, 1))), "names a qubit beyond the circuit's 1"),
    (lambda: Circuit(1).with_layout(Layout((0,), (0,))).repeat(2), "repeat it before transpiling"),
    (lambda: Circuit(1).with_layout("x"), "`layout` must be a Layout, but is 'x'"),
    (lambda: Layout((0.5,), (0,)), "`initial` must be an int or a sequence of ints"),
    (lambda: Layout(0, "1"), "`final` must be an int or a sequence of ints, but is '1'"),
    (lambda: Circuit(3).h(range(10**12)), "`qubits` must be at most 1000000 ints, but is range"),
    (lambda: Circuit(3).h({0: 1}), "`qubits` must be an int or a sequence of ints, but is {0: 1}"),
    (lambda: Circuit(3).extend(Circuit(2), {0: 2, 1: 0}), "`qubits` must be an int or a sequence of ints"),
    (lambda: Circuit(1).rx(10**400, 0), "rx: a parameter must be a finite number, but is inf"),
    (lambda: Circuit(1).rx(jax.random.key(0), 0), "rx: a parameter must be real, but is of key"),
    (lambda: Circuit(2, 3), r"`instructions` must be instructions, but is 3. .*, try Circuit\(2, num_clbits=3\)"),
    (lambda: Circuit(2, [gates.gate("h")]), r"must hold instructions such as gates.h\(0\), but holds h"),
    (lambda: Circuit(2, num_clbits={3: 1}), "must have names of registers as keys, but has 3"),
    (lambda: gates.gate(["rx"]), "There is no gate"),
    (lambda: Circuit(1).repeat(True), "repeat: argument `times` must be an int, but is True"),
    (lambda: ops.controlled(None), "None has no `name`"),
    (lambda: ops.inverse(gates.h), "has no `n"),
    (lambda: ops.power(None, 2), "None has no `name`"),
    (lambda: ops.power(gates.gate("h"), 10**400), "`exponent` must be a finite number"),
    (lambda: ops.power(gates.gate("rx", 1e300), 1e300), "rx: a parameter must be a finite number, but is inf"),
]


@pytest.mark.parametrize("make, message", BAD, ids=[m[:50] for _, m in BAD])
def test_bad_input_is_one_clear_error(make: Any, message: str) -> None:
    with pytest.raises(CircuitError, match=message):
        make()


@pytest.mark.parametrize(
    "method, arguments",
    [("h", ([0, 5],)), ("rx", ([0.1, np.nan], [0, 1])), ("cx", ([0, 1], [1, 1])), ("measure", ([0, 1], [0, 7]))],
)
def test_a_refused_call_leaves_the_circuit_as_it_was(method: str, arguments: Any) -> None:
    circuit = Circuit(2, num_clbits=2).h(0)
    before = circuit.copy()
    with pytest.raises(CircuitError):
        getattr(circuit, method)(*arguments)
    assert circuit == before and circuit.key == before.key


@pytest.mark.parametrize("times", [10**13, -(10**13)])
def test_more_repetitions_than_memory_are_refused(times: int) -> None:
    with pytest.raises(MemoryLimitError, match="times 1 operations takes .* of memory"):
        Circuit(1).h(0).power(times)


def test_repr_of_instructions_and_operations() -> None:
    assert repr(Instruction(gates.gate("rx", 0.5), (0,))) == "rx(0.5) (0,)"
    assert repr(Circuit(1, num_clbits=1).measure(0, 0).instructions[0]) == "measure (0,) -> (0,)"
    assert repr(ops.QFT(2)) == "qft[2]"


def test_threads_that_share_a_circuit_find_one_key() -> None:
    instructions = Circuit(3).rx(np.arange(3000.0), np.arange(3000) % 3).instructions
    for _ in range(5):
        shared, gate = Circuit(3, instructions), threading.Barrier(8)

        def key(_: int, shared: Circuit = shared, gate: threading.Barrier = gate) -> bytes:
            gate.wait()
            return shared.key

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(key, range(8))) == {Circuit(3, instructions).key}


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copied_and_pickled_circuits_are_their_own(again: Any) -> None:
    circuit = Circuit(3, num_clbits={"m": 1}).h(0).rx(2 * Parameter("a"), 1).unitary(np.eye(4), [0, 1]).qft([0, 1])
    circuit.append(ops.controlled(gates.gate("rx", 0.3), 2, "01"), [0, 1, 2]).pauli_evolution(Z(0), 0.3).measure(0, 0)
    before = circuit.key
    other = again(circuit)
    assert other == circuit and other.key == before
    other.h(0)
    assert len(other) == len(circuit) + 1 and circuit.key == before != other.key
