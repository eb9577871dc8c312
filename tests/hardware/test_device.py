"""The core of the hardware: jobs, gradients as one job, limits, budget, secrets, files."""

from __future__ import annotations

import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from devices import (
    BELL,
    KEY,
    NATIVES,
    POINT,
    TURNS,
    Counting,
    Saying,
    bell,
    ideal,
    own_budget,  # noqa: F401 - used by pytest
    slow,
)

import hardware
from hardware.errors import (
    BudgetExceeded,
    DeviceBusy,
    DeviceError,
    InvalidReply,
    JobCancelled,
    JobFailed,
    JobTimeout,
    RejectedProgram,
)
from qsim import Circuit, Target, X, Y, Z, execute, submit
from qsim.backends import JobStatus, find_transpiler
from qsim.errors import MethodError, ResultError, TargetError
from qsim.gradients import SPSA
from qsim.results import (
    Counts,
    DiagonalObservable,
    Entropy,
    Expectation,
    Hermitian,
    Norm,
    Probabilities,
    Projector,
    Samples,
    State,
    Variance,
)

# ---------------------------------------------------------------- the life of a job


def test_job_is_queued_then_running_then_done():
    device = slow()
    first, second = bell(device), bell(device, shots=11)
    seen = []
    while not second.status().is_final:
        seen.append((first.status(), second.status()))
        time.sleep(0.02)
    assert {pair[0] for pair in seen} == {JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DONE}
    assert seen[0][1] is JobStatus.QUEUED and second.status() is JobStatus.DONE
    assert sum(dict(second.result()).values()) == 11
    assert first.metadata["device"] == "local" and first.metadata["programs"] == 1 and first.metadata["shots"] == 10


def test_timeout_leaves_the_job_alive():
    job = bell(slow())
    with pytest.raises(JobTimeout, match=rf"{job.id} on device `local` is queued after .* hardware\.save"):
        job.result(timeout=0.05)
    assert not job.status().is_final
    assert sum(dict(job.result(timeout=30)).values()) == 10


def test_timeout_holds_while_another_thread_waits():
    job = bell(slow(1.0))
    waiting = threading.Thread(target=job.result)
    waiting.start()
    begin = time.monotonic()
    with pytest.raises(JobTimeout):
        job.result(timeout=0.05)
    assert time.monotonic() - begin < 0.6
    waiting.join()


@pytest.mark.parametrize("when", ["queued", "running"])
def test_cancel(when):
    device = slow(1.0)
    first, second = bell(device), bell(device, shots=11)
    job = first if when == "running" else second
    while when == "running" and job.status() is not JobStatus.RUNNING:
        time.sleep(0.01)
    assert job.cancel() and job.cancel()
    assert job.status() is JobStatus.CANCELLED
    for _ in range(2):
        with pytest.raises(JobCancelled, match=r"on device `local` was cancelled"):
            job.result()


def test_done_job_cannot_be_cancelled():
    job = bell(ideal())
    job.result()
    assert not job.cancel() and job.status() is JobStatus.DONE


def test_failed_job_says_what_the_vendor_said():
    device = ideal(failure="the fridge is warm")
    job = bell(device)
    for _ in range(2):
        with pytest.raises(JobFailed, match=rf"Job {job.id} on device `local` failed: the fridge is warm"):
            job.result()
    assert job.status() is JobStatus.FAILED and not job.cancel()


@pytest.mark.parametrize("end", ["failed", "cancelled", "invalid"])
def test_lost_jobs_are_submitted_again(end):
    device = ideal(failure="warm" if end == "failed" else None, delay=0.3 if end == "cancelled" else 0)
    job = bell(device)
    if end == "cancelled":
        job.cancel()
    if end == "invalid":
        job.job.run.remote.replies = lambda: [{"00": 9}]
    with pytest.raises(DeviceError):
        job.result()
    device.failure = None
    assert sum(dict(bell(device).result()).values()) == 10
    assert len(device.sent) == 2


def test_busy_vendor_is_asked_again_and_others_are_not():
    class Offline(Exception):
        pass

    device = ideal()
    device.errors, device.patience = {Offline: DeviceBusy}, hardware.Patience(0.001, 1.0, 0.001)
    job = bell(device)
    remote, calls = job.job.run.remote, []
    status = remote.status

    def busy():
        calls.append(1)
        if len(calls) < 3:
            raise Offline("try later")
        return status()

    remote.status = busy
    assert sum(dict(job.result()).values()) == 10
    job = bell(device, shots=12)

    def broken():
        raise ValueError("no\nsense")

    job.job.run.remote.status = broken
    with pytest.raises(DeviceError, match=r"Device `local`, job .*, asking for its status: ValueError: no sense"):
        job.result()


def test_progress_line(capsys):
    device = slow(0.3)
    device.progress = True
    bell(device)
    bell(device, shots=11).result()
    err = capsys.readouterr().err
    assert "queued, 1 before it" in err and "running" in err and err.endswith("\n") and err.count("\n") == 1
    device.progress = False
    bell(device, shots=12).result()
    assert capsys.readouterr().err == ""


# ---------------------------------------------------------------- replies


def test_wrong_number_of_replies():
    for reply in ([], [{"00": 10}] * 2, None, "0", {"00": 10}, iter([{"00": 10}]), 3):
        with pytest.raises(InvalidReply, match="Nothing of the reply was used"):
            bell(Saying(reply)).result()


def test_nothing_is_left_of_an_invalid_reply_under_jit():
    device = Saying([{"00": 10, "11": 1}])
    with pytest.raises(jax.errors.JaxRuntimeError, match="InvalidReply: .* 11 shots instead of 10"):
        jax.jit(lambda key: execute(BELL, Samples(), on=device, shots=10, key=key))(KEY)


@pytest.mark.parametrize(
    ("key", "named"), [("01", {}), ("10", {"reverse_bits": True}), ("0x1", {"hexadecimal_keys": True})]
)
def test_reply_in_the_vendors_order(key, named):
    assert dict(bell(Saying([{key: 10}], **named)).result()) == {"01": 10}


# ---------------------------------------------------------------- budget, kept results, limits


def test_budget():
    device = ideal()
    hardware.set_budget(max_submissions=2, max_shots=25)
    with pytest.raises(
        BudgetExceeded, match=r"26 more shots would be 26, and the budget is 25\. Nothing was submitted"
    ):
        bell(device, shots=26)
    assert device.sent == []
    bell(device, shots=10)
    bell(device, shots=11)
    with pytest.raises(BudgetExceeded, match="this would be submission 3"):
        bell(device, shots=1)
    bell(device, shots=10)  # kept: nothing is submitted
    assert len(device.sent) == 2 and hardware.budget().shots == 21 and hardware.budget().submissions == 2
    for bad in (-1, 1.5, True, "3"):
        with pytest.raises(BudgetExceeded, match="max_shots"):
            hardware.set_budget(max_shots=bad)


def test_paid_devices_need_a_budget():
    device = ideal()
    device.paid = True
    with pytest.raises(BudgetExceeded, match=r"`local` costs money, and no budget is set\. Try hardware\.set_budget"):
        bell(device)
    with pytest.raises(jax.errors.JaxRuntimeError, match="BudgetExceeded: .*costs money"):
        jax.jit(lambda key: execute(BELL, Samples(), on=device, shots=10, key=key))(KEY)
    assert device.sent == []
    hardware.set_budget(max_submissions=1)
    bell(device).result()
    assert len(device.sent) == 1


def test_results_are_kept_by_program_params_shots_and_key():
    device = ideal()

    def run(results=None, t=POINT, shots=20, key=KEY):
        return execute(TURNS, results or Probabilities(), {"t": t}, on=device, shots=shots, key=key)

    first = run()
    np.testing.assert_array_equal(run(), first)
    counts = run(Counts())  # the same programs, read otherwise
    assert [dict(counts).get(k, 0) / 20 for k in ("00", "01", "10", "11")] == pytest.approx(first.tolist())
    assert run(Samples()).shape == (20, 2)
    assert len(device.sent) == 1
    for number, other in enumerate(
        ({"t": 2 * POINT}, {"shots": 21}, {"key": jax.random.key(1)}, {"results": Probabilities([0])})
    ):
        run(**other)
        assert len(device.sent) == 2 + number


def test_one_job_for_each_step():
    device = ideal()
    energy = lambda t, key: execute(TURNS, Expectation(Z(0) + X(1)), {"t": t}, on=device, shots=100, key=key)  # noqa: E731
    step = jax.value_and_grad(energy)
    step(jnp.asarray(POINT), KEY)
    assert [len(programs) for programs in device.sent] == [1 + 4]  # the value, and two shifts of two angles
    compiled = jax.jit(step)
    for number in range(2):
        compiled(jnp.asarray(POINT), jax.random.key(1 + number))
        assert len(device.sent) == 2 + number
    batch = jax.jit(jax.vmap(energy, in_axes=(0, None)))(jnp.stack([POINT, 0 * POINT, POINT]), jax.random.key(5))
    assert batch.shape == (3,) and len(device.sent) == 4 and len(device.sent[-1]) == 3


@pytest.mark.parametrize("result", [State(), Norm(), Entropy([0])])
def test_what_needs_the_state_is_refused(result):
    device = ideal()
    with pytest.raises(ResultError, match=rf"cannot give {type(result).__name__}: it needs the state itself"):
        execute(BELL, {"a": Samples(shots=10), "b": result}, on=device, key=KEY)
    assert device.sent == []


def test_shots_are_needed():
    device = ideal()
    for result in (Expectation(Z(0)), 2 * Probabilities([0])):
        with pytest.raises(ResultError, match=r"needs a number of shots there\. Try execute\(\.\.\., shots=1000"):
            execute(BELL, result, on=device)
    assert execute(BELL, Samples(shots=3), on=device, key=KEY).shape == (3, 2)
    assert len(device.sent) == 1


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (hardware.Limits(shots=9), "takes 9 shots of a program, but this asks for 10"),
        (hardware.Limits(programs=1), r"takes 1 programs in a job, but this needs 2\. .*SPSA"),
        (hardware.Limits(operations=1), "takes 1 operations in a program, but this has"),
    ],
)
def test_limits(limits, words):
    device = ideal()
    device.limits = limits
    with pytest.raises(RejectedProgram, match=words):
        execute(BELL, (Samples(), Expectation(X(0))), on=device, shots=10, key=KEY)
    assert device.sent == [] and hardware.budget().submissions == 0


def test_spsa_keeps_to_a_limit_that_parameter_shift_exceeds():
    device = ideal()
    device.limits = hardware.Limits(programs=3)
    energy = lambda t, rule: execute(  # noqa: E731
        TURNS, Expectation(Z(0)), {"t": t}, on=device, shots=10, key=KEY, gradient=rule
    )
    with pytest.raises(RejectedProgram, match="takes 3 programs"):
        jax.grad(energy)(jnp.asarray(POINT), None)
    assert jax.grad(energy)(jnp.asarray(POINT), SPSA()).shape == (2,)
    assert len(device.sent) == 1


def test_what_the_target_cannot_run_is_refused():
    device = Counting(Target.line(3, NATIVES))
    device.transpiler = None
    with pytest.raises(TargetError, match="cannot run this circuit as it is"):
        bell(device)
    with pytest.raises(TargetError, match="4 qubits, but backend `local` has 3"):
        execute(Circuit(4).x(0), Samples(), on=device, shots=1, key=KEY)
    with pytest.raises(TargetError, match="cannot be run"):
        execute(BELL, Samples(), on=device, transpiler=lambda c, t: c, shots=1, key=KEY)
    assert device.sent == []


# ---------------------------------------------------------------- values


@pytest.mark.parametrize(
    "observable",
    [
        Z(0) @ Z(1) + 0.5 * X(0) - 0.25 * Y(1) @ X(0),
        Hermitian(np.array([[1, 2 - 1j], [2 + 1j, -0.5]]), [1]),
        Projector("10", [0, 1]),
        DiagonalObservable(np.array([0.5, -1.0, 2.0, 3.0]), [1, 0]),
    ],
    ids=lambda o: type(o).__name__,
)
def test_values_are_within_five_standard_errors(observable):
    device = Counting(Target.line(3, NATIVES))
    wanted = (Expectation(observable, stderr=True), Variance(observable))
    exact = execute(TURNS, (Expectation(observable), Variance(observable)), {"t": POINT}, on="numpy")
    estimate, variance = execute(TURNS, wanted, {"t": POINT}, on=device, shots=20_000, key=KEY)
    assert 0 <= float(estimate.stderr) < 0.1
    assert abs(float(estimate.value - exact[0])) <= 5 * float(estimate.stderr) + 1e-6
    assert float(variance) == pytest.approx(float(exact[1]), abs=0.3)


def test_default_transpiler_runs_exactly_where_it_is_needed():
    calls = []

    def counted(circuit, target):
        calls.append(circuit)
        return find_transpiler("default")(circuit, target)

    for device, needed in ((ideal(5), 0), (Counting(Target.star(5, NATIVES)), 1)):
        calls.clear()
        device.transpiler = counted
        wanted = Expectation(X(0) @ Y(2))
        execute(Circuit(3).h(0).cx(0, 1).cx(1, 2), wanted, on=device, shots=10, key=KEY)
        assert len(calls) == needed
        for programs in device.sent:
            for program in programs:
                device.target.validate(program.circuit)
    native = Circuit(5).sx(0).cz(0, 3)
    execute(native, Samples(), on=device, shots=10, key=KEY)
    assert len(calls) == 1


def test_what_a_second_reader_found():
    run = {"on": "local@line5", "shots": 100, "key": jax.random.key(0)}
    early = Circuit(2, num_clbits=2).x(0).measure(0, 0).x(0)
    with pytest.raises(MethodError, match="comes after its measurement"):
        execute(early, Counts(), **run)
    assert execute(Circuit(1).gphase(0.3).x(0), Counts(), **run).to_dict() == {"1": 100}
    assert execute(Circuit(1).x(0), Counts([]), **run).to_dict() == {"": 100}
    with pytest.raises(RejectedProgram, match="takes 10000000 shots"):
        execute(Circuit(1).h(0), Counts(), **{**run, "shots": 10**9})
    job = submit(Circuit(1).x(0), Counts(), **run)
    with pytest.raises(DeviceError, match="timeout"):
        job.job.result(timeout="a")
    for path in ("", "/nowhere/at/all.json", "/dev/null", 5):
        with pytest.raises(DeviceError):
            hardware.save(job, path)  # type: ignore[arg-type]


def test_a_handle_of_other_programs_is_refused(tmp_path):
    run = {"on": "local@line5", "shots": 100, "key": jax.random.key(0)}
    first, second = (submit(c, Counts(), **run) for c in (Circuit(1).x(0), Circuit(1)))
    assert first.id != second.id
    path = tmp_path / "job.json"
    path.write_text(hardware.save(first, path).to_json().replace(first.id, second.id))
    with pytest.raises(DeviceError, match="ran other programs"):
        hardware.resume(path)
