"""Checkpoints of a training: the same way to the last bit, and one clear error for any other file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from qsim import Circuit, Parameter, X, Z, execute
from qsim.errors import SerialError, TrainingError
from qsim.results import Expectation
from qsim.training import Checkpoint, minibatches, minimize
from qsim.training.identity import digest, digest_of_function

ROOT = Path(__file__).resolve().parents[1]
KEY = jax.random.key(3)
START = {"a": jnp.array([0.3, -0.2, 0.9]), "b": [jnp.zeros((2, 2))]}
DATA = np.linspace(-1.0, 1.0, 7)


class Stop(Exception):
    """Of a callback."""


def loss(p, batch, key):
    return sum(jnp.sum((leaf - jnp.mean(batch) - jax.random.normal(key)) ** 2) for leaf in jax.tree.leaves(p))


def metrics(p, batch):
    return {"batch": batch}


NOISY = optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(7)), optax.adam(0.05))
"""Its state has a key."""


def train(path, steps, **rest):
    given = {"data": minibatches(DATA, 3, key=KEY), "key": KEY, "metrics": metrics, "optimizer": NOISY}
    chosen = {"loss": loss, "params": START, **given, "checkpoint": path, "progress": False, **rest}
    return minimize(steps=steps, **chosen)


def bits(result) -> list[bytes]:
    """All that a training comes to, to the last bit."""

    def of(leaf):
        is_key = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
        return np.asarray(jax.random.key_data(leaf) if is_key else leaf).tobytes()

    return [of(leaf) for leaf in jax.tree.leaves((result.params, result.opt_state, result.history, result.loss))]


@pytest.fixture(scope="module")
def whole():
    return train(None, 40)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A checkpoint after 25 steps."""
    path = tmp_path_factory.mktemp("training") / "run.npz"
    train(path, 25)
    return path


def copy(written, tmp_path):
    path = tmp_path / "copy.npz"
    path.write_bytes(written.read_bytes())
    return path


# -------------------------------------------------------------------- the same way


def test_a_resumed_training_goes_the_same_way(whole, written, tmp_path):
    path = copy(written, tmp_path)
    elsewhere = jax.tree.map(lambda leaf: leaf + 1.0, START)  # where it begins is in the file
    result = train(path, 40, params=elsewhere)
    assert bits(result) == bits(whole) and result.step == 40
    again = train(path, 40)
    assert bits(again) == bits(whole)
    assert [p.name for p in tmp_path.iterdir()] == ["copy.npz"]


def test_a_training_that_failed_goes_on_where_it_was(whole, tmp_path):
    def fail(step, params, loss):
        if step == 24:
            raise Stop

    def interrupt(step, params, loss):
        if step == 32:
            raise KeyboardInterrupt

    path = tmp_path / "run.npz"
    with pytest.raises(Stop):
        train(path, 40, callback=fail, every=4)
    assert np.load(path)["history.loss"].shape == (24,)
    assert train(path, 40, callback=interrupt, every=4).step == 32
    assert bits(train(path, 40)) == bits(whole)


def test_checkpoints_are_written_as_often_as_said(tmp_path):
    path, seen = tmp_path / "run.npz", []

    def look(step, params, loss):
        kept = np.load(path)["history.loss"].shape[0] if path.exists() else 0
        seen.append((step, kept))

    kept = Checkpoint(path, every=6)
    minimize(lambda t: t**2, 1.0, steps=20, checkpoint=kept, progress=False, callback=look, every=4)
    assert seen == [(4, 0), (8, 6), (12, 12), (16, 12), (20, 18)]


def test_numpy_reads_it_without_us(written):
    with np.load(written, allow_pickle=False) as file:
        assert file["params.a"].shape == (3,) and file["params.b.0"].shape == (2, 2)
        assert file["history.batch"].shape == (25, 3)
        text = json.loads(file["training.json"])
    assert text["step"] == 25 and text["training"]["written_by"]["jax"] == jax.__version__


@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_other_floats_and_old_keys(dtype, tmp_path):
    def run(path, steps):
        return minimize(
            lambda p: sum(jnp.sum((leaf - 1) ** 2) for leaf in p.values()),
            {"odd name/..": jnp.zeros(3, dtype), "odd name_..": jnp.ones((), dtype)},
            optax.sgd(0.1),
            steps=steps,
            key=jax.random.PRNGKey(1),
            checkpoint=path,
            progress=False,
        )

    run(tmp_path / "run.npz", 5)
    assert bits(run(tmp_path / "run.npz", 9)) == bits(run(None, 9))


def test_a_file_that_cannot_be_written_on_the_way_is_a_warning(tmp_path, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qsim.training.checkpoint.os.fsync", full)
    with pytest.warns(RuntimeWarning, match=r"run\.npz: the checkpoint cannot be written \(No space left"):
        path = tmp_path / "run.npz"
        result = minimize(lambda t: t**2, 1.0, optax.sgd(0.1), steps=3, checkpoint=path, progress=False)
    assert result.step == 3 and not list(tmp_path.iterdir())


# -------------------------------------------------------------------- another training


def other_loss(p, batch, key):
    return loss(p, batch, key) + 1e-3


OTHER = {
    "another loss": ({"loss": other_loss}, r"of another loss: of another circuit, observable or formula"),
    "a constant of the loss": ({"loss": lambda p, b, key: loss(p, b + 1, key)}, r"of another loss"),
    "another optimizer": ({"optimizer": optax.adam(0.05)}, r"with another optimizer state: `0\.mu\.a` is missing"),
    "another rate": (
        {"optimizer": optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(7)), optax.adam(0.06))},
        r"of another optimizer or of other settings",
    ),
    "another key": ({"key": jax.random.key(4)}, r"with another key"),
    "other data": ({"data": minibatches(DATA + 1e-6, 3, key=KEY)}, r"with other data"),
    "another order": ({"data": minibatches(DATA, 3, key=jax.random.key(4))}, r"with other data"),
    "another remainder": ({"data": minibatches(DATA, 3, key=KEY, drop_remainder=False)}, r"with other data"),
    "other shapes": (
        {"params": {"a": jnp.zeros(4), "b": [jnp.zeros((2, 2))]}},
        r"other parameters: `a` is float32\(3,\) there and float32\(4,\) here",
    ),
    "another structure": ({"params": {"a": jnp.zeros(3)}}, r"`b\.0` is float32\(2, 2\) there and missing here"),
    "another dtype": (
        {"params": {"a": jnp.zeros(3, jnp.float16), "b": [jnp.zeros((2, 2))]}},
        r"`a` is float32\(3,\) there and float16\(3,\) here",
    ),
    "other metrics": ({"metrics": None}, r"other losses and metrics: `batch` is .* there and missing here"),
    "fewer steps": ({"steps": 24}, r"is 25 steps into its training, but `steps` is 24"),
    "a tag": ({"tag": "h2"}, r"tagged otherwise"),
}


@pytest.mark.parametrize("name", OTHER)
def test_the_checkpoint_of_another_training_is_one_clear_error(name, written, tmp_path):
    path = copy(written, tmp_path)
    changed, message = OTHER[name]
    rest = {"steps": 40, **changed}
    chosen = Checkpoint(path, tag=rest.pop("tag", None))
    with pytest.raises(SerialError, match=message) as e:
        train(chosen, **rest)
    assert str(e.value).startswith(str(path)) and "\n" not in str(e.value)
    assert path.read_bytes() == written.read_bytes()


def test_a_tag_stands_for_the_loss(tmp_path):
    def run(steps, loss, tag):
        kept = Checkpoint(tmp_path / "run.npz", tag=tag)
        return minimize(loss, jnp.ones(2), optax.sgd(0.1), steps=steps, checkpoint=kept, progress=False)

    run(5, lambda t: jnp.sum(t**2), "mine")
    assert run(9, lambda t: jnp.sum(t * t), "mine").step == 9
    with pytest.raises(SerialError, match="tagged otherwise"):
        run(9, lambda t: jnp.sum(t**2), "yours")


def test_other_versions_are_named(written, tmp_path):
    path = edited(written, tmp_path, lambda text: text["training"]["written_by"].update(jax="0.9.9"))
    assert train(path, 26).step == 26  # the same computation all the same
    with pytest.raises(SerialError, match=r"of another loss.*written with jax 0\.9\.9 \(here .*may be why"):
        train(edited(written, tmp_path, lambda t: t["training"]["written_by"].update(jax="0.9.9")), 26, loss=other_loss)


# -------------------------------------------------------------------- no checkpoint


def members(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path, parts) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def edited(written, tmp_path, change) -> Path:
    parts = members(written)
    text = json.loads(parts["training.json"])
    change(text)
    return pack(tmp_path / "edited.npz", {**parts, "training.json": json.dumps(text)})


def flipped(data: bytes) -> bytes:
    """One bit of an array turned over."""
    at = data.index(b"history.loss.npy") + 300
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


BROKEN = {
    "empty": lambda w, p: p.write_bytes(b""),
    "text": lambda w, p: p.write_text("hello"),
    "truncated": lambda w, p: p.write_bytes(w.read_bytes()[:-100]),
    "half": lambda w, p: p.write_bytes(w.read_bytes()[: w.stat().st_size // 2]),
    "a flipped bit": lambda w, p: p.write_bytes(flipped(w.read_bytes())),
    "another npz": lambda w, p: np.savez(p, a=np.ones(3)),
    "no array": lambda w, p: pack(p, {n: d for n, d in members(w).items() if "params.a" not in n}),
    "no json": lambda w, p: pack(p, {**members(w), "training.json": b"{"}),
    "other json": lambda w, p: pack(p, {**members(w), "training.json": b"[1, 2]"}),
    "an array of another shape": lambda w, p: pack(
        p, {**members(w), "params.a.npy": members(w)["opt_state.1.0.mu.b.0.npy"]}
    ),
    "an array that is none": lambda w, p: pack(p, {**members(w), "params.a.npy": b"abc"}),
    "no step": lambda w, p: edited(w, p.parent, lambda t: t.update(step="x")).rename(p),
    "another step": lambda w, p: edited(w, p.parent, lambda t: t.update(step=7)).rename(p),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_damaged_file_is_one_clear_error(name, written, tmp_path):
    path = tmp_path / "broken.npz"
    BROKEN[name](written, path)
    before = path.read_bytes()
    with pytest.raises(SerialError, match="is no checkpoint of qsim.training, or is damaged: "):
        train(path, 40)
    assert path.read_bytes() == before


def test_files_that_cannot_be(written, tmp_path):
    with pytest.raises(SerialError, match="version 2, but this qsim reads version 1"):
        train(edited(written, tmp_path, lambda text: text.update(version=2)), 40)
    with pytest.raises(SerialError, match="there is no folder"):
        train(tmp_path / "missing" / "run.npz", 40)
    with pytest.raises(SerialError, match="cannot be read"):
        train(tmp_path, 40)
    for bad in ({"path": 3}, {"path": ""}, {"path": "a", "every": 0}, {"path": "a", "tag": 1}):
        with pytest.raises(TrainingError):
            Checkpoint(**bad)


# -------------------------------------------------------------------- what a loss is


T = Parameter("t")


def on(circuit, observable, where=None):
    def loss(t, key):
        key, shots = (key, 100) if where and "@" in where else (None, None)
        return execute(circuit, Expectation(observable), {"t": t}, on=where, shots=shots, key=key)

    return loss


def test_digests_tell_circuits_apart_and_nothing_else():
    def circuits():
        yield Circuit(2).ry(T, 0).cx(0, 1), Z(1)
        yield Circuit(2).rx(T, 0).cx(0, 1), Z(1)
        yield Circuit(2).ry(T, 0).cx(0, 1), X(1)
        yield Circuit(2).ry(T, 0).cx(0, 1), Z(0)
        yield Circuit(2).ry(T, 0).cx(0, 1).rz(0.25, 1), Z(1)
        yield Circuit(2).ry(T, 0).cx(0, 1).rz(0.26, 1), Z(1)
        yield Circuit(2).ry(2 * T, 0).cx(0, 1), Z(1)
        yield Circuit(2).ry(T, 0).cx(0, 1), 2.0 * Z(1)

    for where in (None, "numpy", "local@line5"):
        found, again = [[digest_of_function(on(*c, where), 0.3, KEY) for c in circuits()] for _ in range(2)]
        assert found == again and len(set(found)) == len(found), where


def test_digests_see_constants_and_names_do_not_matter():
    big = np.arange(5000.0)
    changed = big.copy()
    changed[4321] += 1.0

    def of(array, scale=1.0):
        captured = jnp.asarray(array)
        return digest_of_function(jax.jit(lambda t: jnp.sum(captured * t) * scale), 1.0)

    assert of(big) == of(big) != of(changed)
    assert of(big) != of(big, 2.0)
    assert digest([1, 2]) != digest((1, 2)) != digest([2, 1])
    assert digest({"a": {1, 2, 3}}) == digest({"a": {3, 2, 1}})


SCRIPT = """
import signal, sys, time, jax, jax.numpy as jnp, numpy as np
from qsim import execute
from qsim.library import hardware_efficient, transverse_field_ising
from qsim.results import Expectation
from qsim.training import Checkpoint, minimize
n, steps, path, slow = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4] == "slow"
circuit, observable = hardware_efficient(n, 2), Expectation(transverse_field_ising(n))
start = jax.random.normal(jax.random.key(0), (2, 2, n))
def wait(step, params, loss):
    print(step, flush=True)
    time.sleep(2.0 if slow and step >= 100 else 0.0)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
result = minimize(lambda t: execute(circuit, observable, {"theta": t}), start, steps=steps, progress=False,
    checkpoint=None if path == "none" else Checkpoint(path, every=10), callback=wait, every=5)
print(result.ended, result.step, *(np.asarray(a).tobytes().hex() for a in (result.params, result.history["loss"])))
"""


def start_process(*arguments, seed="0"):
    """A training in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def last_line(process) -> str:
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    return out.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_process_is_resumed_by_another(kind, tmp_path):
    path = tmp_path / "run.npz"
    whole = last_line(start_process(8, 200, "none", "fast", seed="1"))
    killed = start_process(8, 200, path, "slow", seed="2")
    assert killed.stdout is not None
    for line in killed.stdout:
        if line.strip() == "100":
            killed.send_signal(kind)
            break
    rest = killed.communicate(timeout=60)[0]
    if kind == signal.SIGINT:
        assert rest.splitlines()[-1].startswith("interrupt 100 ")
    else:
        assert killed.returncode == -signal.SIGKILL
    assert np.load(path)["history.loss"].shape == (100,)
    assert last_line(start_process(8, 200, path, "fast", seed="3")) == whole


@pytest.mark.slow
def test_other_processes_find_other_circuits(tmp_path):
    path = tmp_path / "run.npz"
    assert last_line(start_process(3, 20, path, "fast", seed="1")).startswith("steps 20 ")
    before, when = path.read_bytes(), time.time()
    assert last_line(start_process(3, 20, path, "fast", seed="2")).startswith("steps 20 ")
    assert path.read_bytes() == before and path.stat().st_mtime <= when
