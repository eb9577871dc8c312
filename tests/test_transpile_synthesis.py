"""Decompositions of one- and two-qubit unitaries, in batches."""

from __future__ import annotations

import numpy as np
import pytest

from qsim import Circuit, Parameter, ops
from qsim._errors import TargetError
from qsim.ir.gates import gate
from qsim.ir.operation import Gate, rows
from qsim.ir.target import DefinedGate, Interval, Native, Target
from qsim.testing import assert_equivalent
from tests.transpile_circuits import random_unitaries
from transpile.synthesis.angles import scaled, total
from transpile.synthesis.cores import Entangler, around, cx_layers, xx_layers
from transpile.synthesis.kak import PAULIS, Kak, kak, kron
from transpile.synthesis.matrices import reordered
from transpile.synthesis.natives import facts_of
from transpile.synthesis.one_qubit import basis_of
from transpile.synthesis.quaternion import euler_of, quaternion_of
from transpile.synthesis.rotations import rotations_of
from transpile.synthesis.weyl import cx_cost, weyl_coordinates

XX, YY, ZZ = (np.kron(p, p) for p in PAULIS[1:])
CX = np.eye(4)[[0, 1, 3, 2]]


def canonical(coordinates: np.ndarray) -> np.ndarray:
    """exp(i (a XX + b YY + c ZZ)), (B, 4, 4)."""
    out = np.eye(4)
    for generator, angle in zip((XX, YY, ZZ), np.atleast_2d(coordinates).T, strict=True):
        angle = angle[:, None, None]
        out = (np.cos(angle) * np.eye(4) + 1j * np.sin(angle) * generator) @ out
    return out


def same(first: np.ndarray, second: np.ndarray) -> float:
    """The largest 1 - |tr(A^dagger B)| / d of two batches."""
    overlap = np.abs(np.einsum("bij,bij->b", first.conj(), second)) / first.shape[-1]
    return float(np.max(1 - overlap, initial=0))


def examples(seed: int = 0) -> dict[int, np.ndarray]:
    """Unitaries by their cost in cx: random ones, and Clifford ones, whose spectra are degenerate."""
    rng = np.random.default_rng(seed)
    found: dict[int, np.ndarray] = {}
    quarter = np.pi / 4
    for cost in range(4):
        angles = np.zeros((60, 3))
        if cost == 1:
            angles[:, 0] = quarter
        elif cost == 2:
            angles[:, :2] = rng.uniform(0.01, quarter - 0.01, (60, 2))
            angles[:10] = [quarter, quarter, 0]
            angles[10:20, 1] = 0
            angles[20:30, 1] = angles[20:30, 0]
        elif cost == 3:
            angles = rng.uniform(-3, 3, (60, 3))
            angles[:10] = [quarter, quarter, quarter]
            angles[10:20] = [quarter, 0.3, 0.3]
        ones = random_unitaries(2, 240, seed + cost).reshape(60, 4, 2, 2)
        cliffords = np.stack([PAULIS[0], PAULIS[1], (PAULIS[1] + PAULIS[3]) / np.sqrt(2), np.diag([1, 1j])])
        ones[::2] = cliffords[rng.integers(4, size=(30, 4))]
        found[cost] = kron(ones[:, :2]) @ canonical(angles) @ kron(ones[:, 2:])
    return found


def rebuilt(layers: np.ndarray, gates: np.ndarray) -> np.ndarray:
    """L_0, gate, L_1, ... multiplied out; gates (4, 4), or (B, count, 4, 4)."""
    total = kron(layers[:, 0])
    for step in range(1, layers.shape[1]):
        gate = gates if gates.ndim == 2 else gates[:, step - 1]
        total = kron(layers[:, step]) @ gate @ total
    return total


@pytest.mark.parametrize("cost", range(4))
def test_kak_gives_the_unitary_back_in_the_chamber(cost: int):
    unitaries = examples()[cost]
    found = kak(unitaries)
    assert same(kron(found.left) @ canonical(found.coordinates) @ kron(found.right), unitaries) < 1e-12
    np.testing.assert_allclose(found.coordinates, weyl_coordinates(unitaries), atol=1e-9)
    assert (cx_cost(found.coordinates) == cost).all()


@pytest.mark.parametrize("cost, count", [(0, 0), (1, 1), (0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (2, 3), (3, 3)])
@pytest.mark.parametrize("name", ["core", "cx", "xc", "ecr", "cz"])
def test_layers_around_any_gate_of_the_class_of_cx(cost: int, count: int, name: str):
    gate = {
        "core": canonical(np.array([np.pi / 4, 0, 0]))[0],
        "cx": CX,
        "xc": CX[[0, 2, 1, 3]][:, [0, 2, 1, 3]],
        "ecr": (np.kron(PAULIS[1], PAULIS[0]) - np.kron(PAULIS[2], PAULIS[1])) / np.sqrt(2),
        "cz": np.diag([1, 1, 1, -1]).astype(complex),
    }[name]
    unitaries = examples(1)[cost]
    layers = around(cx_layers(kak(unitaries), count), Entangler.of(gate))
    assert same(rebuilt(layers, gate), unitaries) < 1e-11


@pytest.mark.parametrize("cost", range(4))
def test_layers_of_xx_rotations(cost: int):
    unitaries = examples(2)[cost]
    decomposed = kak(unitaries)
    layers, strengths = xx_layers(decomposed, 3)
    gates = canonical(np.stack([strengths.ravel(), 0 * strengths.ravel(), 0 * strengths.ravel()], 1))
    assert same(rebuilt(layers, gates.reshape(*strengths.shape, 4, 4)), unitaries) < 1e-11
    assert (strengths >= 0).all() and (strengths <= np.pi / 4 + 1e-12).all()
    one = np.flatnonzero(decomposed.coordinates[:, 1] < 1e-9)
    part = Kak(decomposed.left[one], decomposed.coordinates[one], decomposed.right[one])
    layers, strengths = xx_layers(part, 1)
    gates = canonical(np.pad(strengths, ((0, 0), (0, 2))))
    assert same(rebuilt(layers, gates[:, None]), unitaries[one]) < 1e-11


BASES = {
    "u": ["u"],
    "u and rz": ["u", "rz"],
    "sx": ["rz", "sx"],
    "sx and x": ["rz", "sx", "x"],
    "p": ["p", "sx"],
    "sxdg": ["rz", "sxdg"],
    "h": ["rz", "h"],
    "rx": ["rz", "rx"],
    "rx of a quarter turn": {"rz": Native(), "rx": Native(angles=((np.pi / 2,),))},
    "rx of a quarter turn back": {"rz": Native(), "rx": Native(angles=((-np.pi / 2,),))},
    "ry": ["rz", "ry"],
    "prx": ["prx"],
    "prx and rz": ["prx", "rz"],
    "rx and ry": ["rx", "ry"],
}


@pytest.mark.parametrize("name", BASES)
def test_bases_write_every_one_qubit_gate_in_their_gates(name: str):
    target = Target.from_edges(1, [], BASES[name])
    basis = basis_of(target.natives)
    assert basis is not None
    angles = np.random.default_rng(0).uniform(-7, 7, (40, 3)).tolist()
    special = [[t, p, q] for t in (0, np.pi / 2, np.pi) for p in (0, 1.1, np.pi) for q in (0, -0.4, -np.pi / 2)]
    for theta, phi, lam in angles + special:
        theta, phi, lam = euler_of(quaternion_of(gate("u", theta, phi, lam)))
        expected = gate("u", theta, phi, lam).matrix(np)
        gates, rest = basis.up_to_z(theta, phi, lam)
        for made, tail in ((basis.whole(theta, phi, lam), []), (gates, [gate("rz", rest)])):
            matrix = np.eye(2)
            for g in [*made, *tail]:
                matrix = g.matrix(np) @ matrix
            assert abs(np.trace(expected.conj().T @ matrix)) > 2 - 1e-9
            assert all((g, 0) in target for g in made)
        assert len(basis.whole(theta, phi, lam)) <= (1 if name == "u" else 2 if "prx" in name else 5)


@pytest.mark.parametrize("name", BASES)
def test_bases_keep_open_angles_symbolic(name: str):
    basis = basis_of(Target.from_edges(1, [], BASES[name]).natives)
    a, b = Parameter("a"), Parameter("b")
    for theta in (0.0, 0.7, np.pi / 2, np.pi):
        circuit = Circuit(1)
        for g in basis.whole(theta, a, 2 * b + 0.1):
            circuit.append(g, 0)
        assert_equivalent(circuit, Circuit(1).u(theta, a, 2 * b + 0.1, 0))


@pytest.mark.parametrize("natives", [["rz"], ["h", "t"], ["x", "sx"], ["rx"]])
def test_sets_that_are_not_universal_have_no_basis(natives: list[str]):
    assert basis_of(Target.from_edges(1, [], natives).natives) is None


def test_sums_of_angles_are_short_and_linear():
    a, b = Parameter("a"), Parameter("b")
    assert total(a, -a) == 0.0 and isinstance(total(a, -a), float)
    assert str(total(a, b, a)) == "2*a+b"
    assert total(scaled(2 * a + 1, 0.5), -0.5) == a
    odd = np.sin(a) * b
    assert str(total(odd, 1.0, odd)) == "2*(sin(a)*b)+1"
    assert total(a / 2, a * 0.5) == a


EDGES = {
    "cz": ["cz"],
    "cx": ["cx"],
    "ecr": ["ecr"],
    "iswap": ["iswap"],
    "rzz": ["rzz"],
    "rzz of positive angles": {"rzz": Native(angles=(Interval(0, np.pi / 2),))},
    "rzz of negative angles": {"rzz": Native(angles=(Interval(-2, 0),))},
    "rzz of a quarter turn": {"rzz": Native(angles=((np.pi / 2,),))},
    "rxx": ["rxx"],
    "ryy": ["ryy"],
    "rzx": ["rzx"],
    "cp": ["cp"],
    "crx": ["crx"],
    "cz and rzz": ["cz", "rzz"],
    "cz and iswap": ["cz", "iswap"],
    "fsim": ["fsim"],
    "xx_plus_yy": ["xx_plus_yy"],
    "cu": ["cu"],
}
COUNTS = {"cz": (0, 1, 2, 3), "iswap": (0, 2, 2, 3), "rzz": (0, 1, 2, 3)}


@pytest.mark.parametrize("flipped", [False, True])
@pytest.mark.parametrize("name", EDGES)
def test_two_qubit_unitaries_in_every_native_gate(name: str, flipped: bool):
    target = Target.from_edges(2, [(1, 0) if flipped else (0, 1)], EDGES[name], directed=True)
    basis = facts_of(target).two(0, 1)
    for cost, unitaries in examples(3).items():
        decomposed = kak(unitaries)
        counts = basis.counts(decomposed.coordinates)
        assert counts.max() <= COUNTS.get(name, (0, 2, 2, 3))[cost]
        for unitary, count, sequence in zip(unitaries, counts, basis.sequences(unitaries, decomposed), strict=True):
            assert len(sequence.operations) == count
            total_matrix = kron(sequence.layers[0])
            for layer, (operation, turned) in zip(sequence.layers[1:], sequence.operations, strict=True):
                assert (operation, (1, 0) if turned else (0, 1)) in target
                matrix = operation.matrix(np)
                total_matrix = kron(layer) @ (reordered(matrix) if turned else matrix) @ total_matrix
            assert same(total_matrix[None], unitary[None]) < 1e-10


def test_a_gate_that_the_target_defines_serves_like_any_other():
    own = DefinedGate("mygate", reordered(CX) * np.exp(0.3j))
    target = Target(2, [(0, 1)], ["rz", "sx", "mygate"], definitions=[own])
    unitaries = examples(4)[3]
    decomposed = kak(unitaries)
    assert [len(s.operations) for s in facts_of(target).two(0, 1).sequences(unitaries, decomposed)] == [3] * 60


@pytest.mark.parametrize(
    "natives, place, words", [(["cz"], (0, 2), "not joined"), (["swap"], (0, 1), "What would be needed")]
)
def test_pairs_that_cannot_make_all_gates_are_refused_in_words(natives: list[str], place: tuple[int, int], words: str):
    with pytest.raises(TargetError, match=words):
        facts_of(Target.line(3, natives)).two(*place)
    with pytest.raises(TargetError, match="No universal set"):
        facts_of(Target.line(3, natives)).one(0)


@pytest.mark.parametrize(
    "operation",
    [
        *(
            Gate(r, (Parameter("a"), Parameter("b"), Parameter("c"), Parameter("d"))[: len(r.params)])
            for r in rows()
            if r.params
        ),
        ops.controlled(gate("rx", Parameter("a")), 1, "0"),
        ops.controlled(gate("u", Parameter("a"), Parameter("b"), 0.3), 1, "0"),
        ops.controlled(gate("u", Parameter("a"), Parameter("b"), 0.3)),
        ops.controlled(gate("prx", 0.3, Parameter("b"))),
        ops.controlled(gate("rzz", Parameter("a")), 2, "01"),
    ],
    ids=str,
)
def test_rotations_of_open_gates_are_equal_to_them_with_their_phase(operation):
    found = rotations_of(operation)
    assert found is not None
    k = operation.num_qubits
    values = {"a": 0.3, "b": -1.2, "c": 2.1, "d": 0.77}
    total_matrix = np.eye(1 << k, dtype=complex)
    for what, rest in found:
        if isinstance(what, str):
            angle = float(rest if isinstance(rest, float) else rest.bind({n: np.float64(v) for n, v in values.items()}))
            pauli = np.eye(1)
            for letter in what:
                pauli = np.kron(pauli, PAULIS["IXYZ".index(letter)])
            step = np.cos(angle / 2) * np.eye(1 << k) - 1j * np.sin(angle / 2) * pauli
        else:
            assert rest == (0, 1)
            step = what.matrix(np)
        total_matrix = step @ total_matrix
    bound = operation.replace([p if isinstance(p, float) else values[str(p)] for p in operation.params])
    np.testing.assert_allclose(total_matrix, bound.matrix(np), atol=1e-12)
