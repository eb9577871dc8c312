"""PennyLane's circuits on our simulator. PennyLane's own device suite is run by hand: see the class."""

from __future__ import annotations

import jax
import numpy as np
import pytest

qml = pytest.importorskip("pennylane")

from pennylane import numpy as pnp  # noqa: E402

from hardware.bridges.pennylane import QsimDevice  # noqa: E402
from qsim import gates  # noqa: E402
from qsim.interop.pennylane_gates import NAMES  # noqa: E402

# PennyLane 0.45 asks JAX 0.10 for names that it calls deprecated
pytestmark = pytest.mark.filterwarnings("ignore:jax.core:DeprecationWarning")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_gate_is_pennylanes(name):
    assert hasattr(gates, NAMES[name])
    kind = getattr(qml, name.removeprefix("Adjoint(").removesuffix(")"))
    angles = [0.3 * (i + 1) for i in range(kind.num_params)]
    wires = list(range(kind.num_wires or 1))

    def circuit():
        for wire in wires:
            qml.RY(0.4 + wire, wire)
        operation = kind(*angles, wires=wires)
        if name.startswith("Adjoint"):
            qml.adjoint(operation)
        return qml.state()

    found, expected = [
        qml.QNode(circuit, d)() for d in (QsimDevice(wires=3, on="numpy"), qml.device("default.qubit", wires=3))
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def ansatz(t):
    qml.RX(t[0], "a")
    qml.Rot(t[1], 0.2, t[0], "b")
    qml.CNOT(["a", "b"])


def energy(t):
    ansatz(t)
    return qml.expval(qml.Z("a") @ qml.X("b") - 0.5 * qml.Z("b"))


POINT = [0.4, -0.3]


@pytest.mark.parametrize("on", ["numpy", None])
def test_gradients(on):
    device = QsimDevice(wires=["b", "a"], on=on)
    exact = qml.grad(qml.QNode(energy, qml.device("default.qubit", wires=["b", "a"])))(pnp.array(POINT))
    for method in ("best", "adjoint", "parameter-shift"):
        found = qml.grad(qml.QNode(energy, device, diff_method=method))(pnp.array(POINT))
        np.testing.assert_allclose(found, exact, atol=1e-6, err_msg=method)
    node = qml.QNode(energy, device)
    for function in (jax.grad(node), jax.jit(jax.grad(node))):
        np.testing.assert_allclose(function(np.array(POINT, np.float32)), exact, atol=1e-4)
    batch = jax.vmap(node)(np.array([POINT, [0.0, 0.0]], np.float32))
    np.testing.assert_allclose(batch, [node(np.array(POINT)), np.sin(0.2) - 0.5 * np.cos(0.2)], atol=1e-4)


def test_measurements_and_shots():
    device = QsimDevice(wires=["a", "b"], on="numpy", seed=1)

    def many(t):
        ansatz(t)
        return qml.expval(qml.X("b")), qml.counts(), qml.sample(qml.Z("a")), qml.probs(["b"]), qml.var(qml.Z("a"))

    node = qml.QNode(many, device)
    mean, counts, samples, probs, variance = qml.set_shots(node, 20_000)(np.array(POINT))
    assert sum(counts.values()) == 20_000 and samples.shape == (20_000,) and set(samples) == {-1, 1}
    exact = qml.QNode(lambda t: [ansatz(t), qml.expval(qml.X("b")), qml.probs(["b"]), qml.var(qml.Z("a"))][1:], device)(
        np.array(POINT)
    )
    np.testing.assert_allclose(mean, exact[0], atol=0.05)
    np.testing.assert_allclose(probs, exact[1], atol=0.02)
    np.testing.assert_allclose(variance, exact[2], atol=0.05)
    two = qml.set_shots(node, [10, 20])(np.array(POINT))
    assert [len(part[2]) for part in two] == [10, 20]


def test_hardware_behind_pennylane():
    @qml.set_shots(50)
    @qml.qnode(QsimDevice(wires=2, on="local@line2"))
    def bell():
        qml.Hadamard(0)
        qml.CNOT([0, 1])
        return qml.counts()

    assert set(bell()) <= {"00", "11"}
    exact = qml.QNode(lambda: qml.expval(qml.Z(0)), QsimDevice(wires=2, on="local@line2"))
    with pytest.raises(qml.exceptions.DeviceError, match="needs shots"):
        exact()


def test_it_is_registered():
    assert isinstance(qml.device("qsim.device", wires=1), QsimDevice)
