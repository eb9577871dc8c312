"""Layouts compose; padding and restricting keep every logical qubit in sight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Layout, active_qubits, pad, restrict

permutations = st.permutations(range(4)).map(tuple)


@given(permutations, permutations, permutations, permutations)
def test_layouts_compose_like_maps(a, b, c, d):
    first, second = Layout(a, b), Layout(c, d)
    both = first.then(second)
    for qubit in range(4):
        assert both.initial[qubit] == c[a[qubit]] and both.final[qubit] == d[b[qubit]]
    assert first.then(Layout.trivial(4)) == first
    third = Layout(b, c)
    assert first.then(second).then(third) == first.then(second.then(third))


@given(st.permutations(range(6)), st.integers(1, 6))
def test_pad_then_restrict_gives_the_circuit_back(order, size):
    places = order[:size]
    circuit = Circuit(size).h(range(size)).measure_all()
    padded = pad(circuit, 6, places)
    assert padded.num_qubits == 6 and padded.num_clbits == size
    assert padded.layout.initial == padded.layout.final == tuple(places)
    assert active_qubits(padded) == tuple(sorted(places))
    narrow = restrict(padded)
    rank = tuple(np.argsort(np.argsort(places)).tolist())
    assert narrow.num_qubits == size and narrow.layout == Layout(rank, rank)
    assert [i.qubits for i in narrow.instructions] == [tuple(rank[q] for q in i.qubits) for i in circuit.instructions]
    assert narrow.cregs == circuit.cregs


def test_nothing_to_do_gives_the_same_object():
    circuit = Circuit(3).cx(0, 2)
    assert pad(circuit, 3) is circuit
    assert restrict(circuit) is circuit  # qubit 1 is idle, but belongs to the original circuit
    empty = Circuit(0)
    assert restrict(empty) is empty and pad(empty, 2).layout == Layout((), ())


def test_a_transpiled_circuit_is_padded_and_restricted():
    routed = Circuit(3).h(0).swap(0, 1).with_layout(Layout((0,), (1,)))
    padded = pad(routed, 5, [4, 2, 0])
    assert padded.layout == Layout((4,), (2,))
    assert active_qubits(padded) == (2, 4)
    assert restrict(padded).layout == Layout((1,), (0,))
    assert restrict(restrict(padded)) is not None and restrict(padded).num_qubits == 2


def test_barriers_do_not_keep_a_qubit():
    padded = pad(Circuit(2).h(0), 6, [5, 1]).barrier()
    narrow = restrict(padded)
    assert narrow.num_qubits == 2
    assert narrow.instructions[-1].qubits == (0, 1)


def test_with_layout_leaves_the_circuit_alone():
    circuit = Circuit(2).h(0)
    other = circuit.with_layout(Layout((1, 0), (1, 0)))
    assert circuit.layout == Layout.trivial(2) and other.layout == Layout((1, 0), (1, 0))
    assert other.key != circuit.key and other.with_layout(None) == circuit


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Layout((0, 0), (0, 1)), "different places"),
        (lambda: Layout((0, -1), (0, 1)), "different places"),
        (lambda: Layout((0, 1), (0,)), "one length"),
        (lambda: Layout((5,), (5,)).then(Layout.trivial(2)), "place 5"),
        (lambda: Circuit(2).with_layout(Layout((2,), (2,))), "beyond the circuit's 2"),
        (lambda: pad(Circuit(2), 1), "cannot hold"),
        (lambda: pad(Circuit(2), 5, [0, 0]), "different qubits"),
        (lambda: pad(Circuit(2), 5, [0]), "one for each"),
        (lambda: pad(Circuit(2), 5, [0, 7]), "cannot hold"),
    ],
)
def test_bad_input_is_named(make, words):
    with pytest.raises(CircuitError, match=words):
        make()
