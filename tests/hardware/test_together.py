"""Several circuits side by side on one device."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hardware
from hardware.adapters.local import LocalDevice
from hardware.errors import DeviceError, JobCancelled, RejectedProgram
from qsim import Circuit, Parameter, Target, X, Y, Z, execute
from qsim.errors import ParameterError, ResultError, TargetError
from qsim.results import Counts, Expectation, Probabilities, Samples, State

KEY = jax.random.key(3)
NATIVES = ("rz", "sx", "x", "cz")
CHAIN = Circuit(3).h(0).cx(0, 1).ry(0.7, 2).cx(0, 2)
PAIR = Circuit(2).ry(0.4, 0).cx(0, 1).rx(-1.1, 1)
ENERGY = Expectation(Z(0) @ Z(1) + 0.5 * X(0) - 0.25 * Y(1))


class Counting(LocalDevice):
    sent = ()

    def send(self, programs):
        self.sent = (*self.sent, list(programs))
        return super().send(programs)


@pytest.fixture
def grid():
    return Counting(Target.grid(3, 3, NATIVES), "grid")


def test_one_job_gives_what_one_by_one_gives(grid):
    jobs = [
        (CHAIN, {"e": 2 * ENERGY, "p": Probabilities([2, 0])}, [0, 1, 2]),
        (PAIR, ENERGY, [5, 4]),
        (Circuit(2).x(0), (Counts(), Samples(shots=7)), [8, 7]),
        (Circuit(1).x(0), Counts(), [6]),
    ]
    job = hardware.submit_together(jobs, on=grid, shots=20_000, key=KEY)
    found = job.result()
    assert len(grid.sent) == 1 and len(grid.sent[0]) == 3  # two settings, and one for Probabilities
    assert [len(program.measured) for program in grid.sent[0]] == [2 + 2 + 2 + 1, 2 + 2 + 2, 2]
    for number, (circuit, results, qubits) in enumerate(jobs[:2]):
        alone = execute(circuit, results, on=grid, qubits=qubits, shots=20_000, key=KEY)
        exact = execute(circuit, results, on="numpy")
        for a, b, c in zip(*map(jax.tree.leaves, (found[number], alone, exact)), strict=True):
            np.testing.assert_allclose(a, c, atol=0.06)
            np.testing.assert_allclose(a, b, atol=0.09)
    counts, samples = found[2]
    assert dict(counts) == {"10": 20_000} and samples.tolist() == [[1, 0]] * 7
    assert dict(found[3]) == {"1": 20_000}
    places = [set(layout.final) for layout in job.metadata["layouts"]]
    assert places == [{0, 1, 2}, {4, 5}, {7, 8}, {6}] and job.metadata["programs"] == 3
    assert [dict(job.parts[3].result()), job.status().value] == [{"1": 20_000}, "done"]


def test_qubits_stay_apart(grid):
    jobs = [(CHAIN, Counts(), [0, 3, 6]), (CHAIN, Counts(), [8, 5, 2])]
    first, second = hardware.submit_together(jobs, on=grid, shots=100, key=KEY).result()
    (program,) = grid.sent[0]
    columns = [{0, 3, 6}, {2, 5, 8}]
    assert all(any(set(i.qubits) <= part for part in columns) for i in program.circuit.instructions)
    assert sum(dict(first).values()) == sum(dict(second).values()) == 100


def test_what_cannot_be_is_refused_and_nothing_submitted(grid):
    def run(*jobs, on=grid, **named):
        return hardware.submit_together(jobs, on=on, **{"shots": 10, "key": KEY, **named})

    one = (Circuit(1).x(0), Counts(), [0])
    cases = [
        (
            RejectedProgram,
            r"Qubit 1 of device `grid` is in job 0 and in job 1",
            [(PAIR, ENERGY, [0, 1]), (PAIR, ENERGY, [1, 2])],
        ),
        (RejectedProgram, "at least one", []),
        (RejectedProgram, "job 1 is none", [one, Circuit(1)]),
        (RejectedProgram, "job 0 is none", [one[:2]]),
        (TargetError, "one device qubit for each", [(PAIR, ENERGY, [0])]),
        (TargetError, "names qubit 9", [(PAIR, ENERGY, [0, 9])]),
        (ResultError, "State is exact", [(PAIR, State(), [0, 1])]),
        (ParameterError, "`t`", [(Circuit(1).rx(Parameter("t"), 0), Counts(), [0])]),
    ]
    for error, words, jobs in cases:
        with pytest.raises(error, match=words):
            run(*jobs)
    with pytest.raises(ResultError, match="shots"):
        run((PAIR, ENERGY, [0, 1]), shots=None)
    with pytest.raises(DeviceError, match="`numpy` is no device"):
        run(one, on="numpy")
    loss = lambda t: run((Circuit(1).rx(t, 0), Expectation(Z(0)), [0])).result()[0]  # noqa: E731
    for traced in (jax.grad(loss), jax.jit(loss)):
        with pytest.raises(DeviceError, match="holds traced values"):
            traced(jnp.float32(0.3))
    assert grid.sent == ()
    assert float(loss(jnp.float32(0.0))) == 1.0
    grid.limits = hardware.Limits(shots=9)
    with pytest.raises(RejectedProgram, match="9 shots"):
        run(one)
    assert len(grid.sent) == 1


def test_cancelled_together():
    slow = LocalDevice(Target.ideal(2), delay=1.0)
    jobs = [(Circuit(1).x(0), Counts(), [0]), (Circuit(1), Counts(), [1])]
    job = hardware.submit_together(jobs, on=slow, shots=10, key=KEY)
    assert job.cancel()
    with pytest.raises(JobCancelled):
        job.result()


def test_nothing_to_measure(grid):
    two = (Circuit(1), 3 * Expectation(Z(0) @ Z(0)), [0])
    assert float(hardware.submit_together([two], on=grid, shots=10, key=KEY).result()[0]) == 3.0
    assert grid.sent == ()
