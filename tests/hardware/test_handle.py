"""What is written down of jobs and devices: handles, facts, and never a secret."""

from __future__ import annotations

import copy
import importlib.util
import json
import pickle
import traceback
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from devices import (
    BELL,
    KEY,
    POINT,
    TURNS,
    Counting,
    bell,
    ideal,
    own_budget,  # noqa: F401 - used by pytest
    slow,
)

import hardware
from hardware.errors import (
    CredentialsError,
    DeviceError,
    InvalidReply,
    JobFailed,
    JobTimeout,
    Secret,
)
from qsim import Target, Z, submit
from qsim.errors import ResultError, SerialError
from qsim.ir.target import Native, QubitFacts
from qsim.results import (
    Counts,
    Expectation,
    Map,
    Norm,
    Probabilities,
)


def test_save_and_resume(tmp_path):
    device, path = slow(), tmp_path / "job.json"
    wanted = {"e": Expectation(Z(0) @ Z(1)), "twice": 2 * Probabilities([1]), "n": Counts()}
    batch = np.stack([POINT, 2 * POINT, 0 * POINT])
    job = submit(TURNS, wanted, {"t": batch}, on=device, shots=50, key=KEY)
    handle = hardware.save(job, path)
    assert handle.id == job.id and handle.batch == (3,)
    assert hardware.JobHandle.from_json(handle.to_json()) == handle
    found = hardware.resume(path, device)
    assert found.id == job.id
    with pytest.raises(JobTimeout):
        found.result(timeout=0.01)
    hardware.save(found, tmp_path / "again.json")
    again = hardware.resume(tmp_path / "again.json", device)
    for other in (found, again):
        for a, b in zip(jax.tree.leaves(job.result()), jax.tree.leaves(other.result()), strict=True):
            np.testing.assert_array_equal(a, b)
    assert len(device.sent) == 1


def test_what_cannot_be_saved_or_resumed_says_why(tmp_path):
    with pytest.raises(DeviceError, match="is not on a device"):
        hardware.save(submit(BELL, Norm()), tmp_path / "a")
    with pytest.raises(DeviceError, match="Map holds a function"):
        hardware.save(submit(BELL, Map(jnp.sum, Probabilities()), on=ideal(), shots=5, key=KEY), tmp_path / "a")
    hardware.save(bell(ideal()), tmp_path / "b")
    with pytest.raises(DeviceError, match="has no job"):
        hardware.resume(tmp_path / "b", ideal())


CANARY = "canary-7f3a"


def test_secrets_are_never_seen(tmp_path):
    secret = Secret(CANARY)
    assert CANARY not in f"{secret!r} {secret} {[secret]}" and secret.reveal() == CANARY
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="cannot be copied"):
            copied(secret)

    class Refused(Exception):
        pass

    class Talkative(Counting):
        errors, secrets = {Refused: CredentialsError}, (secret,)

        def send(self, programs):
            if len(self.sent) == 0:
                self.sent.append([])
                raise Refused(f"token {CANARY} is not valid")
            return super().send(programs)

    device = Talkative(Target.ideal(2), failure=f"bad token {CANARY}")
    with pytest.raises(CredentialsError, match=r"`local`, submitting: Refused: token \*\*\* is not valid") as caught:
        bell(device)
    texts = ["".join(traceback.format_exception(caught.value)), repr(device)]
    job = bell(device)
    with pytest.raises(JobFailed, match=r"bad token \*\*\*") as caught:
        job.result()
    texts += ["".join(traceback.format_exception(caught.value)), hardware.save(job, tmp_path / "job").to_json()]
    texts.append((tmp_path / "job").read_text())
    device.failure = None
    job = bell(device)
    job.job.run.remote.replies = lambda: [{CANARY: 10}]
    with pytest.raises(InvalidReply) as caught:
        job.result()
    texts.append("".join(traceback.format_exception(caught.value)))
    # a credential across the place where a long message is cut, or over two lines
    texts.append(device.without_secrets("x" * 1_990 + CANARY))
    device.secrets = (Secret(f"{CANARY}\n  {CANARY}"),)
    texts.append(device.without_secrets(f"a {CANARY}\n  {CANARY}"))
    assert not any("canary" in text.replace("test_secrets", "") for text in texts), texts


def test_malformed_handles_are_refused(tmp_path):
    device, path = ideal(), tmp_path / "job.json"
    good = hardware.save(bell(device), path).to_json()

    def broken(**changes):
        data = json.loads(good)
        for name, value in changes.items():
            *way, last = name.split("__")
            node = data
            for key in way:
                node = node[int(key) if key.isdigit() else key]
            node[int(last) if last.isdigit() else last] = value
        return json.dumps(data)

    cases = [
        "",
        "[]",
        "{}",
        good[:-1],
        broken(kind="circuit"),
        broken(version=99),
        broken(id=3),
        broken(device=None),
        broken(programs={}),
        broken(programs=[[]]),
        broken(programs=[]),
        broken(programs__0__2=0),
        broken(programs__0__2=11),
        broken(programs__0__1=[0]),
        broken(programs__0__1=[0, -1]),
        broken(programs__0__3=-1),
        broken(requests=[]),
        broken(requests__0__results=3),
        broken(requests__0__results={}),
        broken(requests__0__num_qubits=1 << 29),
        broken(requests__0__num_qubits=-1),
        broken(requests__0__num_qubits=1),
        broken(requests__0__measured=[[1]]),
        broken(requests__0__measured=[[1, 2, 3]]),
        broken(requests__0__measured=3),
        broken(requests__0__shots="ten"),
        broken(layout=[[0, 1]]),
        broken(results=[]),
        broken(results=json.loads(hardware.JobHandle.from_json(good).requests[0][0]) | {"results": 3}),
        broken(results=json.loads(good)["results"] | {"results": {"is": "Samples", "qubits": None, "shots": None}}),
        broken(batch=[2]),
        broken(batch=[1 << 31]),
        broken(batch=3),
        broken(facts_date=3),
    ]
    for text in cases:
        path.write_text(text)
        with pytest.raises((SerialError, ResultError)) as caught:
            hardware.resume(path, device)
        assert "\n" not in str(caught.value), text
    path.write_text(good)
    assert sum(dict(hardware.resume(path, device).result()).values()) == 10


def test_facts_round_trip():
    target = Target(
        2,
        [(0, 1)],
        {"x": Native(duration=3e-8, error=1e-3), "cz": Native(duration=1e-7)},
        qubits=[QubitFacts(t1=5e-5, frequency=5.1e9), QubitFacts(t2=1e-5)],
        date="2026-01-01",
    )
    facts = hardware.DeviceFacts("some", target, "its data sheet")
    again = hardware.DeviceFacts.from_json(facts.to_json())
    assert again == facts and again.date == "2026-01-01"
    assert again.qubit(1).t2 == 1e-5 and again.qubit(1).t1 is None and again.gate("x", 0).error == 1e-3
    for bad in ("", "{}", facts.to_json()[:-1], facts.to_json().replace("device_facts", "circuit")):
        with pytest.raises(SerialError):
            hardware.DeviceFacts.from_json(bad)


def test_the_public_names_are_there():
    assert all(hasattr(hardware, name) for name in hardware.__all__)
    assert importlib.util.find_spec("hardware.handle") and replace(hardware.Limits(), shots=3).shots == 3
