"""Targets: membership, shapes, facts, JSON both ways, and words where a circuit does not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest
import rustworkx
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.circuit import Delay, Measure
from qiskit.circuit import Parameter as QiskitParameter
from qiskit.circuit.library import CZGate, ECRGate, RGate, RZGate, SXGate
from qiskit.transpiler import CouplingMap, InstructionProperties, QubitProperties
from qiskit.transpiler import Target as QiskitTarget

from qsim._errors import SerialError, TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding
from qsim.ir.operation import row_of
from qsim.ir.parameter import Parameter
from qsim.ir.table import Gate
from qsim.ir.target import DefinedGate, Interval, Native, QubitFacts, Target

ISWAP = np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])


def full_target() -> Target:
    """A target with every kind of fact."""
    return Target(
        3,
        edges=[(0, 1), (1, 0), (1, 2)],
        natives={"rz": Native(0.0, 0.0), "sx": Native(3e-8, 1e-4), "u3": Native()},
        local={
            (0, 1): {"cx": Native(3e-7, 0.01)},
            (1, 0): {"cz": Native(), "mine": Native()},
            (1, 2): {"rzz": Native(angles=(Interval(0, np.pi / 2),))},
            (2,): {"rx": Native(angles=((-np.pi / 2, np.pi / 2),)), "rz": Native()},
        },
        qubits=[
            QubitFacts("a", t1=1e-4, t2=2e-4, readout_error=0.01, readout_duration=1e-6),
            QubitFacts("b", readout_flips=(0.01, 0.02)),
            QubitFacts(""),
        ],
        definitions=[DefinedGate("mine", ISWAP)],
        virtual_z=True,
        date="2025-01-02T03:04:05+00:00",
    )


def test_the_ideal_target_has_everything():
    target = Target.ideal()
    assert target.num_qubits is None and target.padding is Padding.NONE
    assert ("ccx", (0, 5, 1000)) in target and ("anything", (3,)) in target and ("unitary", range(9)) in target
    assert ("cx", (1, 1)) not in target and ("cx", 1) not in target
    assert target.first_violation(Circuit(5).h(range(5)).ccx(0, 1, 2).measure_all()) is None
    assert ("h", 5) not in Target.ideal(5) and Target.ideal(5).padding is Padding.BEFORE
    assert "any number of qubits" in repr(target)


def test_membership_by_place():
    target = full_target()
    for gate, place in [
        ("cx", (0, 1)),
        ("CX", (0, 1)),
        ("cz", (1, 0)),
        ("mine", (1, 0)),
        ("sx", 0),
        ("u", (1,)),
        ("rx", 2),
        ("measure", 0),
        ("barrier", (0, 1, 2)),
        ("gphase", ()),
    ]:
        assert (gate, place) in target, (gate, place)
    for gate, place in [
        ("cx", (1, 0)),
        ("cz", (0, 1)),
        ("cx", (0, 2)),
        ("sx", 2),
        ("rx", 0),
        ("mine", 0),
        ("sx", 3),
        ("sx", -1),
        ("ccx", (0, 1, 2)),
        ("cx", 0),
        ("reset", 0),
    ]:
        assert (gate, place) not in target, (gate, place)
    assert set(target.natives_at(2)) == {"rx", "rz"} and target.natives_at((0, 2)) == {}
    assert target.natives_at((0, 1))["cx"].duration == 3e-7


def test_membership_reads_angles():
    target = full_target()

    def rx(theta):
        return Gate(row_of("rx"), (theta,))

    assert (rx(np.pi / 2), 2) in target and (rx(0.3), 2) not in target
    assert (Gate(row_of("rzz"), (0.3,)), (1, 2)) in target and (Gate(row_of("rzz"), (2.0,)), (1, 2)) not in target
    assert (rx(Parameter("t")), 2) not in target
    words = target.first_violation(Circuit(3).rx(Parameter("t"), 2))
    assert "must be a number" in words and "t" in words


def test_natives_by_name_are_sorted_by_arity():
    target = Target.line(3, natives=["r", "rz", "cz", "ccz"])
    assert ("prx", 0) in target and ("r", 2) in target and ("cz", (1, 0)) in target and ("ccz", (2, 0, 1)) in target
    assert ("cz", (0, 2)) not in target and ("h", 0) not in target
    everything = Target.line(3)
    assert ("swap", (2, 1)) in everything and ("h", 1) in everything
    assert ("ccx", (0, 1, 2)) not in everything and ("swap", (0, 2)) not in everything
    one_way = Target.from_edges(2, [(0, 1)], ["ecr"], directed=True)
    assert ("ecr", (0, 1)) in one_way and ("ecr", (1, 0)) not in one_way


@pytest.mark.parametrize(
    ("target", "edges"),
    [
        (Target.line(4), [(0, 1), (1, 2), (2, 3)]),
        (Target.ring(4), [(0, 1), (1, 2), (2, 3), (0, 3)]),
        (Target.ring(2), [(0, 1)]),
        (Target.star(4), [(0, 1), (0, 2), (0, 3)]),
        (Target.grid(2, 3), [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]),
        (Target.line(1), []),
        (Target.from_edges(0, []), []),
    ],
)
def test_shapes(target, edges):
    assert target.edge_set == {*edges, *((b, a) for a, b in edges)}
    assert target.is_connected


@pytest.mark.parametrize("distance", [1, 3, 5, 7])
def test_heavy_hex_is_that_of_rustworkx(distance):
    target = Target.heavy_hex(distance)
    theirs = CouplingMap.from_heavy_hex(distance, bidirectional=False)
    ours = rustworkx.PyGraph()
    ours.add_nodes_from(range(target.num_qubits))
    ours.add_edges_from_no_data([(a, b) for a, b in target.edges if a < b])
    assert target.num_qubits == (5 * distance**2 - 2 * distance - 1) // 2
    assert rustworkx.is_isomorphic(ours, theirs.graph.to_undirected(multigraph=False))


@settings(max_examples=30, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda e: e[0] != e[1]), max_size=12))
def test_distances_are_those_of_qiskit(edges):
    target = Target.from_edges(8, edges)
    graph = rustworkx.PyGraph()
    graph.add_nodes_from(range(8))
    graph.add_edges_from_no_data(list(edges))
    expected = rustworkx.distance_matrix(graph, null_value=-1)
    np.testing.assert_array_equal(target.distances, expected)
    assert target.distances is target.distances
    assert target.is_connected == rustworkx.is_connected(graph)


def test_unusable_qubits_are_walked_around():
    target = Target(4, [(0, 1), (1, 2), (2, 3), (3, 0)], qubits=[QubitFacts(usable=q != 1) for q in range(4)])
    assert target.usable_qubits == (0, 2, 3)
    assert ("h", 1) not in target and ("cx", (0, 1)) not in target and ("cx", (3, 0)) in target
    assert target.distances[0, 2] == 2 and target.distances[0, 1] == -1 and target.is_connected
    assert "qubit 1 is not a usable qubit" in target.first_violation(Circuit(4).h(1))


def test_restrict_is_the_part_on_those_qubits():
    part = full_target().restrict([2, 1])
    assert part.num_qubits == 2 and part.edges == ((1, 0),)
    assert ("rzz", (1, 0)) in part and ("rx", 0) in part and part.names == ("0", "b")
    assert Target.ideal(9).restrict([4, 7]) == Target.ideal(2)
    with pytest.raises(TargetError, match="no qubit"):
        full_target().restrict([5])


@pytest.mark.parametrize(
    "target",
    [
        full_target(),
        Target.ideal(),
        Target.ideal(7),
        Target.heavy_hex(3, ["rz", "sx", "ecr"]),
        Target(2, padding=Padding.AFTER),
        Target.from_edges(2, [(0, 1)], natives=[]),
    ],
)
def test_json_both_ways(target):
    again = Target.from_json(target.to_json())
    assert again == target and hash(again) == hash(target) and again.to_json() == target.to_json()
    assert json.loads(target.to_json())["kind"] == "target"
    assert repr(again) == repr(target)


def test_value_semantics():
    assert Target.line(3) == Target.from_edges(3, [(1, 2), (0, 1)]) != Target.line(4)
    assert len({Target.line(3), Target.line(3), Target.ring(3)}) == 2
    assert Target.line(2, ["cx", "h"]) == Target.line(2, ["h", "CX"])
    with pytest.raises(AttributeError):
        Target.line(3).num_qubits = 4


def test_from_qiskit():
    theirs = QiskitTarget(num_qubits=3, qubit_properties=[QubitProperties(t1=1e-4, t2=5e-5)] * 3)
    theirs.add_instruction(RZGate(QiskitParameter("t")), {(q,): InstructionProperties(0.0, 0.0) for q in range(3)})
    theirs.add_instruction(SXGate(), {(q,): InstructionProperties(3e-8, 1e-4) for q in range(2)})
    theirs.add_instruction(RGate(QiskitParameter("t"), QiskitParameter("p")), {(2,): None})
    theirs.add_instruction(ECRGate(), {(0, 1): InstructionProperties(5e-7, 0.01)})
    theirs.add_instruction(CZGate(), {(2, 1): None})
    theirs.add_instruction(Measure(), {(q,): InstructionProperties(1e-6, 0.02) for q in range(3)})
    theirs.add_instruction(Delay(QiskitParameter("d")), {(q,): None for q in range(3)})
    target = Target.from_qiskit(theirs)
    assert target.edges == ((0, 1), (2, 1))
    assert ("ecr", (0, 1)) in target and ("ecr", (1, 0)) not in target and ("cz", (2, 1)) in target
    assert ("sx", 1) in target and ("sx", 2) not in target and ("prx", 2) in target
    assert target.natives_at((0, 1))["ecr"] == Native(5e-7, 0.01)
    assert target.qubits[1] == QubitFacts(t1=1e-4, t2=5e-5, readout_error=0.02, readout_duration=1e-6)
    assert Target.from_json(target.to_json()) == target
    simulator = QiskitTarget(num_qubits=4)
    simulator.add_instruction(SXGate())
    simulator.add_instruction(CZGate())
    assert ("cz", (3, 0)) in Target.from_qiskit(simulator) and ("h", 0) not in Target.from_qiskit(simulator)
    with pytest.raises(TargetError, match="Qiskit Target or a BackendV2"):
        Target.from_qiskit(3)


@pytest.mark.parametrize(
    ("circuit", "words"),
    [
        (Circuit(3).h(0), ["Instruction 0", "h on qubits (0,)", "not native there", "transpiler="]),
        (Circuit(3).rz(0.1, 0).cx(1, 0), ["Instruction 1", "cx on qubits (1, 0)", "cz, mine would be"]),
        (Circuit(3).cx(0, 2), ["not joined by an edge", "transpiler="]),
        (Circuit(3).ccx(0, 1, 2), ["ccx on qubits (0, 1, 2)", "nothing would be"]),
        (Circuit(4).rz(0.1, 0), ["4 qubits", "the target has 3"]),
        (Circuit(3).rx(0.25, 2), ["its angle 0.25 is not allowed"]),
    ],
)
def test_a_violation_names_gate_qubits_and_fix(circuit, words):
    with pytest.raises(TargetError) as error:
        full_target().validate(circuit)
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Target.from_edges(3, [(0, 3)]), r"Edge \(0, 3\) names no qubit"),
        (lambda: Target.from_edges(3, [(1, 1)]), "2 different qubits"),
        (lambda: Target.from_edges(3, [(0, 1, 2)]), "2 different qubits"),
        (lambda: Target.line(2, ["cnotty"]), "definitions="),
        (lambda: Target(2, local={(0,): ["cx"]}), "acts on 2 qubits"),
        (lambda: Target(3, [(0, 1)], local={(1, 2): ["cx"]}), "none of the edges"),
        (lambda: Target(2, local={(5,): ["x"]}), "names no qubit"),
        (lambda: Target(edges=[(0, 1)]), "needs `num_qubits`"),
        (lambda: Target(-1), "from 0 to"),
        (lambda: Target(2, qubits=[QubitFacts()]), "2 facts"),
        (lambda: Target(2, qubits=[QubitFacts("a"), QubitFacts("a")]), "another name"),
        (lambda: Target(2, natives={"x": 0.1}), "must be a Native"),
        (lambda: Target(2, date="yesterday"), "ISO 8601"),
        (lambda: Target(2, definitions=[DefinedGate("x", np.eye(2))]), "new gates"),
        (lambda: DefinedGate("g", np.ones((2, 2))), "unitary"),
        (lambda: DefinedGate("g", np.eye(3)), "shape"),
        (lambda: Native(error=1.5), "`error`"),
        (lambda: Native(duration=-1.0), "`duration`"),
        (lambda: QubitFacts(t1=-1.0), "`t1`"),
        (lambda: Interval(1, 0), "`low`"),
        (lambda: Target.heavy_hex(4), "odd"),
        (lambda: Target.ideal().distances, "num_qubits"),
    ],
)
def test_bad_targets_are_named(make, words):
    with pytest.raises(TargetError, match=words):
        make()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"num_qubits": 10**12}, r"\$\.num_qubits"),
        ({"edges": [[0, 9]]}, r"\$\.edges\[0\]\[1\]"),
        ({"edges": [[0, 0]]}, "different qubits"),
        ({"natives": {"x": {"error": 2}}}, "`error`"),
        ({"natives": {"bad": {}}}, "gate table"),
        ({"local": [[[0], 7]]}, r"\$\.local\[0\]\[1\]"),
        ({"padding": "never"}, r"\$\.padding"),
        ({"version": 99}, "newer qsim"),
        ({"kind": "circuit"}, r"\$\.kind"),
        ({"definitions": [{"name": "a", "num_qubits": 40, "matrix": []}]}, "num_qubits"),
    ],
)
def test_bad_json_is_refused_where_it_is_bad(change, words):
    data = json.loads(Target.line(3).to_json()) | change
    with pytest.raises(SerialError, match=words):
        Target.from_json(json.dumps(data))


def test_a_large_circuit_is_validated_quickly():
    target = Target.line(50, ["rz", "sx", "cz"])
    circuit = Circuit(50)
    for q in range(49):
        circuit.sx(q).cz(q, q + 1)
    assert target.first_violation(circuit.repeat(200)) is None
