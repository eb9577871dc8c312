"""The front door: natives of many kinds, layouts, padding, repeated runs, gradients, errors."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ParameterVector, X, Z, execute
from qsim._errors import CircuitError, TargetError
from qsim.backends.prepare import prepare
from qsim.backends.registry import find_transpiler
from qsim.ir.gates import gate
from qsim.ir.layout import Padding
from qsim.ir.operation import Conditional, Reset
from qsim.ir.target import Native, QubitFacts, Target
from qsim.results import Expectation, Probabilities
from qsim.testing import assert_equivalent, trace_count
from tests.transpile_circuits import num_two_qubit, random_circuit
from transpile import Delay, Pipeline, best_of, preset, transpile
from transpile.passes import Canonicalise, Sliced, unroll

SX = ["rz", "sx", "x", "cz"]
DEVICES = {
    "line": Target.line(5, SX),
    "ring of u and cx": Target.ring(5, ["u", "cx"]),
    "ecr, directed": Target.from_edges(5, [(0, 1), (2, 1), (2, 3), (4, 3)], ["rz", "sx", "x", "ecr"], directed=True),
    "prx and cz, star": Target.star(5, ["r", "cz"]),
    "iswap": Target.line(5, ["rz", "sx", "iswap"]),
    "rzz and rx": Target.grid(2, 3, ["rz", "rx", "rzz"]),
    "all joined": Target(5, None, SX),
    "any number, all joined": Target(None, None, ["u", "cx"]),
    "every gate on a line": Target.line(5),
    "swap is native": Target.line(5, [*SX, "swap"]),
}


@pytest.mark.parametrize("effort", [0, 1, 2])
@pytest.mark.parametrize("name", DEVICES)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), parameters=st.sampled_from([0, 2]))
def test_circuits_on_devices_keep_their_action(name, effort, seed, parameters):
    target = DEVICES[name]
    circuit = random_circuit(4, 16, seed, max_qubits=3, parameters=parameters)
    before = circuit.copy()
    made = transpile(circuit, target, effort=effort)
    assert circuit == before
    assert target.first_violation(made) is None
    assert_equivalent(circuit, made)


@pytest.mark.parametrize("effort", [1, 2])
@pytest.mark.parametrize("name", DEVICES)
def test_what_was_transpiled_keeps_its_gate_count_and_layout(name: str, effort: int):
    target = DEVICES[name]
    for seed in range(3):
        made = transpile(random_circuit(4, 30, seed), target, effort=effort)
        again = transpile(made, target, effort=effort)
        assert (num_two_qubit(again), len(again), again.layout) == (num_two_qubit(made), len(made), made.layout)


@pytest.mark.parametrize("effort", [0, 1, 2, 3])
def test_the_ideal_target_gives_the_circuit_itself(effort: int):
    circuit = random_circuit(3, 20, 0, parameters=2)
    assert transpile(circuit, Target.ideal(), effort=effort) is circuit


@pytest.mark.parametrize("name", DEVICES)
def test_native_circuits_come_back_gate_for_gate_at_effort_0_and_gain_nothing_at_others(name: str):
    target = DEVICES[name]
    made = transpile(random_circuit(4, 30, 1), target, effort=0)
    assert transpile(made, target, effort=0).instructions == made.instructions
    for effort in (1, 2):
        better = transpile(made, target, effort=effort)
        assert num_two_qubit(better) <= num_two_qubit(made)
        assert "swap" not in better.count_ops() or "swap" in made.count_ops()
        assert_equivalent(made, better)


@pytest.mark.parametrize("name", ["line", "ecr, directed"])
def test_effort_3_adds_no_two_qubit_gates_to_native_circuits(name: str):
    target = DEVICES[name]
    made = transpile(random_circuit(4, 12, 1), target, effort=0)
    better = transpile(made, target, effort=3, time_budget=3.0)
    assert num_two_qubit(better) <= num_two_qubit(made) and "swap" not in better.count_ops()
    assert better.layout == made.layout and target.first_violation(better) is None
    assert_equivalent(made, better)


def test_the_same_seed_gives_the_same_circuit():
    circuit = random_circuit(5, 60, 3)
    target = Target.grid(3, 3, SX)
    assert transpile(circuit, target, seed=7) == transpile(circuit, target, seed=7)


@pytest.mark.parametrize("padding", [None, *Padding])
def test_padding_before_and_after_and_chosen_qubits(padding):
    circuit = random_circuit(3, 20, 4)
    target = Target.grid(3, 3, SX)
    for qubits in (None, (4, 1, 0)):
        made = transpile(circuit, target, padding=padding, qubits=qubits)
        assert made.num_qubits == 9
        assert_equivalent(circuit, made)
        if qubits is not None and padding in (None, Padding.AFTER):
            used = {q for i in made.instructions for q in i.qubits}
            assert used <= set(qubits) and set(made.layout.initial) == set(qubits)


def test_idle_and_unusable_qubits_are_left_alone():
    facts = [QubitFacts(usable=q != 1) for q in range(6)]
    target = Target(6, [(a, a + 1) for a in range(5)] + [(a + 1, a) for a in range(5)], SX, qubits=facts)
    circuit = random_circuit(3, 20, 5)
    made = transpile(circuit, target)
    assert 1 not in {q for i in made.instructions for q in i.qubits}
    assert_equivalent(circuit, made)


def test_measurements_and_barriers_stay_in_their_order():
    circuit = Circuit(3, num_clbits=3).h(0).cx(0, 2).barrier().cx(2, 1).measure([0, 1, 2], [2, 1, 0])
    made = transpile(circuit, Target.line(4, SX))
    counts = made.count_ops()
    assert counts["measure"] == 3 and counts["barrier"] == 1
    found = execute(made, Probabilities((0, 1, 2)))
    np.testing.assert_allclose(found, execute(circuit, Probabilities((0, 1, 2))), atol=1e-5)


@pytest.mark.parametrize("name", ["default", "0", "1", "2", "3"])
def test_execute_finds_the_transpilers_by_name(name: str):
    circuit = Circuit(2).h(0).cx(0, 1)
    made = find_transpiler(name)(circuit, Target.line(3, SX))
    assert_equivalent(circuit, made)
    assert find_transpiler(name) is find_transpiler(name)


# ---------------------------------------------------------------- parameters


def ansatz(num_qubits: int, layers: int = 2) -> Circuit:
    theta = ParameterVector("theta", (layers, 2, num_qubits))
    circuit = Circuit(num_qubits)
    for layer in range(layers):
        circuit.ry(theta[layer, 0], range(num_qubits)).rz(2 * theta[layer, 1] + 0.1, range(num_qubits))
        for q in range(num_qubits):
            circuit.cx(q, (q + 1) % num_qubits)
    return circuit


def test_gradients_pass_through_a_ten_qubit_ansatz_on_heavy_hex():
    circuit = ansatz(10)
    made = transpile(circuit, Target.heavy_hex(3, SX))
    energy = Expectation(Z(0) @ Z(9) + 0.5 * X(4))
    point = jnp.linspace(-1, 1, 40).reshape(2, 2, 10)
    values = [jax.value_and_grad(lambda t, c=c: execute(c, energy, {"theta": t}))(point) for c in (circuit, made)]
    np.testing.assert_allclose(values[1][0], values[0][0], atol=2e-5)
    np.testing.assert_allclose(values[1][1], values[0][1], atol=5e-5)


def test_traced_values_pass_through_transpile():
    target = Target.line(3, SX)

    def loss(t, transpiled):
        circuit = Circuit(3).ry(t[0], 0).cx(0, 2).rz(t[1] * 2, 2).rzz(t[2], 0, 2).h(2).crx(t[3], 1, 2)
        circuit = transpile(circuit, target) if transpiled else circuit
        return execute(circuit, Expectation(Z(2) + X(0)))

    point = jnp.array([0.3, -0.8, 1.1, 0.4])
    expected = jax.value_and_grad(lambda t: loss(t, False))(point)
    for run in (jax.value_and_grad(lambda t: loss(t, True)), jax.jit(jax.value_and_grad(lambda t: loss(t, True)))):
        for found, wanted in zip(run(point), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5)


def test_a_loop_of_a_hundred_steps_transpiles_and_compiles_once():
    calls = []

    def counted(circuit: Circuit, target: Target) -> Circuit:
        calls.append(1)
        return transpile(circuit, target)

    backend = SimpleNamespace(name="device", target=Target.line(4, SX), transpiler=counted)
    circuit = ansatz(3, 1)
    point = jnp.full((1, 2, 3), 0.3)
    start = None
    for n in range(100):
        made, _ = prepare(circuit, backend)  # type: ignore[arg-type]
        _, slope = jax.value_and_grad(lambda t, c=made: execute(c, Expectation(Z(0) @ Z(2)), {"theta": t}))(point)
        point = point - 0.1 * slope
        start = trace_count() if n == 1 else start
    assert trace_count() == start and len(calls) == 1


@pytest.mark.parametrize("natives", [SX, ["u", "cx"], ["prx", "cz"], ["rz", "rx", "rzz"]])
def test_angles_of_parametrised_chains_are_linear_in_the_parameters(natives: list[str]):
    a, b = Parameter("a"), Parameter("b")
    circuit = Circuit(2).rx(a, 0).rz(b, 0).h(0).ry(a, 0).cx(0, 1).rz(b, 1).cx(0, 1).swap(0, 1).rx(b, 1)
    made = transpile(circuit, Target.line(2, natives))
    at = [made.bind({"a": x, "b": 0.2}).numbers() for x in (0.1, 0.2, 0.3)]
    np.testing.assert_allclose(at[2] - at[1], at[1] - at[0], atol=1e-12)
    assert_equivalent(circuit, made)


def test_a_symbolic_interaction_and_the_swap_after_it_take_three_gates():
    a = Parameter("a")
    circuit = Circuit(3).rzz(a, 0, 1).rzz(a, 1, 2).rzz(a, 0, 2)
    made = transpile(circuit, Target.line(3, SX))
    assert num_two_qubit(made) <= 7
    assert_equivalent(circuit, made)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    "circuit, target, words",
    [
        (Circuit(4).h(0).cx(0, 3), Target.line(3, SX), "4 qubits.*target has 3.*needed"),
        (Circuit(3).cx(0, 1).cx(1, 2), Target.from_edges(4, [(0, 1), (2, 3)], SX), "(?i)connected|joined"),
        (Circuit(2).h(0).cx(0, 1), Target.line(2, ["rz", "cz"]), "No universal set.*needed"),
        (Circuit(2).h(0).cx(0, 1), Target.line(2, ["rz", "sx"]), "needed"),
        (Circuit(2).h(0).cx(0, 1), Target.line(2, ["rz", "sx", "swap"]), "needed"),
        (
            Circuit(3).append(
                type("Odd", (), dict(name="odd", num_qubits=3, num_clbits=0, num_params=0, params=()))(), (0, 1, 2)
            ),
            Target.line(3, SX),
            "odd.*definition",
        ),
    ],
    ids=["too few qubits", "disconnected", "no universal one", "no two", "no universal two", "unknown"],
)
@pytest.mark.parametrize("effort", [0, 1, 2])
def test_what_cannot_be_done_is_refused_in_words(circuit, target, words: str, effort: int):
    before = circuit.copy()
    with pytest.raises(TargetError, match=words):
        transpile(circuit, target, effort=effort)
    assert circuit == before


def test_an_edge_that_names_no_qubit_is_refused():
    with pytest.raises(TargetError, match="names no qubit"):
        Target(2, [(0, 5)], SX)


@pytest.mark.parametrize(
    "options, words",
    [
        ({"effort": 4}, "effort"),
        ({"effort": True}, "effort"),
        ({"seed": -1}, "seed"),
        ({"time_budget": 0}, "time_budget"),
        ({"padding": "before"}, "padding"),
        ({"qubits": (0, 0)}, "qubits"),
        ({"qubits": (0,)}, "qubits"),
    ],
)
def test_bad_arguments_are_refused(options, words: str):
    with pytest.raises(TargetError, match=words):
        transpile(Circuit(2).cx(0, 1), Target.line(3, SX), **options)
    with pytest.raises(TargetError, match="target"):
        transpile(Circuit(2), "a device")  # type: ignore[arg-type]
    with pytest.raises(TargetError, match="circuit"):
        transpile("a circuit", Target.line(3))  # type: ignore[arg-type]


def test_pipelines_are_values():
    assert preset(2) == preset(2) and hash(preset(1, 3)) == hash(preset(1, 3))
    assert Pipeline(()).passes == ()


@pytest.mark.parametrize("effort", [0, 1, 2])
def test_gates_on_one_way_edges_of_devices_with_every_gate(effort: int):
    target = Target.from_edges(3, [(0, 1), (2, 1)], directed=True)
    circuit = Circuit(3).h(0).cx(1, 0).iswap(1, 2).cx(0, 2)
    made = transpile(circuit, target, effort=effort)
    assert target.first_violation(made) is None
    assert_equivalent(circuit, made)


@pytest.mark.parametrize("effort", [0, 1, 2])
def test_delays_stay_between_what_is_around_them(effort: int):
    target = Target(2, None, {**{name: Native() for name in ("rz", "sx", "x", "cz")}, "delay": Native()})
    wait = Delay(1e-6)
    circuit = Circuit(2).x(0).append(wait, 0).x(0).cz(0, 1).append(wait, 1).cz(0, 1)
    made = transpile(circuit, target, effort=effort)
    assert made.count_ops() == {"x": 2, "cz": 2, "delay": 2}
    assert target.first_violation(made) is None


def test_runs_that_entangle_nothing_stay_on_joined_pairs():
    pairs = [(0, 1), (2, 1), (2, 4), (3, 0), (3, 2), (4, 1)]
    local = {
        p: {"cz": Native(error=0.001 if k == 2 else 0.02)} for k, (a, b) in enumerate(pairs) for p in ((a, b), (b, a))
    }
    target = Target(5, list(local), ["rz", "sx"], local=local)
    circuit = Circuit(4).cry(2 * np.pi, 2, 3).ch(3, 1)
    made = transpile(circuit, target, effort=1)
    assert target.first_violation(made) is None
    assert_equivalent(circuit, made)


def test_idle_qubits_are_not_read_from_unusable_ones():
    target = Target(
        3,
        [(0, 1), (1, 0), (1, 2), (2, 1)],
        ["rz", "sx", "cz"],
        qubits=[QubitFacts(usable=False), QubitFacts(), QubitFacts()],
    )
    layout = transpile(Circuit(2).sx(1), target).layout
    assert 0 not in layout.initial + layout.final


def test_a_transpiled_circuit_is_not_put_under_control():
    made = transpile(Circuit(2).sx(0).cz(0, 1), Target.line(4, ["sx", "rz", "cz"]), qubits=(2, 3))
    with pytest.raises(CircuitError, match="control it before transpiling"):
        made.controlled()


@pytest.mark.parametrize("options", [{"effort": 1.0}, {"effort": 4}, {"seed": -1}, {"seed": None}, {"time_budget": 0}])
def test_presets_check_their_arguments(options):
    with pytest.raises(TargetError, match=next(iter(options))):
        preset(**options)


@pytest.mark.parametrize("effort", [0, 2])
def test_amplitudes_that_are_jax_values_become_angles(effort: int):
    amplitudes = jnp.arange(1.0, 9.0)

    def value(v, move):
        circuit = Circuit(3).prepare_state(v / jnp.linalg.norm(v), (0, 1, 2)).h(1)
        return execute(move(circuit), Expectation(Z(0) @ X(2)))

    moved = jax.jit(jax.value_and_grad(lambda v: value(v, lambda c: transpile(c, Target.line(4, SX), effort=effort))))
    expected = jax.value_and_grad(lambda v: value(v, lambda c: c))(amplitudes)
    for found, right in zip(moved(amplitudes), expected, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-5)


@pytest.mark.parametrize("effort", [0, 1, 2])
def test_constants_beside_parameters_stay_small(effort: int):
    circuit = Circuit(2).h(0).rz(Parameter("a"), 0)
    for _ in range(100):
        circuit.rz(3.0, 0).cz(0, 1)
    made = transpile(circuit.h(0), Target.line(2, SX), effort=effort)
    constants = [n for i in made.instructions for p in i.operation.params for n in getattr(p, "numbers", (p,))]
    assert max(map(abs, constants)) < 8


def test_what_is_never_rewritten_and_not_native_is_refused():
    with pytest.raises(TargetError, match="reset on qubits \\(0,\\).*Take it out, or give the target a native"):
        transpile(Circuit(1).h(0).append(Reset(), 0), Target.line(2, SX))
    with pytest.raises(TargetError, match="if_x"):
        transpile(Circuit(1, num_clbits={"c": 1}).append(Conditional(gate("x"), "c", 1), 0), Target.line(2, SX))


class Odd:
    """An operation of a user, with what its matrix or its definition gives."""

    num_clbits, num_params, params, arrays, name = 0, 0, (), (), "odd"

    def __init__(self, num_qubits: int = 1, **gives: object):
        self.num_qubits, self.key = num_qubits, ("odd", repr(gives))
        for member, value in gives.items():
            setattr(self, member, lambda *_, value=value: value)


@pytest.mark.parametrize("num_qubits", [1, 2])
def test_operations_of_users_that_cannot_be_are_refused(num_qubits: int):
    def on(operation: Odd) -> Circuit:
        return Circuit(3).append(operation, tuple(range(num_qubits)))

    size = 2**num_qubits
    with pytest.raises(CircuitError, match=rf"odd: matrix\(xp\) must give numbers of shape \({size}, {size}\)"):
        on(Odd(num_qubits, matrix=np.eye(8)))
    with pytest.raises(CircuitError, match="finite"):
        on(Odd(num_qubits, matrix=np.full((size, size), np.nan)))
    with pytest.raises(CircuitError, match="the definition is on 3 qubits"):
        transpile(on(Odd(num_qubits, definition=Circuit(3).h(0))), Target.line(3, SX))
    with pytest.raises(CircuitError, match="must give a Circuit, but gives int"):
        transpile(on(Odd(num_qubits, definition=3)), Target.line(3, SX))
    for effort in range(3):
        with pytest.raises(TargetError, match="not unitary"):
            transpile(on(Odd(num_qubits, matrix=np.ones((size, size)))), Target.line(3, SX), effort=effort)


def test_pipelines_take_jax_values_and_refuse_what_is_no_pass():
    device = Target.line(3, SX)

    def energy(x: jax.Array, made: bool) -> jax.Array:
        circuit = Circuit(3).rx(x, 0).cx(0, 2).ry(2 * x, 2)
        return execute(preset(1)(circuit, device) if made else circuit, Expectation(Z(2)))

    for value, expected in zip(*[jax.value_and_grad(energy)(0.3, made) for made in (True, False)], strict=True):
        np.testing.assert_allclose(value, expected, atol=1e-5)
    with pytest.raises(TargetError, match=r"tuple of callables, but is list"):
        Pipeline([unroll])  # type: ignore[arg-type]
    with pytest.raises(TargetError, match=r"Try Canonicalise\(\)"):
        Sliced((Canonicalise,))  # type: ignore[arg-type]
    with pytest.raises(TargetError, match="give one or more"):
        best_of()
