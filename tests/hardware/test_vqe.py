"""One VQE of H2, the same code on the simulator and on every device: five gradient steps, one job each."""

from __future__ import annotations

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hardware
from qsim import execute, library
from qsim.results import Expectation

SHOTS, STEPS, RATE = 4_000, 5, 0.4
VENDORS = {
    "qdmi@ddsim": "mqt.core",
    "qiskit@generic5-noiseless": "qiskit_aer",
    "qiskit@aer": "qiskit_aer",
    "braket@sv": "braket.devices",
}

H2 = library.molecule("h2")
ANSATZ = library.uccsd(H2.num_electrons, H2.num_qubits)


def start() -> jax.Array:
    return jnp.full(ANSATZ.parameter_shapes()["theta"], 0.1)


def descend(on: str | None) -> list[tuple[jax.Array, jax.Array]]:
    """(parameters, energy) of each step."""
    theta, path = start(), []
    for step in range(STEPS):
        options = {} if on is None else {"on": on, "shots": SHOTS, "key": jax.random.key(step)}
        value, slope = jax.value_and_grad(
            lambda t, options=options: execute(ANSATZ, Expectation(H2.hamiltonian), {"theta": t}, **options)
        )(theta)
        path.append((theta, value))
        theta = theta - RATE * slope
    return path


def test_the_simulator_goes_down():
    path = descend(None)
    assert path[-1][1] < path[0][1] - 0.02


LOCAL = [pytest.param(on, marks=pytest.mark.slow) for on in ("local@line5", "local@star5")]


@pytest.mark.parametrize("on", [*LOCAL, *VENDORS])
def test_every_device_goes_down_as_the_simulator_does(on: str):
    pytest.importorskip(VENDORS.get(on, "qsim"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = hardware.budget().submissions
        path = descend(on)
        assert hardware.budget().submissions - before == STEPS
        for step, (theta, value) in enumerate(path):
            run = {"on": on, "shots": SHOTS, "key": jax.random.key(100 + step)}
            found = execute(ANSATZ, Expectation(H2.hamiltonian, stderr=True), {"theta": theta}, **run)
            exact = execute(ANSATZ, Expectation(H2.hamiltonian), {"theta": theta})
            np.testing.assert_allclose(value, exact, atol=4 * 2**0.5 * found.stderr)
            np.testing.assert_allclose(found.value, exact, atol=4 * found.stderr)
    assert path[-1][1] < path[0][1]
