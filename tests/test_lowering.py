"""The lowering: repeats, fusion, layouts, sources; on the host, with plain NumPy as the judge."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from circuits import layered, random_circuit, unstructured
from hypothesis import given, settings
from hypothesis import strategies as st

import qsim
from qsim import Circuit, Parameter, ParameterVector, Z
from qsim.lower import cost
from qsim.lower.build import build_plan, expanded
from qsim.lower.calibration import DEFAULT
from qsim.lower.compose import compose_tables, layout_tables, permutation_rows
from qsim.lower.fuse import fuse
from qsim.lower.plan import Dense, Flips, Repeat, Sweeps, Wide
from qsim.lower.repeats import Span, find_repeats

K = cost.BLOCK_QUBITS


@st.composite
def supports(draw: st.DrawFn) -> list[tuple[int, ...]]:
    n = draw(st.integers(1, 8))
    one = st.lists(st.integers(0, n - 1), min_size=0, max_size=min(n, 4), unique=True).map(tuple)
    return draw(st.lists(one, max_size=40))


@given(supports(), st.integers(1, 5))
@settings(deadline=None, max_examples=150)
def test_fusion_keeps_the_order_on_every_qubit_and_the_width(operations, width):
    blocks = fuse(operations, width)
    order = [item for block in blocks for item in block.items]
    assert sorted(order) == list(range(len(operations)))
    for q in range(8):
        touched = [item for item in order if q in operations[item]]
        assert touched == sorted(touched)
    for block in blocks:
        assert set(block.qubits) == {q for item in block.items for q in operations[item]}
        assert len(block.qubits) <= width or len(block.items) == 1


def test_fusion_fills_blocks():
    chain = [(q, q + 1) for q in range(15)] * 3
    assert len(fuse(chain, 4)) < len(fuse(chain, 2)) <= len(chain)


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(2, 4))
@settings(deadline=None, max_examples=200)
def test_repeats_cover_the_sequence_and_are_true(tokens, min_count):
    spans = find_repeats(np.array(tokens, int), min_count)
    assert [s.start for s in spans] == [0, *(s.stop for s in spans[:-1])] if tokens else spans == []
    assert not tokens or spans[-1].stop == len(tokens)
    for s in spans:
        assert s.count == 1 or s.count >= min_count
        part = tokens[s.start : s.start + s.period]
        assert tokens[s.start : s.stop] == part * s.count


def test_layers_are_found_behind_a_prefix():
    body = list(range(10, 47))
    tokens = np.array([1, 2, 3, *(body * 50), 4])
    assert Span(3, 37, 50) in find_repeats(tokens)


def test_nested_repeats_become_nested_plans():
    inner = Circuit(9).h(range(9)).cx(range(8), range(1, 9)).rx(0.1, range(9))
    body = Circuit(9).ry(0.2, range(9)) + inner.repeat(5) + Circuit(9).cz(range(0, 8), range(1, 9)).t(range(9))
    plan = build_plan(body.repeat(4), K)
    outer = [s for s in plan.segments if isinstance(s, Repeat)]
    assert outer and outer[0].count >= 3
    assert any(isinstance(s, Repeat) and s.count >= 4 for s in outer[0].body)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_layouts_bring_each_block_to_the_low_bits_and_end_at_home(k):
    n = 6
    rng = np.random.default_rng(k)
    blocks = [tuple(rng.permutation(n)[:k].tolist()) for _ in range(5)]
    src, inverse = layout_tables(blocks, n)
    layout = np.arange(n)[::-1]
    for b, row in enumerate(src):
        layout = layout[row]
        assert (np.argsort(row) == inverse[b]).all()
        if b < len(blocks):
            assert tuple(layout[:k][::-1]) == blocks[b]
    assert (layout == np.arange(n)[::-1]).all()


def test_composition_tables_make_the_product_of_their_children():
    rng = np.random.default_rng(0)
    children = [rng.normal(size=(4, 4)) for _ in range(5)]
    parts = [(0, (2, 0)), (3, (1, 2)), (1, (0, 1)), (4, (2, 1))]
    constant = rng.normal(size=(2, 2))
    every = [*children, np.kron(constant, np.eye(2))]
    parts.append((len(children), (0, 2)))
    spec = compose_tables([((0, 1, 2), parts), ((0, 1, 2), parts[:1])], 3, 2, len(children), [constant])
    assert spec.home[[3, 1, 4]].tolist() == [2, 4, 6]
    assert (spec.constants == [every[-1], np.eye(4)]).all()
    rows = permutation_rows(3)
    for b, want_parts in enumerate((parts, parts[:1])):
        acc = np.eye(8)[rows[spec.perms[0, b]]]
        for s in range(spec.index.shape[0]):
            child = [*every, np.eye(4)][spec.index[s, b]]
            acc = (np.kron(child, np.eye(2)) @ acc)[rows[spec.perms[s + 1, b]]]
        want = np.eye(8)
        for child, (a, c) in want_parts:
            tensor = want.reshape(2, 2, 2, 8)
            gate = every[child].reshape(2, 2, 2, 2)
            want = np.moveaxis(np.tensordot(gate, tensor, ((2, 3), (a, c))), (0, 1), (a, c)).reshape(8, 8)
        np.testing.assert_allclose(acc, want, atol=1e-12)


def kinds(circuit: Circuit) -> list[type]:
    return [type(s) for s in build_plan(expanded(circuit, K), K).segments]


def test_each_way_to_emit_is_chosen_where_it_should_be():
    rolled = build_plan(layered(16, 20), K)
    assert rolled.mode == "rolled" and [type(s) for s in rolled.segments[0].body] == [Sweeps]
    tape = build_plan(unstructured(12, 400), K)
    assert tape.mode == "tape" and not tape.segments[0].unrolled
    small = build_plan(layered(4, 3), K)
    assert small.mode == "unrolled" and kinds(layered(4, 3)) == [Sweeps]
    assert small.segments[0].num_blocks == 1


def test_evolutions_and_many_controls_are_pairings_not_ladders():
    strings = Z(0) @ Z(1) @ Z(2) @ Z(3) @ Z(4) + qsim.X(0) @ qsim.Y(3) @ qsim.X(5)
    assert kinds(Circuit(6).pauli_evolution(strings, Parameter("t"))) == [Flips]
    assert kinds(Circuit(6).mcx(range(5), 5)) == [Flips]
    assert kinds(Circuit(6).qft(range(6))) == [Wide]
    assert kinds(Circuit(6).pauli_evolution(Z(0) @ Z(1) + Z(1) @ Z(2), 0.3)) == [Sweeps]


def test_plans_are_made_for_circuits_of_no_qubits_and_no_gates():
    for circuit in (Circuit(0), Circuit(3), Circuit(0).gphase(0.1), Circuit(1).h(0), Circuit(2).barrier()):
        assert build_plan(circuit, K).num_operations == len(circuit) - sum("barrier" in o for o in circuit.count_ops())


def test_only_what_has_a_name_or_is_a_jax_value_is_differentiable():
    assert not build_plan(random_circuit(5, 40, 0), K).differentiable
    assert build_plan(Circuit(2).rx(Parameter("t"), 0), K).differentiable


def test_an_operation_without_matrix_and_definition_is_named():
    class Opaque:
        name, num_qubits, num_clbits, num_params, params, key = "oracle", 1, 0, 0, (), "oracle"

    with pytest.raises(qsim.errors.CircuitError, match="oracle"):
        expanded(Circuit(1).append(Opaque(), 0), K)


def test_a_hundred_layers_and_a_thousand_take_the_host_the_same_shape():
    plans = [build_plan(layered(10, layers), K) for layers in (100, 1000)]
    shapes = [[(type(s), [type(b) for b in s.body]) for s in p.segments] for p in plans]
    assert shapes[0] == shapes[1]
    assert all(len(p.segments) == 1 for p in plans)
    assert list(itertools.chain.from_iterable(cost.predict(p).segments for p in plans))[0].startswith("repeat 100")


def test_alternating_controls_and_small_gates_become_one_tape():
    rng = np.random.default_rng(0)
    circuit = Circuit(9)
    for _ in range(60):
        places = rng.permutation(9).tolist()
        circuit.mcx(places[:6], places[6]).rx(rng.normal(), places[7]).ccx(*places[:3]).h(places[8])
    assert kinds(circuit) == [Flips]


def read_places(segment, batch):
    """The places in its part of the vectors of angles and of phases' angles that a segment reads, in order."""
    if isinstance(segment, Wide):
        return np.arange(segment.num_params), np.zeros(0, int)
    first = segment.rotations.time if isinstance(segment, Flips) else segment.waves.angles
    angles = [first, *(k.angles.T.ravel() for k in segment.kinds)]
    turns = [np.zeros(0, int)]
    for record in getattr(segment, "phases", {}).values():
        (turns if batch else angles).append(record.places)
    return np.concatenate(angles), np.concatenate(turns)


@pytest.mark.parametrize("varying", [(), ("x",)])
def test_segments_read_their_angles_one_after_the_other(varying):
    theta, x = qsim.ParameterVector("theta", 60), qsim.Parameter("x")
    circuit, at = Circuit(10), 0
    circuit.u(theta[0], theta[1], theta[2], 0).rx(theta[3], 4).pauli_evolution(Z(0) * Z(1) * Z(5), theta[4])
    for _ in range(5):
        for q in range(10):
            circuit.ry(theta[5 + at], q)
            at += 1
        for q in range(10):
            circuit.rzz(x, q, (q + 1) % 10)
    plan = build_plan(expanded(circuit, K), K, varying)

    def check(segments, begin):
        for segment in segments:
            r = segment.range
            assert (r.angle, r.turn) == begin
            sizes = r.angle_stop - r.angle, r.turn_stop - r.turn
            if isinstance(segment, Repeat):
                ends = check(segment.body, begin)
                assert [(e - b) * segment.count for e, b in zip(ends, begin, strict=True)] == list(sizes)
            else:
                assert [places.tolist() for places in read_places(segment, bool(varying))] == [
                    list(range(size)) for size in sizes
                ]
            begin = r.angle_stop, r.turn_stop
        return begin

    assert any(isinstance(s, Repeat) for s in plan.segments)
    turns = plan.reads.turns
    assert (turns is not None and len(turns) > 0) if varying else turns is None
    turns = np.zeros(0, int) if turns is None else turns
    assert check(plan.segments, (0, 0)) == (len(plan.reads.angles), len(turns))
    assert {*plan.reads.angles.tolist(), *turns.tolist()} == set(range(len(plan.sources.angles)))


@pytest.mark.parametrize(
    "few, length, longest, host", [(True, 1, 1, 0), (False, 1, 1, 3), (True, 9, 1, 3), (True, 90, 99, 3)]
)
def test_blocks_without_numbers_come_from_the_host_where_they_are_many_or_long(few, length, longest, host):
    circuit, theta, rng = Circuit(8), ParameterVector("theta", 60), np.random.default_rng(1)
    blocks = [(0, 1, 4, 5), (2, 3, 6, 7), (0, 1, 2, 3), (4, 5, 6, 7)] * (15 if few else 3)
    for at, (a, b, c, d) in enumerate(blocks):
        circuit.cx([a, b], [c, d])
        if at in (2, 5, 8):
            circuit.h([a] * length)
        else:
            circuit.h([a] * (longest - 1 if at == 10 else 0))
            (circuit.rx, circuit.ry, circuit.rz)[rng.integers(3)](theta[at], (a, b, c, d)[rng.integers(4)])
        circuit.cx(a, b).cx(c, d)  # no two blocks alike, or they were a loop
    (segment,) = build_plan(circuit, K, costs=replace(DEFAULT, gather=1e-3)).segments
    assert isinstance(segment, Dense) and len(segment.order) == len(blocks) and len(segment.fixed) == host
