"""Figures: compared with stored images, with the numbers they show, and refused in words.

`pytest tests/test_draw_figures.py -o mpl-baseline-path= --mpl-generate-path=tests/baseline` writes the images anew:
look at each.
"""

from __future__ import annotations

import sys
from math import pi
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.figure import Figure

from qsim import Circuit, Layout, Parameter, ParameterVector, Target, X, Y, Z, draw, execute, gates, ops
from qsim.draw.placing import place_qubits
from qsim.draw.states import reduced_vectors
from qsim.draw.tallies import tally_of
from qsim.errors import BackendError, QsimError, ResultError, TargetError
from qsim.ir.operation import Conditional, Reset
from qsim.ir.target import QubitFacts
from qsim.results import Counts

TURNS = np.linspace(-pi, pi, 31)
FALCON = """0-1 1-2 2-3 3-5 1-4 4-7 5-8 6-7 7-10 8-9 8-11 10-12 11-14 12-13 13-14 12-15 14-16 15-18 16-19 17-18 18-21
19-20 19-22 21-23 22-25 23-24 24-25 25-26"""


def image(function, dpi=50):
    settings = {"dpi": dpi, "metadata": {"Software": None}}
    return pytest.mark.mpl_image_compare(savefig_kwargs=settings, tolerance=1.5)(function)


def small_image(function):
    return image(function, dpi=32)


def ghz() -> np.ndarray:
    return np.asarray(execute(Circuit(3).h(0).cx(0, 1).cx(1, 2).s(0).ry(0.5, 1)))


# -------------------------------------------------------------------- circuits


@image
def test_circuit_of_all_kinds():
    theta = ParameterVector("theta", 2)
    circuit = Circuit(4).h(range(4)).cx(0, 1).ccx(0, 1, 3).swap(0, 2).cswap(1, 0, 3).rx(pi / 2, 0).ry(theta[0], 1)
    circuit.rz(2 * theta[1] + pi, 2).barrier().rzz(0.3, 0, 2).ecr(2, 3).mcx([0, 1, 2], 3, "101").qft([0, 2, 3])
    circuit.unitary(np.eye(4), [3, 2]).pauli_evolution(Z(0) @ Z(1) + X(0), Parameter("time"), [0, 1])
    circuit.append(ops.Controlled(gates.gate("gphase", 0.5), 1, 0), 3)
    return draw.circuit(circuit.gphase(pi / 3), width=8)


@image
def test_circuit_with_classical_bits():
    circuit = Circuit(3, num_clbits={"syndrome": 2, "out": 1}).h(0).cx(0, 1).measure([0, 1], [0, 1])
    circuit.append(Conditional(gates.gate("x"), "syndrome", 2), [2]).append(Reset(), [0]).measure(2, 2)
    return draw.circuit(circuit)


@image
def test_circuit_that_is_folded():
    circuit = Circuit(80)
    for k in range(7):
        circuit.h([7, 70]).cx(7, 40).ry(k * pi / 8, 40)
    return draw.circuit(circuit, width=5)


@image
def test_circuit_with_a_layout():
    return draw.circuit(Circuit(3).h(0).cz(0, 1).cp(pi / 4, 1, 2).with_layout(Layout((2, 0, 1), (0, 1, 2))))


def test_circuits_of_every_shape_are_drawn():
    for circuit in (Circuit(0), Circuit(1), Circuit(30).h(range(30)), Circuit(0).gphase(1.0)):
        for figure in (draw.circuit(circuit), draw.circuit(circuit, width=2)):
            assert isinstance(figure, Figure) and figure._repr_png_()[:4] == b"\x89PNG"  # type: ignore[attr-defined]


def test_text_of_a_figure_stays_inside_its_box():
    """The widths of letters are estimates: here they are compared with those that matplotlib has."""
    circuit = Circuit(2).rx(Parameter("alpha_long_name"), 0).u(0.25, -1.5, 2 * pi / 3, 1).fsim(0.123, 0.456, 0, 1)
    circuit.unitary(np.eye(4), [0, 1]).prepare_state([0.6, 0, 0, 0.8], [1, 0]).iswap(0, 1).xx_plus_yy(0.1, 0.2, 0, 1)
    figure = draw.circuit(circuit, width=40)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [p.get_window_extent() for p in axes.patches if type(p).__name__ == "FancyBboxPatch"]
    texts = [t for t in axes.texts if not t.get_text().startswith("q")]
    assert len(boxes) == 7 and len(texts) > 10
    for text in texts:
        inner = text.get_window_extent()
        assert any(b.x0 <= inner.x0 and inner.x1 <= b.x1 and b.y0 <= inner.y0 and inner.y1 <= b.y1 for b in boxes), text


# -------------------------------------------------------------------- counts


@image
def test_histogram_of_one():
    return draw.histogram({"00": 480, "11": 500, "01": 20})


@image
def test_histogram_of_two_with_a_rest():
    ideal = {f"{k:05b}": int(1000 * abs(np.sin(k)) ** 8) + 1 for k in range(32)}
    device = {key: 7 * n // 8 + 40 for key, n in ideal.items()}
    return draw.histogram({"ideal": ideal, "device": device}, max_bars=10, by_count=True, fractions=True)


def test_bars_are_the_counts():
    measured = execute(Circuit(2).h(0).cx(0, 1), Counts(), shots=500, key=jax.random.key(1))
    bits = SimpleNamespace(get_counts=lambda: {"00": 7, "11": 1})
    figure = draw.histogram([measured, bits, {"00": np.int64(3), "10": 0, "01": jnp.float32(0.5)}], labels=list("abc"))
    heights = np.array([p.get_height() for p in figure.axes[0].patches]).reshape(3, 3)
    assert heights.tolist() == [[measured["00"], 0, measured["11"]], [7, 0, 1], [3, 0.5, 0]]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["00", "01", "11"]
    assert [t.get_text() for t in figure.axes[0].get_legend().get_texts()] == ["a", "b", "c"]
    top = draw.histogram({str(k): k for k in range(10)}, max_bars=2, fractions=True).axes[0]
    assert [p.get_height() for p in top.patches] == pytest.approx([8 / 45, 9 / 45, 28 / 45])
    assert tally_of({(0, 1): 2, 5: 1}) == {"01": 2.0, "5": 1.0}


def test_long_outcomes_leave_room_for_the_bars():
    figure = draw.histogram({"0" * 100: 3, "1" * 100: 4})
    figure.draw_without_rendering()
    assert figure.axes[0].get_window_extent().height / figure.dpi > 2


# -------------------------------------------------------------------- states


@small_image
def test_bloch_spheres():
    return draw.bloch(execute(Circuit(6).h(0).cx(0, 1).ry(0.8, 2).sx(3).x(4).ry(1.0, 5).rz(2.0, 5)))


@small_image
def test_state_city():
    return draw.state_city(ghz())


@image
def test_hinton():
    return draw.hinton(ghz())


def test_bloch_vectors_are_expectation_values():
    rng = np.random.default_rng(3)
    psi = rng.normal(size=(2, 8)) + 1j * rng.normal(size=(2, 8))
    psi /= np.linalg.norm(psi, axis=1, keepdims=True)
    rho = 0.25 * np.outer(psi[0], psi[0].conj()) + 0.75 * np.outer(psi[1], psi[1].conj())
    paulis = [np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    for state, matrix in ((psi[0], np.outer(psi[0], psi[0].conj())), (rho, rho)):
        for q, vector in enumerate(reduced_vectors(state)):
            wide = [np.kron(np.kron(np.eye(1 << q), p), np.eye(1 << (2 - q))) for p in paulis]
            np.testing.assert_allclose(vector, [np.trace(matrix @ w).real for w in wide], atol=1e-12)


def test_states_of_every_kind():
    for state in ([1], [1, 0], [[1]], np.eye(4) / 4, jnp.array([1, 1j]) / jnp.sqrt(2), np.float16([0.6, 0.8])):
        for function in (draw.hinton, draw.bloch) if len(state) > 1 else (draw.hinton,):
            function(state).draw_without_rendering()
    draw.state_city(np.eye(4) / 4).draw_without_rendering()
    for vectors in ([0, 0, 1], np.eye(3), [[0, 0, 0]], np.zeros((7, 3))):
        draw.bloch(vectors).draw_without_rendering()


# -------------------------------------------------------------------- training


@image
def test_loss_curve():
    steps = np.arange(200)
    both = {"Adam": np.exp(-steps / 30) - 1, "natural gradient": np.exp(-steps / 9) - 1}
    return draw.loss_curve(both, reference={"exact": -1.0}, ylabel="energy / Ha", title="H2")


@image
def test_loss_curve_that_breaks_off():
    return draw.loss_curve([1, 0.5, 0.2, 0.1, np.nan, np.nan], log=True)


@image
def test_landscape():
    way = np.stack([np.linspace(-2, -2.9, 20), np.linspace(-1, 1.5, 20)], axis=-1)
    loss = lambda p: np.cos(p[..., 0]) * np.sin(p[..., 1]) + 0.2 * p[..., 0]  # noqa: E731
    return draw.landscape(loss, TURNS, TURNS, path=way, xlabel="theta[0]", ylabel="theta[1]", label="energy")


def test_curves_are_the_history():
    result = SimpleNamespace(history=jnp.array([3.0, 2.0, 1.0]))
    for history in (result, [3, 2, 1], {"a": [3, 2, 1]}, {"a": result}, SimpleNamespace(history={"loss": [3, 2, 1]})):
        (line,) = draw.loss_curve(history).axes[0].lines
        assert line.get_ydata().tolist() == [3, 2, 1] and line.get_xdata().tolist() == [0, 1, 2]
    assert len(draw.loss_curve([1.0], reference=0.5).axes[0].lines) == 2


def test_a_landscape_of_execute():
    """One run of a batch, whose values are those of single runs."""
    circuit = Circuit(2).ry(Parameter("a"), 0).ry(Parameter("b"), 1).cx(0, 1)
    seen = []

    def energy(points):
        from qsim.results import Expectation

        seen.append(execute(circuit, Expectation(Z(1) + Y(0)), {"a": points[..., 0], "b": points[..., 1]}))
        return seen[-1]

    x, y = TURNS[::10], TURNS[::15]
    figure = draw.landscape(energy, x, y)
    assert len(seen) == 1
    np.testing.assert_allclose(seen[0], np.cos(x)[None, :] * np.cos(y)[:, None], atol=1e-5)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["-π", "-π/2", "0", "π/2", "π"]
    draw.landscape(np.ones((2, 3)), [0, 1, 2], [0, 0.5]).draw_without_rendering()


# -------------------------------------------------------------------- devices


@image
def test_device_map_of_a_heavy_hexagon():
    facts = [QubitFacts(usable=q not in (4, 16)) for q in range(19)]
    target = Target.heavy_hex(3)
    return draw.device_map(Target(19, target.edges, qubits=facts), [6, 5, 15, 0])


@image
def test_device_map_without_rows():
    edges = [(0, 2), (2, 4), (4, 1), (1, 3), (3, 0), (0, 5), (5, 6), (7, 8)]
    return draw.device_map(Target.from_edges(9, edges), Layout((5, 0), (0, 5)))


def edges_of(target: Target) -> list[tuple[int, int]]:
    return [(a, b) for a, b in target.edges or () if a < b]


@pytest.mark.parametrize(
    "target",
    [
        Target.line(7),
        Target.grid(1, 4),
        Target.grid(3, 5),
        Target.grid(5, 2),
        Target.heavy_hex(3),
        Target.heavy_hex(7),
        Target.from_edges(27, [tuple(map(int, e.split("-"))) for e in FALCON.split()]),
    ],
    ids=["line", "row", "grid", "ladder", "hex 3", "hex 7", "falcon"],
)
def test_devices_with_rows_are_on_a_lattice(target):
    at = place_qubits(target.num_qubits, edges_of(target))
    lengths = [np.linalg.norm(at[a] - at[b]) for a, b in edges_of(target)]
    np.testing.assert_allclose(lengths, 1, atol=1e-12)
    assert len({tuple(p) for p in at.tolist()}) == target.num_qubits


def test_a_device_of_one_qubit():
    assert [text.get_text() for text in draw.device_map(Target.line(1), [0]).axes[0].texts] == ["0\nq0"]


def test_other_devices_keep_their_qubits_apart():
    ring = place_qubits(12, edges_of(Target.ring(12)))
    radii = np.linalg.norm(ring - ring.mean(axis=0), axis=1)
    np.testing.assert_allclose(radii, radii.mean(), rtol=1e-2)
    parts = [(0, 1), (1, 2), (4, 5), (6, 7)]
    for n, edges in ((9, edges_of(Target.star(9))), (8, parts), (5, [(a, b) for a in range(5) for b in range(a)])):
        at = place_qubits(n, edges)
        gaps = np.linalg.norm(at[:, None] - at[None], axis=-1) + 9 * np.eye(n)
        assert gaps.min() > 0.5


# -------------------------------------------------------------------- axes, notebooks, refusals

IN_AXES = {
    "circuit": lambda ax: draw.circuit(Circuit(2).h(0).cx(0, 1).rx(0.5, 0), ax=ax),
    "histogram": lambda ax: draw.histogram({"0": 1}, ax=ax),
    "bloch": lambda ax: draw.bloch([1, 0], ax=ax),
    "hinton": lambda ax: draw.hinton([1, 0], ax=ax),
    "loss_curve": lambda ax: draw.loss_curve([1.0], ax=ax),
    "landscape": lambda ax: draw.landscape(np.zeros((2, 2)), [0, 1], [0, 1], ax=ax),
    "device_map": lambda ax: draw.device_map(Target.line(3), ax=ax),
}


@small_image
def test_axes_that_are_given():
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    for place, function in enumerate(IN_AXES.values()):
        assert function(figure.add_subplot(2, 4, place + 1)) is figure
    return figure


@pytest.mark.parametrize("name", IN_AXES)
def test_without_matplotlib_or_with_other_axes(name, monkeypatch):
    for ax in (5, "axes", Figure()):
        with pytest.raises(ResultError, match="Argument `ax` must be axes of matplotlib"):
            IN_AXES[name](ax)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BackendError, match=r'Try pip install "qsim-jax\[plot\]"'):
        IN_AXES[name](None)


def test_nothing_global_is_touched():
    import matplotlib
    import matplotlib.pyplot as plt

    before = dict(matplotlib.rcParams)
    for function in IN_AXES.values():
        figure = function(None)
        assert isinstance(figure, Figure)
    assert plt.get_fignums() == [] and dict(matplotlib.rcParams) == before


@jax.jit
def traced(t):
    with pytest.raises(ResultError, match="no values inside jit"):
        draw.bloch(t)
    return t


REFUSED = [
    (lambda: draw.circuit(Circuit(1), width=1), "`width` must be a number of inches from 2 to 100, but is 1"),
    (lambda: draw.circuit(Circuit(1), width="wide"), "`width`"),
    (lambda: draw.circuit(Circuit(1), width=float("nan")), "`width`"),
    (lambda: draw.histogram({}), "holds no outcomes"),
    (lambda: draw.histogram([]), "`counts` must be counts"),
    (lambda: draw.histogram({"0": 0}), "holds no outcomes"),
    (lambda: draw.histogram({"0": -1}), "outcome '0' has -1"),
    (lambda: draw.histogram({"0": float("nan")}), "outcome '0' has nan"),
    (lambda: draw.histogram({"0": True}), "outcome '0' has True"),
    (lambda: draw.histogram({"0": "many"}), "outcome '0' has 'many'"),
    (lambda: draw.histogram("0101"), "`counts` must be counts .* but is str"),
    (lambda: draw.histogram(None), "`counts`"),
    (lambda: draw.histogram({"0": 1}, max_bars=0), "`max_bars` must be an int of at least 1"),
    (lambda: draw.histogram([{"0": 1}] * 2, labels=["a"]), "`labels` must name the 2 data sets"),
    (lambda: draw.histogram([{"0": 1}] * 2, labels=["a", "a"]), "each differently"),
    (lambda: draw.bloch(np.ones(4)), "must have norm 1, but its norm is 2"),
    (lambda: draw.bloch([1, 0, 0, 0, 0]), r"or Bloch vectors \(n, 3\), but has shape \(5,\)"),
    (lambda: draw.bloch([0, 0, 1.5]), "at most 1 long, but one is 1.5"),
    (lambda: draw.bloch([1j, 0, 0]), "Bloch vectors"),
    (lambda: draw.bloch(np.zeros((0, 3))), "1 to 40 qubits, but is on 0"),
    (lambda: draw.bloch([[1, 0], [0]]), "array of numbers"),
    (lambda: draw.bloch([np.nan, 0]), "NaN"),
    (lambda: draw.bloch("0"), "array of numbers"),
    (lambda: draw.bloch([True, False]), "array of numbers"),
    (lambda: draw.hinton(np.eye(2)), "its trace is 2"),
    (lambda: draw.hinton([[0.5, 1], [0, 0.5]]), "not Hermitian"),
    (lambda: draw.hinton(np.eye(1 << 7)[0]), "at most 6 qubits for this picture, but is on 7"),
    (lambda: draw.state_city(np.zeros((3, 2, 2))), r"has shape \(3, 2, 2\). Of a batch, draw one"),
    (lambda: draw.state_city(np.eye(1 << 6)[0]), "at most 5 qubits"),
    (lambda: draw.loss_curve([]), "`history` must be at least one number"),
    (lambda: draw.loss_curve({}), "`history` is empty"),
    (lambda: draw.loss_curve(np.zeros((3, 2))), r"of shape \(3, 2\)"),
    (lambda: draw.loss_curve(["a"]), "`history`"),
    (lambda: draw.loss_curve([np.nan, np.inf]), "no finite number"),
    (lambda: draw.loss_curve([-1.0], log=True), "no finite positive number"),
    (lambda: draw.loss_curve([1.0], reference=float("nan")), "`reference` must be finite numbers"),
    (lambda: draw.loss_curve([1.0], reference={"exact": "low"}), "'exact' is 'low'"),
    (lambda: draw.landscape(np.zeros((3, 2)), TURNS, TURNS), r"= \(31, 31\), or a function .* has shape \(3, 2\)"),
    (lambda: draw.landscape(lambda p: p, TURNS, TURNS), r"has shape \(31, 31, 2\)"),
    (lambda: draw.landscape(lambda x, y: x, TURNS, TURNS), "must be a function of one array of points"),
    (lambda: draw.landscape(np.zeros((2, 2)), [1, 0], [0, 1]), "`x` must be at least two increasing numbers"),
    (lambda: draw.landscape(np.zeros((2, 1)), [0], [0, 1]), "`x`"),
    (lambda: draw.landscape(np.zeros((2, 2)), [0, 1], [0, 1], path=[1, 2]), r"`path` must be points \(k, 2\)"),
    (lambda: draw.landscape(np.full((2, 2), np.nan), [0, 1], [0, 1]), "`values` holds NaN"),
    (lambda: draw.device_map(Target.ideal(3)), "every pair of qubits joined"),
    (lambda: draw.device_map(Target.ideal()), "no qubits of its own"),
    (lambda: draw.device_map(Target.from_edges(2, [])), "no edges"),
    (lambda: draw.device_map(Target.line(3), [5]), "names qubit 5, but there are 3 qubits"),
    (lambda: draw.device_map(Target.line(3), [0, 0]), "each qubit once"),
    (lambda: draw.device_map(Target.line(3), "first"), "qubit numbers"),
    (lambda: draw.device_map(7), "`target` must be a Target, but is int"),
    (lambda: draw.device_map(Target.line(3000)), "too many to draw"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_refused_in_words(call, message):
    with pytest.raises(QsimError, match=message) as caught:
        call()
    assert isinstance(caught.value, (ResultError, TargetError))


def test_values_of_a_trace_are_refused():
    traced(jnp.array([1.0, 0.0]))
