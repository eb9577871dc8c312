"""Circuits as text and as HTML: expected drawings, every gate of the table, random circuits, hostile names."""

from __future__ import annotations

import time
from math import pi
from types import SimpleNamespace
from xml.etree import ElementTree

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim import Circuit, Layout, Parameter, X, Z, draw, gates, ops
from qsim.draw.canvas import cells_of
from qsim.draw.columns import RowKind, arrange
from qsim.draw.labels import angle_text, param_text
from qsim.draw.shapes import MARKS, shape_of
from qsim.errors import CircuitError, ResultError
from qsim.ir.layout import pad
from qsim.ir.operation import Conditional, Reset, rows
from qsim.ir.ops.delay import Delay

T = Parameter("t")


class Foreign:
    """A third party's operation: the interface and no more."""

    num_clbits, num_params = 0, 2

    def __init__(self, name: str = "magic", num_qubits: int = 2, params: tuple = (0.5, "fast"), label: object = None):
        self.name, self.num_qubits, self.params, self.label = name, num_qubits, params, label


DRAWINGS = {
    "bell": (
        Circuit(2).h(0).cx(0, 1).measure_all(),
        """
         ┌───┐     ┌───┐
    q0: ─┤ H ├──●──┤ M ├───────
         └───┘  │  └─╥─┘ ┌───┐
    q1: ────────⊕────╫───┤ M ├─
                     ║   └─╥─┘
meas/2: ═════════════╩═════╩═══
                     0     1""",
    ),
    "angles": (
        Circuit(2).rx(pi / 2, 0).ry(-2 * pi / 3, 1).rz(2 * T, 0).u(0.3, T, 0, 1),
        """
      ┌─────────┐    ┌─────────┐
q0: ──┤ RX(π/2) ├────┤ RZ(2*t) ├────
     ┌┴─────────┴┐ ┌─┴─────────┴──┐
q1: ─┤ RY(-2π/3) ├─┤ U(0.3, t, 0) ├─
     └───────────┘ └──────────────┘""",
    ),
    "marks": (
        Circuit(4).ccx(0, 1, 3).swap(0, 2).cswap(3, 0, 1).cz(0, 3).mcx([0, 1, 2], 3, "101"),
        """
q0: ──●───×───×───●───●──
      │   │   │   │   │
q1: ──●───┼───×───┼───○──
      │   │   │   │   │
q2: ──┼───×───┼───┼───●──
      │       │   │   │
q3: ──⊕───────●───●───⊕──""",
    ),
    "boxes": (
        Circuit(3).rzz(0.5, 0, 2).ecr(2, 1).qft([0, 2]).cp(pi / 4, 2, 0).controlled(1, "0"),
        """
q0: ───────○───────────○────────○─────────○─────
     ┌─────┴─────┐     │    ┌───┴──┐ ┌────┴───┐
q1: ─┤0          ├─────┼────┤0     ├─┤ P(π/4) ├─
     │  RZZ(0.5) │ ┌───┴──┐ │  QFT │ └────┬───┘
q2: ─┼───────────┼─┤1     ├─┼──────┼──────┼─────
     │           │ │  ECR │ │      │      │
q3: ─┤1          ├─┤0     ├─┤1     ├──────●─────
     └───────────┘ └──────┘ └──────┘""",
    ),
    "a control between": (
        Circuit(3).append(ops.controlled(ops.QFT(2)), [1, 0, 2]),
        """
     ┌──────┐
q0: ─┤0     ├─
     │  QFT │
q1: ─┼●─────┼─
     │      │
q2: ─┤1     ├─
     └──────┘""",
    ),
    "classical bits": (
        Circuit(2, num_clbits={"flag": 2})
        .measure(0, 1)
        .append(Conditional(gates.gate("x"), "flag", 2), [1])
        .append(Reset(), [0])
        .barrier(),
        """
         ┌───┐ ┌─────┐
    q0: ─┤ M ├─┤ |0⟩ ├───░──
         └─╥─┘ ├─────┴┐  ░
    q1: ───╫───┤  X   ├──░──
           ║   └───╥──┘
flag/2: ═══╩═══════╩════════
           1    flag=2""",
    ),
    "global phase": (
        Circuit(1).gphase(pi / 3).h(0).gphase(T).gphase(pi / 6),
        """
     ┌───┐
q0: ─┤ H ├─
     └───┘
global phase: t + π/2""",
    ),
    "a phase under an open control": (
        Circuit(1).append(ops.Controlled(gates.gate("gphase", pi / 8), 1, 0), 0),
        """
q0: ─○(π/8)─""",
    ),
    "a layout": (
        Circuit(3).h(0).cz(0, 1).with_layout(Layout((2, 0, 1), (0, 1, 2))),
        """
         ┌───┐
q1 → 0: ─┤ H ├──●── q0
         └───┘  │
q2 → 1: ────────●── q1

q0 → 2: ─────────── q2""",
    ),
    "idle qubits": (
        pad(Circuit(2).h(0).cx(0, 1), 60, [30, 50]),
        """
          ┌───┐
q0 → 30: ─┤ H ├──●──
          └───┘  │
q1 → 50: ────────⊕──

      ⋮
⋮ 58 idle qubits""",
    ),
    "fold": (
        Circuit(1).h([0] * 6),
        """
     ┌───┐ ┌───┐ ┌───┐
q0: ─┤ H ├─┤ H ├─┤ H ├─»
     └───┘ └───┘ └───┘

     ┌───┐ ┌───┐ ┌───┐
q0: «┤ H ├─┤ H ├─┤ H ├─
     └───┘ └───┘ └───┘""",
    ),
    "JAX values": (
        Circuit(3).rx(jnp.float32(0.5), 0).ry(jnp.arange(2.0), [1, 2]),
        """
      ┌───────┐
q0: ──┤ RX(·) ├───
     ┌┴───────┴─┐
q1: ─┤ RY(·[0]) ├─
     ├──────────┤
q2: ─┤ RY(·[1]) ├─
     └──────────┘""",
    ),
    "no gates": (Circuit(1), "q0: ───"),
    "no qubits": (Circuit(0).gphase(1.0), "circuit on 0 qubits\nglobal phase: 1"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_drawing(name):
    circuit, expected = DRAWINGS[name]
    assert draw.text(circuit, width=24 if name == "fold" else 80) == expected.removeprefix("\n")


def test_ascii():
    circuit = Circuit(3).rx(pi / 2, 0).sx(1).sdg(2).append(ops.QFT(2).inverse(), [0, 2]).gphase(pi / 3).cx(1, 0)
    circuit.append(ops.Controlled(gates.gate("gphase", pi / 8), 1, 0), 0)
    expected = """
     +----------+ +-------+
q0: -+ RX(pi/2) +-+0      +--X--o(pi/8)-
     ++-------+-+ |  QFT^ |  |
q1: --+ sqrtX +---+-------+--@----------
      +-+----++   |       |
q2: ----+ S^ +----+1      +-------------
        +----+    +-------+
global phase: pi/3"""
    assert draw.text(circuit, width=60, ascii_only=True) == expected.removeprefix("\n")


class Bits(Foreign):
    """A third party's operation on classical bits."""

    num_params = 0

    def __init__(self, num_qubits: int, num_clbits: int):
        super().__init__("read", num_qubits, ())
        self.num_clbits = num_clbits


def test_operations_on_classical_bits():
    circuit = Circuit(2, num_clbits={"a": 2, "b": 1}).append(Bits(1, 3), 1, [0, 2, 1])
    assert {"read", "0,1", "0"} <= set(draw.text(circuit, width=60).split())
    assert "read 1" in draw.text(Circuit(1, num_clbits=2).append(Bits(0, 1), (), 1), width=60)


ANGLES = {
    **{0.0: "0", pi: "π", -pi: "-π", 5 * pi / 4: "5π/4", float(np.float32(pi / 3)): "π/3", 2.0: "2"},
    **{0.785: "0.785", 1e-9: "1e-09", -1234567.0: "-1.23e+06", 64 * pi: "64π", 100.5: "100"},
}


def test_angles():
    for value, text in ANGLES.items():
        assert angle_text(value) == text
    assert angle_text(-0.0) == "0"
    for over in range(1, 13):
        for under in (1, 2, 3, 4, 6, 8, 16, 32):
            text = angle_text(over * pi / under)
            up, _, down = text.partition("π")
            assert float(up or 1) / float(down.removeprefix("/") or 1) == pytest.approx(over / under)
    assert param_text(T / (pi / 2)) == "t/(π/2)" and param_text(-(pi / 2) * T + 0.25) == "-π/2*t+0.25"
    assert param_text(jnp.zeros((2, 3))) == "2×3 array"


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_gate_of_the_table(row):
    qubits = list(range(row.num_qubits))[::-1]
    circuit = Circuit(max(1, row.num_qubits)).append(gates.gate(row.name, *[0.5] * len(row.params)), qubits)
    found, page = draw.text(circuit, width=80), draw.html(circuit)
    for symbol in row.symbols:
        assert symbol in found
        assert symbol in MARKS or symbol in page
    if row.params:
        assert "0.5" in found and "0.5" in page
    under = draw.text(Circuit(circuit.num_qubits, circuit.instructions).controlled(2, "01"), width=80)
    assert "○" in under and ("●" in under or row.under_control)
    if row.base is not None:
        assert shape_of(ops.controlled(gates.gate(row.base, *[0.5] * len(row.params)), row.num_controls)) == shape_of(
            gates.gate(row.name, *[0.5] * len(row.params))
        )


def test_order_of_qubits_is_shown_where_it_matters():
    """By the matrix, so independently of any list of names: reversed qubits give the same drawing or numbers in it."""
    for row in rows():
        if row.num_qubits == 2 and not MARKS.intersection(row.symbols):
            values = np.linspace(0.3, 0.9, len(row.params))
            matrix = row.matrix(np, *values)
            swapped = matrix[[0, 2, 1, 3]][:, [0, 2, 1, 3]]
            pictures = {
                draw.text(Circuit(2).append(gates.gate(row.name, *values), q), width=80) for q in ((0, 1), (1, 0))
            }
            assert len(pictures) == (1 if np.allclose(matrix, swapped) else 2), row.name


HIGH = [
    (ops.Unitary(np.eye(4)), "U"),
    (ops.Diagonal([1, 1j, 1, 1]), "Diag"),
    (ops.Permutation([1, 2, 3, 0]), "Perm"),
    (ops.QFT(2), "QFT"),
    (ops.QFT(2).inverse(), "QFT†"),
    (ops.PrepareState([1, 0, 0, 0]), "Prep"),
    (ops.PrepareState([1, 0, 0, 0]).inverse(), "Prep†"),
    (ops.Clifford([[0, 1, 0], [1, 0, 0]]), "Cliff"),
    (ops.Clifford([[0, 1, 0], [1, 0, 0]]).inverse(), "Cliff†"),
    (ops.PauliEvolution(Z(0) @ X(1), 0.5), "exp(-it ZX)(0.5)"),
    (ops.PauliEvolution(Z(0) + X(1), T), "exp(-it H)(t)"),
    (Delay(2e-7), "Delay(2e-07)"),
    (Foreign(), "magic(0.5, fast)"),
    (Foreign(label="Magic!"), "Magic!(0.5, fast)"),
    (Foreign(params=(np.eye(4), 1j)), "magic(4×4 array, 1j)"),
]


@pytest.mark.parametrize(("operation", "label"), HIGH, ids=[label for _, label in HIGH])
def test_operations_that_are_no_gates(operation, label):
    circuit = Circuit(3).append(operation, list(range(operation.num_qubits)))
    assert label in draw.text(circuit, width=80)
    assert label.split("(")[0] in draw.html(circuit)


@st.composite
def circuits(draw_):
    n = draw_(st.integers(1, 6))
    circuit = Circuit(n, num_clbits={"c": 2, "d": 1})
    for _ in range(draw_(st.integers(0, 25))):
        kind = draw_(st.sampled_from(["gate"] * 6 + ["measure", "barrier", "controlled", "foreign"]))
        some = draw_(st.permutations(range(n)))
        row = draw_(st.sampled_from(rows()))
        params = draw_(st.tuples(*[st.sampled_from([0.5, pi / 2, T, 2 * T + 1])] * len(row.params)))
        if kind == "measure":
            circuit.measure(some[0], draw_(st.integers(0, 2)))
        elif kind == "barrier":
            circuit.barrier(some[: draw_(st.integers(0, n))])
        elif kind == "foreign":
            circuit.append(Foreign("f" * draw_(st.integers(1, 50)), n), some)
        elif row.num_qubits + (kind == "controlled") <= n:
            gate = gates.gate(row.name, *params)
            gate = ops.controlled(gate, 1, draw_(st.integers(0, 1))) if kind == "controlled" else gate
            circuit.append(gate, some[: gate.num_qubits])
    return circuit


@settings(max_examples=60, deadline=None)
@given(circuits(), st.integers(24, 90))
def test_random_circuits(circuit, width):
    assert max(map(cells_of, draw.text(circuit, width=width).split("\n"))) <= width
    wide = draw.text(circuit, width=4000)
    for instruction in circuit.instructions:
        shape = shape_of(instruction.operation)
        if instruction.qubits and shape.kind.value != "barrier":
            assert all(mark in wide for mark in shape.marks)
            assert shape.label[:20] in wide
    assert f"{len(circuit)} more" not in wide
    ElementTree.fromstring(draw.html(circuit))


@settings(max_examples=60, deadline=None)
@given(circuits())
def test_columns_keep_the_order_and_do_not_overlap(circuit):
    found = arrange(circuit, 10_000, 100)
    taken = set()
    for e in found.elements:
        across = e.inside if e.shape.kind.value == "barrier" else range(e.top, e.bottom + 1)
        cells = {(e.column, row) for row in across}
        assert not cells & taken
        taken |= cells
    drawn = [i for i in circuit.instructions if i.qubits]
    assert len(found.elements) == len(drawn)
    # by wire, the sequence of shapes is that of the instructions
    for q in range(circuit.num_qubits):
        touching = [e for e in found.elements if q in e.inside or q in dict(e.marks) or q in dict(e.ports)]
        in_order = sorted(touching, key=lambda e: e.column)
        assert [e.shape for e in in_order] == [shape_of(i.operation) for i in drawn if q in i.qubits]


# -------------------------------------------------------------------- large ones


def test_many_gates_are_abbreviated_quickly():
    circuit = Circuit(2)
    for _ in range(50_000):
        circuit.h(0).cx(0, 1)
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        found = repr(circuit)
        seconds.append(time.process_time() - begin)
    assert min(seconds) < 0.05
    assert found.count("\n") < 80
    left = int(found.rsplit("… ", 1)[1].split(" ")[0].replace(",", ""))
    assert found.count("H") + found.count("⊕") + left == len(circuit)
    assert len(circuit._repr_html_()) < 300_000


def test_many_qubits_are_abbreviated():
    circuit = Circuit(1000).h(range(1000)).cx(0, 999)
    lines = draw.text(circuit, width=60).split("\n")
    assert len(lines) < 90 and lines[-1] == "⋮ 960 more qubits"
    assert any(line.startswith("q999:") and "⊕" in line for line in lines)
    assert [row.kind for row in arrange(circuit, 10, 40).rows].count(RowKind.GAP) == 1
    many = Circuit(1, num_clbits={f"r{i}": 1 for i in range(100)}).measure(0, 99)
    assert "⋮ 60 more registers" in draw.text(many, width=60)


def test_long_names_are_cut():
    long = Circuit(1, num_clbits={"a" * 200: 1}).append(Foreign("b" * 500, 1, ("c" * 500, 1.0)), 0).measure(0, 0)
    for width in (24, 40, 200):
        found = draw.text(long, width=width)
        assert max(map(len, found.split("\n"))) <= width and "…" in found
    wide = draw.text(Circuit(1).rx(Parameter("角度"), 0), width=40).split("\n")
    assert {cells_of(line) for line in wide[:1] + wide[2:]} == {cells_of(wide[1]) - 1}


# -------------------------------------------------------------------- in terminals and notebooks


def test_circuits_show_themselves(monkeypatch):
    circuit = Circuit(2).h(0).cx(0, 1)
    monkeypatch.setenv("COLUMNS", "50")
    assert repr(circuit) == str(circuit) == draw.text(circuit, width=50)
    assert circuit._repr_html_() == draw.html(circuit)

    @jax.jit
    def traced(t):
        assert "RX(·)" in repr(Circuit(1).rx(t, 0)) and "·[1]" in repr(Circuit(2).ry(t * jnp.ones(2), [0, 1]))
        return t

    traced(0.5)
    for encoding, plain in (("ascii", True), ("cp1252", True), ("utf-8", False), (None, False), ("no such", True)):
        monkeypatch.setattr("sys.stdout", SimpleNamespace(encoding=encoding))
        assert repr(circuit).isascii() == plain
    monkeypatch.undo()


def test_html_is_inert_and_stands_alone():
    evil = '<script>alert("1")</script>'
    circuit = Circuit(2, num_clbits={"<b>&": 1}).append(Foreign(evil, 2, (evil,), evil), [0, 1]).measure(0, 0)
    page = draw.html(circuit)
    assert "<script" not in page and "<b>" not in page
    tree = ElementTree.fromstring(page)
    texts = [e.text for e in tree.iter() if e.tag.endswith("text")]
    assert any(evil[:20] in (text or "") for text in texts) and "<b>&/1" in texts
    links = [v for e in tree.iter() for k, v in e.attrib.items() if "href" in k or "url" in v or k.startswith("on")]
    assert not links and "currentColor" in page
    assert "\n" not in draw.text(Circuit(1).append(Foreign("a\nb\x1b[31m", 1, ()), 0), width=40).split("a?b")[0][-3:]
    assert "\x1b" not in draw.text(Circuit(1).append(Foreign("a\nb\x1b[31m", 1, ()), 0), width=40)


def test_html_shows_every_qubit_and_register():
    page = draw.html(DRAWINGS["classical bits"][0])
    texts = [e.text for e in ElementTree.fromstring(page).iter() if e.tag.endswith("text")]
    assert {"q0", "q1", "flag/2", "flag=2", "|0⟩", "X", "1"} <= set(texts)


@pytest.mark.parametrize("width", [23, 0, -1, 2.5, True, "80"])
def test_a_width_that_cannot_be(width):
    with pytest.raises(ResultError, match="Argument `width` must be an int of at least 24"):
        draw.text(Circuit(1), width=width)


@pytest.mark.parametrize("function", [draw.text, draw.html, draw.circuit])
def test_what_is_no_circuit(function):
    with pytest.raises(CircuitError, match="Argument `circuit` must be a Circuit, but is str"):
        function("h 0")
