"""Every pass on random circuits: the same action, in gates that the target has."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Parameter, ops
from qsim._errors import TargetError
from qsim.ir.gates import gate
from qsim.ir.operation import Controlled, Gate, rows
from qsim.ir.target import Target
from qsim.testing import assert_equivalent
from tests.transpile_circuits import num_two_qubit, random_circuit, random_unitaries
from transpile.passes import Canonicalise, Peephole, consolidate, fuse, one_qubit_chains, translate, unroll
from transpile.synthesis.controls import definition_of, wants_spare

NATIVES = {
    "sx and cz": ["rz", "sx", "x", "cz"],
    "sx and cx": ["rz", "sx", "x", "cx"],
    "u and cx": ["u", "cx"],
    "ecr": ["rz", "sx", "x", "ecr"],
    "prx and cz": ["prx", "cz"],
    "iswap": ["rz", "sx", "iswap"],
    "rzz": ["rz", "rx", "rzz"],
    "cp": ["u", "cp"],
    "rx, ry, rxx": ["rx", "ry", "rxx"],
}
PASSES = {
    "canonicalise": Canonicalise(),
    "canonicalise and elide": Canonicalise(elide=True),
    "fuse": fuse,
    "consolidate": consolidate,
    "translate": translate,
    "chains": one_qubit_chains,
    "peephole": Peephole((Canonicalise(), consolidate, one_qubit_chains)),
}


def joined(natives: list[str], num_qubits: int = 4) -> Target:
    """A device with all pairs joined, in one direction for ecr."""
    pairs = [(a, b) for a in range(num_qubits) for b in range(a)]
    return Target.from_edges(num_qubits, pairs, natives, directed="ecr" in natives)


@pytest.mark.parametrize("natives", NATIVES)
@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), parameters=st.sampled_from([0, 2]), one_qubit=st.sampled_from([0.2, 0.6]))
def test_passes_change_no_action_and_never_their_input(name, natives, seed, parameters, one_qubit):
    target = joined(NATIVES[natives])
    circuit = random_circuit(4, 30, seed, parameters=parameters, one_qubit=one_qubit)
    before = circuit.copy()
    made = PASSES[name](circuit, target)
    assert circuit == before
    assert_equivalent(circuit, made)
    if name in ("canonicalise", "fuse", "peephole"):
        assert num_two_qubit(made) <= num_two_qubit(circuit)
    again = PASSES[name](made, target)
    assert_equivalent(circuit, again)


@pytest.mark.parametrize("natives", NATIVES)
@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), parameters=st.sampled_from([0, 3]))
def test_consolidate_translate_and_chains_leave_native_gates_only(natives, seed, parameters):
    target = joined(NATIVES[natives])
    circuit = unroll(random_circuit(4, 24, seed, max_qubits=3, parameters=parameters), target)
    made = one_qubit_chains(translate(consolidate(circuit, target), target), target)
    assert target.first_violation(made) is None
    assert_equivalent(circuit, made)


@pytest.mark.parametrize("name", ["canonicalise", "consolidate", "translate", "chains", "peephole"])
@pytest.mark.parametrize("natives", NATIVES)
def test_passes_return_what_they_cannot_better(name: str, natives: str):
    target = joined(NATIVES[natives])
    circuit = random_circuit(4, 30, 5)
    done = Peephole((Canonicalise(), consolidate, one_qubit_chains))(
        one_qubit_chains(consolidate(circuit, target), target), target
    )
    made = PASSES[name](done, target)
    assert num_two_qubit(made) == num_two_qubit(done)
    if name in ("consolidate", "translate", "peephole"):
        assert made is done


@pytest.mark.parametrize(
    "circuit, left",
    [
        (Circuit(2).h(0).h(0), 0),
        (Circuit(2).cx(0, 1).cx(0, 1), 0),
        (Circuit(2).cx(0, 1).cx(1, 0), 2),
        (Circuit(2).cz(0, 1).cz(1, 0), 0),
        (Circuit(3).cx(0, 1).cx(0, 2).t(0).cx(2, 1).cx(0, 2).cx(0, 1), 4),
        (Circuit(3).cx(0, 1).cx(0, 2).t(0).x(2).cx(0, 1), 3),
        (Circuit(3).cx(0, 2).cx(1, 2).sx(2).cx(0, 2), 2),
        (Circuit(2).rz(0.3, 0).cx(0, 1).rz(-0.3, 0), 1),
        (Circuit(2).rz(Parameter("a"), 0).cz(0, 1).rz(-1 * Parameter("a"), 0), 1),
        (Circuit(2).rzz(Parameter("a"), 0, 1).rzz(0.5, 1, 0), 1),
        (Circuit(2).rzz(0.3, 0, 1).rzz(-0.3, 1, 0), 0),
        (Circuit(2).cp(0.3, 0, 1).cz(0, 1).cp(-0.3, 0, 1), 1),
        (Circuit(2).iswap(0, 1).xx_plus_yy(np.pi, 0.0, 0, 1), 0),
        (Circuit(1).h(0).s(0).s(0).s(0).s(0).h(0), 0),
        (Circuit(2).crz(2 * np.pi, 0, 1), 1),
        (Circuit(2).cx(0, 1).barrier().cx(0, 1), 3),
        (Circuit(1).rx(0.3, 0).rx(Parameter("a"), 0), 1),
    ],
    ids=range(17),
)
def test_canonicalise_finds_what_cancels(circuit: Circuit, left: int):
    made = Canonicalise()(circuit, Target.ideal())
    assert len(made) == left
    assert_equivalent(circuit, made)


def test_swaps_are_elided_into_the_layout():
    circuit = Circuit(3).h(0).swap(0, 1).cx(1, 2).swap(1, 2).rz(0.3, 1)
    made = Canonicalise(elide=True)(circuit, Target.ideal())
    assert made.count_ops().get("swap") is None and len(made) == 3
    assert made.layout.final != made.layout.initial
    assert_equivalent(circuit, made)


@pytest.mark.parametrize("num_controls", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize(
    "base",
    [
        *(gate(name) for name in ("x", "y", "z", "h", "s", "sx", "swap", "iswap")),
        gate("u", 0.1, 0.2, 0.3),
        gate("gphase", 0.4),
        gate("rx", Parameter("a")),
        gate("p", Parameter("a")),
        gate("u", Parameter("a"), 0.2, Parameter("b")),
        gate("rzz", Parameter("a")),
        gate("xx_plus_yy", Parameter("a"), 0.3),
        gate("cu", Parameter("a"), 0.2, Parameter("b"), 0.1),
        ops.QFT(2),
    ],
    ids=str,
)
def test_gates_under_controls_with_and_without_borrowed_qubits(base, num_controls: int):
    state = int(np.random.default_rng(num_controls).integers(1 << num_controls))
    operation = Controlled(base, num_controls, state)
    if operation.num_qubits > 7:
        pytest.skip("large")
    for spare in sorted({0, 1, wants_spare(operation)}):
        made = definition_of(operation, spare)
        assert made is not None and max(len(i.qubits) for i in made.instructions) <= 4
        assert_equivalent(made, Circuit(operation.num_qubits + spare).append(operation, range(operation.num_qubits)))


@pytest.mark.parametrize("num_controls, spare, count", [(2, 0, 6), (3, 0, 14), (4, 2, 30), (5, 3, 42), (6, 4, 54)])
def test_counts_of_x_under_controls(num_controls: int, spare: int, count: int):
    made = definition_of(Controlled(gate("x"), num_controls), spare)
    assert made is not None and num_two_qubit(made) == count


@pytest.mark.parametrize("name", ["ccx", "ccz", "cswap"])
def test_three_qubit_gates_of_the_table(name: str):
    circuit = Circuit(3).append(Gate(next(r for r in rows() if r.name == name)), (2, 0, 1))
    assert_equivalent(unroll(circuit, joined(["u", "cx"], 3)), circuit)


def test_high_level_operations_are_unrolled():
    rng = np.random.default_rng(0)
    state = rng.normal(size=8)
    circuit = Circuit(4).qft((0, 1, 2)).diagonal(np.exp(1j * rng.normal(size=8)), (1, 2, 3))
    circuit.permutation(rng.permutation(8), (0, 1, 3)).unitary(random_unitaries(8, 1, 0)[0], (3, 1, 0))
    circuit.prepare_state(state / np.linalg.norm(state), (2, 1, 3))
    target = joined(["rz", "sx", "cz"])
    made = one_qubit_chains(consolidate(unroll(circuit, target), target), target)
    assert target.first_violation(made) is None
    with pytest.raises(AssertionError):
        assert_equivalent(circuit, Circuit(4))
    assert_equivalent(circuit, made)


class Unknown:
    """An operation that nothing is known of."""

    name, num_qubits, num_clbits, num_params, params = "mystery", 3, 0, 0, ()


def test_an_operation_without_a_definition_is_refused_in_words():
    circuit = Circuit(3).append(Unknown(), (0, 1, 2))
    with pytest.raises(TargetError, match=r"mystery on qubits \(0, 1, 2\).*What would be needed"):
        unroll(circuit, joined(["u", "cx"]))
