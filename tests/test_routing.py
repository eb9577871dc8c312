"""Routing: circuits on devices with few connections do the same as before, with few swaps."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, gates
from qsim._errors import TargetError
from qsim.ir.layout import pad
from qsim.ir.operation import Conditional
from qsim.ir.ops import Unitary
from qsim.ir.target import QubitFacts, Target
from qsim.testing import assert_equivalent
from transpile.routing.compiled import CACHE_VARIABLE, compile_from_now_on
from transpile.routing.nodes import StandIns, fill_in
from transpile.routing.order import Problem, pose
from transpile.routing.place_and_route import PlaceAndRoute

EDGES_OF_T = [(0, 1), (1, 2), (1, 3), (3, 4)]
TARGETS = {
    "line": Target.line(5),
    "ring": Target.ring(6),
    "star": Target.star(5),
    "grid": Target.grid(2, 3),
    "heavy hexagon": Target.heavy_hex(3),
    "directed": Target.from_edges(5, EDGES_OF_T, directed=True),
    "one unusable": Target(6, Target.line(6).edges, qubits=[QubitFacts(usable=q != 5) for q in range(6)]),
    "two parts": Target.from_edges(8, [(0, 1), (1, 2), (2, 3), (3, 4), (6, 7)]),
}
TWO = ["cx", "cz", "swap", "iswap", "ecr", "rzz", "rxx", "cp", "crx"]


@st.composite
def circuits(draw: st.DrawFn, max_qubits: int = 5) -> Circuit:
    """Random circuits of one- and two-qubit gates, some with open parameters, some with barriers."""
    n = draw(st.integers(1, max_qubits))
    circuit = Circuit(n)
    theta = Parameter("theta")
    for _ in range(draw(st.integers(0, 25))):
        angle = draw(st.sampled_from([0.3, 1.1, np.pi / 2, theta, 2 * theta]))
        a = draw(st.integers(0, n - 1))
        kind = draw(st.integers(0, 9))
        if kind < 3 or n == 1:
            name = draw(st.sampled_from(["h", "t", "x", "rz", "rx", "ry"]))
            getattr(circuit, name)(*([angle] if name.startswith("r") else []), a)
        elif kind == 9:
            circuit.barrier(draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True)))
        else:
            b = draw(st.integers(0, n - 2))
            b += b >= a
            name = draw(st.sampled_from(TWO))
            getattr(circuit, name)(*([angle] if name in ("rzz", "rxx", "cp", "crx") else []), a, b)
    return circuit


def joined(circuit: Circuit, target: Target) -> bool:
    """Whether all two-qubit operations are on joined usable qubits."""
    return all(
        len(i.qubits) < 2 or i.operation.name == "barrier" or i.qubits[1] in target.neighbours[i.qubits[0]]
        for i in circuit.instructions
    )


def problem_of(circuit: Circuit) -> Problem:
    return pose(circuit, circuit.instructions, circuit.num_qubits)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25, deadline=None)
@given(circuit=circuits(), seed=st.integers(0, 3))
def test_routed_circuits_do_the_same(name: str, circuit: Circuit, seed: int) -> None:
    target = TARGETS[name]
    routed = PlaceAndRoute(trials=4, seed=seed)(circuit, target)
    assert routed.num_qubits == target.num_qubits
    assert joined(routed, target)
    assert_equivalent(circuit, routed)


@settings(max_examples=25, deadline=None)
@given(circuit=circuits())
def test_routing_again_changes_nothing(circuit: Circuit) -> None:
    target = TARGETS["grid"]
    routed = PlaceAndRoute(trials=4)(circuit, target)
    assert PlaceAndRoute(trials=4)(routed, target) is routed


@settings(max_examples=20, deadline=None)
@given(circuit=circuits(max_qubits=4), order=st.permutations(range(5)))
def test_routing_composes_with_an_earlier_layout(circuit: Circuit, order: list[int]) -> None:
    padded = pad(circuit, 5, order[: circuit.num_qubits])
    routed = PlaceAndRoute(trials=4)(padded, TARGETS["directed"])
    assert_equivalent(circuit, routed)


@settings(max_examples=20, deadline=None)
@given(circuit=circuits())
def test_same_seed_same_circuit(circuit: Circuit) -> None:
    target = TARGETS["star"]
    copy = circuit.copy()
    assert PlaceAndRoute(6, 1)(circuit, target) == PlaceAndRoute(6, 1)(circuit, target)
    assert circuit == copy


@pytest.mark.slow
def test_the_loops_do_the_same_uncompiled() -> None:
    """As machine code, as plain Python at first in a process, and as plain Python for good."""
    pytest.importorskip("numba")
    script = (
        "from qsim import Circuit\n"
        "from qsim.ir.target import Target\n"
        "from transpile.routing.place_and_route import PlaceAndRoute\n"
        "c = Circuit(5)\n"
        "for a in range(5):\n"
        "    for b in range(a):\n"
        "        c.rzz(0.1, a, b).rx(0.2, a).cx(b, a)\n"
        "r = PlaceAndRoute(3)(c, Target.ring(6))\n"
        "text = str((r.layout, [(i.operation.name, i.qubits) for i in r.instructions]))\n"
    )
    compile_from_now_on()
    here: dict[str, str] = {}
    exec(script, here)
    assert "Layout" in here["text"]
    told = "import transpile.routing.sabre as s\nprint(len(getattr(s._run._machine, 'signatures', ())))\nprint(text)"
    for off in ("0", "1"):
        there = subprocess.run(
            [sys.executable, "-c", script + told],
            env=without_cache() | {"NUMBA_DISABLE_JIT": off},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.split("\n")[:2] == ["0", here["text"]]


def without_cache() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != CACHE_VARIABLE}


@pytest.mark.slow
def test_machine_code_is_kept_where_asked_and_read_back(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    script = (
        "import time; from qsim import Circuit; from qsim.ir.target import Target\n"
        "from transpile.routing import sabre; from transpile.routing.place_and_route import PlaceAndRoute\n"
        "start = time.process_time()\n"
        "r = PlaceAndRoute(3)(Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0).h(0).cx(0, 1), Target.line(3))\n"
        "stats = sabre._run._machine.stats\n"
        "print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), time.process_time() - start)\n"
    )
    told = []
    for folder in (tmp_path, tmp_path):
        run = [sys.executable, "-c", script]
        environment = os.environ | {CACHE_VARIABLE: str(folder)}
        told.append(subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.split())
    assert told[0][:2] == ["0", "1"] and told[1][:2] == ["1", "0"]
    assert float(told[1][2]) < float(told[0][2]) / 2
    assert list((tmp_path / "numba").rglob("*.nbc"))


def test_without_numba() -> None:
    script = (
        "import sys; sys.modules['numba'] = None\n"
        "from qsim import Circuit\n"
        "from qsim.ir.target import Target\n"
        "from transpile.routing.compiled import is_compiled\n"
        "from transpile.routing.place_and_route import PlaceAndRoute\n"
        "c = Circuit(4).cx(0, 1).cx(1, 2).cx(2, 3).cx(3, 0).cx(0, 2)\n"
        "t = Target.line(6)\n"
        "assert not is_compiled and t.first_violation(PlaceAndRoute(20)(c, t)) is None\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


# ---------------------------------------------------------------- what comes back as it is


def test_circuits_that_fit_come_back() -> None:
    circuit = Circuit(4).h(0).cx(1, 0).measure_all().barrier()
    for target in (Target.line(4), Target.ideal(), Target.ideal(4), Target.from_edges(4, [(0, 1)], directed=True)):
        assert PlaceAndRoute()(circuit, target) is circuit


@pytest.mark.parametrize("num_qubits", [0, 1, 3])
def test_small_circuits(num_qubits: int) -> None:
    target = Target.line(4)
    assert PlaceAndRoute()(Circuit(num_qubits), target).num_qubits == 4
    if num_qubits:
        routed = PlaceAndRoute()(Circuit(num_qubits).h(0), target)
        assert_equivalent(Circuit(num_qubits).h(0), routed)
    one = Target.line(1)
    assert PlaceAndRoute()(Circuit(1).h(0), one).num_qubits == 1


# ---------------------------------------------------------------- measurements, conditions, barriers


def test_measurements_and_conditions_keep_their_bits_and_order() -> None:
    circuit = Circuit(4, num_clbits={"c": 2, "d": 2})
    circuit.cx(0, 1).cx(1, 2).cx(2, 0).measure(0, 0).cx(0, 3)
    circuit.append(Conditional(gates.cx(0, 1).operation, "c", 1), (0, 2)).cx(1, 3).measure([1, 3], [2, 3])
    routed = PlaceAndRoute(trials=5)(circuit, Target.line(5))
    assert joined(routed, Target.line(5)) and routed.cregs == circuit.cregs
    found = [(i.operation.name, i.clbits) for i in routed.instructions if i.operation.name in ("measure", "if_cx")]
    assert len(found) == 4 and found.index(("measure", (0,))) < found.index(("if_cx", ()))


def test_nothing_crosses_a_barrier() -> None:
    circuit = Circuit(3).cx(0, 1).barrier().cx(1, 2).barrier([0, 2]).cx(0, 2)
    routed = PlaceAndRoute(trials=3)(circuit, Target.line(3))
    kinds = [i.operation.name for i in routed.instructions if i.operation.name in ("cx", "barrier")]
    assert kinds == ["cx", "barrier", "cx", "barrier", "cx"]


# ---------------------------------------------------------------- costs


@pytest.mark.parametrize(
    "build, cost, mirror",
    [
        (lambda c: c.cx(0, 1), 1, 2),
        (lambda c: c.swap(0, 1), 3, 0),
        (lambda c: c.iswap(0, 1), 2, 1),
        (lambda c: c.rzz(0.3, 0, 1), 2, 3),
        (lambda c: c.cp(Parameter("t"), 0, 1), 2, 3),
        (lambda c: c.cx(0, 1).rz(Parameter("t"), 1).cx(0, 1), 2, 3),
        (lambda c: c.cx(0, 1).cx(1, 0), 2, 1),
        (lambda c: c.rxx(0.3, 0, 1).ryy(0.2, 0, 1).rzz(0.1, 0, 1), 3, 3),
    ],
)
def test_costs_of_blocks(build: object, cost: int, mirror: int) -> None:
    (node,) = problem_of(build(Circuit(2))).nodes  # type: ignore[operator]
    assert (node.cost, node.mirror) == (cost, mirror)


def test_commuting_gates_are_one_group_and_merge() -> None:
    circuit = Circuit(4).rzz(0.1, 0, 1).rzz(0.2, 1, 2).rz(0.1, 1).rzz(0.3, 2, 3).rzz(0.4, 0, 1).h(1).rzz(0.1, 1, 2)
    problem = problem_of(circuit)
    assert sorted(tuple(node.members) for node in problem.nodes) == [(0, 4), (1,), (3,), (6,)]
    assert len(problem.order.group_ptr) - 1 == 5  # one on each wire, and a second one behind the h
    strict = problem.strict()
    assert len(strict.order.group_ptr) - 1 == 8 and strict.strict() is strict


def test_layers_of_rzz_on_a_line_cost_less_than_in_order() -> None:
    rng = np.random.default_rng(1)
    circuit = Circuit(8)
    for pair in rng.permutation([(a, b) for a in range(8) for b in range(a)]).tolist():
        circuit.rzz(0.3, *pair)
    routed = PlaceAndRoute(trials=20)(circuit, Target.line(8))
    total = sum(node.cost for node in problem_of(routed).nodes)
    assert total <= 28 * 3  # the best there is: one pass of the swap network, each swap joined to a gate


def test_moves_to_free_places_cost_two() -> None:
    target = Target.grid(3, 3)
    circuit = Circuit(4).cx(0, 1).cx(1, 2).cx(2, 0).cx(0, 3).cx(1, 3).cx(2, 3).h(0).cx(0, 1).cx(1, 2).cx(2, 0)
    routed = PlaceAndRoute(trials=10)(circuit, target)
    assert_equivalent(circuit, routed)


# ---------------------------------------------------------------- bad input


def test_errors_say_what_would_be_needed() -> None:
    line = Circuit(4).cx(0, 1).cx(1, 2).cx(2, 3)
    with pytest.raises(TargetError, match="acts on 4 qubits, but the target has 3 usable"):
        PlaceAndRoute()(line, Target.line(3))
    with pytest.raises(TargetError, match="not connected: its largest connected part has 2 of the 4 usable"):
        PlaceAndRoute()(line.copy().cx(0, 2), Target.from_edges(4, [(0, 1), (2, 3)]))
    with pytest.raises(TargetError, match="ccx, acts on 3 qubits"):
        PlaceAndRoute()(Circuit(3).ccx(0, 1, 2), Target.line(3))


def test_unknown_matrices_are_routed_at_full_cost() -> None:
    jnp = pytest.importorskip("jax.numpy")
    circuit = Circuit(3)
    for a, b in ((0, 1), (1, 2), (0, 2)):
        circuit.append(Unitary(jnp.eye(4)), (a, b))
    nodes = problem_of(circuit).nodes
    fill_in(nodes, circuit.instructions, StandIns())
    assert [(node.cost, node.axes) for node in nodes] == [(3, [0, 0])] * 3
    assert joined(PlaceAndRoute(trials=2)(circuit, Target.line(3)), Target.line(3))


# ---------------------------------------------------------------- large


def test_large_clifford_circuits() -> None:
    rng = np.random.default_rng(5)
    circuit = Circuit(60)
    for _ in range(300):
        a, b = rng.choice(60, 2, replace=False).tolist()
        circuit.h(a).cx(a, b)
    routed = PlaceAndRoute(trials=2)(circuit, Target.heavy_hex(7))
    assert joined(routed, Target.heavy_hex(7))
    assert_equivalent(circuit, routed, clifford=True)


@pytest.mark.slow
def test_twenty_thousand_gates_on_a_hundred_qubits_in_seconds() -> None:
    rng = np.random.default_rng(0)
    circuit = Circuit(100)
    for _ in range(10_000):
        a, b = rng.choice(100, 2, replace=False).tolist()
        circuit.rx(float(rng.uniform(0, 6)), a).cx(a, b)
    target = Target.heavy_hex(7)
    compile_from_now_on()
    PlaceAndRoute(trials=1)(Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0), target)
    start = time.process_time()
    routed = PlaceAndRoute(trials=6)(circuit, target)
    assert time.process_time() - start < 10
    assert joined(routed, target)
