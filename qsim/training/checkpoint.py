"""A training kept in a file: arrays in NumPy's format and a JSON text, in one archive.

NumPy reads the arrays without us: `numpy.load(path)["params.theta"]`. The text, `training.json`, says what
training they are of. Nothing in the file is code, and reading it runs none.
"""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from qsim._checks import check_int
from qsim._errors import SerialError, TrainingError
from qsim._typing import PyTree
from qsim.training.description import Description, Table
from qsim.training.loop import Place

FORMAT, VERSION, TEXT = "qsim.training", 1, "training.json"
PLAIN = re.compile(r"[^A-Za-z0-9_.\[\]-]")

Rows = dict[str, np.ndarray]
"""Losses and metrics by name, steps first."""

WHAT = {
    "tag": "of a training that was tagged otherwise",
    "loss": "of another loss: of another circuit, observable or formula",
    "optimizer": "of another optimizer or of other settings of it",
    "key": "of a training with another key",
    "data": "of a training with other data",
}


@dataclass(frozen=True)
class Checkpoint:
    """Where and how often `minimize` keeps what it has reached. One file, replaced as a whole.

    A training goes on only from a checkpoint of its own: parameters, optimizer, key, data and loss are
    compared, the loss by what it computes. Other versions of JAX may trace the same loss to something
    else; a tag is then taken in place of the loss.

    Args:
        path: the file; its folder must be there.
        every: steps between two checkpoints; None writes one about every 10 seconds. One is written at the
            end in any case, also at an end by Ctrl-C or by an error.
        tag: a word for what the loss is, compared instead of the loss itself.

    Raises:
        TrainingError: an argument that cannot be.

    Example:
        >>> import pathlib, tempfile
        >>> import jax.numpy as jnp
        >>> from qsim.training import Checkpoint, minimize
        >>> loss = lambda t: jnp.sum(1 - jnp.cos(t))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     kept = Checkpoint(pathlib.Path(folder, "run.npz"), every=50)
        ...     first = minimize(loss, jnp.ones(2), steps=60, checkpoint=kept, progress=False)
        ...     both = minimize(loss, jnp.ones(2), steps=80, checkpoint=kept, progress=False)
        >>> once = minimize(loss, jnp.ones(2), steps=80, progress=False)
        >>> both.step, bool((both.params == once.params).all())
        (80, True)
    """

    path: str | Path
    every: int | None = None
    tag: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, (str, os.PathLike)) or not os.fspath(self.path):
            raise TrainingError(f"Argument `checkpoint` must be a file name or a Checkpoint, but is {self.path!r}.")
        if self.every is not None:
            check_int("every", self.every, TrainingError, minimum=1)
        if self.tag is not None and not isinstance(self.tag, str):
            raise TrainingError(f"Argument `tag` must be a string, but is {self.tag!r}.")

    def read(self, training: Description, place: Place, steps: int) -> tuple[Place, Rows]:
        """Where to begin: what the file has, or `place` and no rows where there is no file.

        Raises:
            SerialError: a file that is damaged, of another training, or beyond `steps`; or no folder to write to.
        """
        path = Path(self.path)
        if not path.exists():
            folder = path.parent
            if not folder.is_dir() or not os.access(folder, os.W_OK):
                raise SerialError(f"{path}: cannot be written: there is no folder {folder} that can be.")
            return place, {name: np.zeros((0, *shape), dtype) for name, shape, dtype in training.rows}
        members = _members(path)
        text = _text(path, members)
        _compare(path, text["training"], training)
        step = text.get("step")
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            raise _damaged(path, "it does not say at which step it is")
        if step > steps:
            raise SerialError(
                f"{path}: is {step} steps into its training, but `steps` is {steps}, which counts them all. Try "
                f"steps={step} or more, or another file."
            )
        params = _load(path, members, "params", training.params, place.params)
        opt_state = _load(path, members, "opt_state", training.opt_state, place.opt_state)
        wanted = [[name, [step, *shape], dtype] for name, shape, dtype in training.rows]
        rows = [_array(path, members, *row) for row in zip(_file_names("history", wanted), wanted, strict=True)]
        return Place(jnp.asarray(step, jnp.int32), params, opt_state), {
            name: row for (name, _, _), row in zip(wanted, rows, strict=True)
        }

    def write(self, training: Description, place: Place, rows: Rows) -> None:
        """Replace the file.

        Raises:
            OSError: it cannot be written; the one before is still there.
        """
        path = Path(self.path)
        scratch = path.with_name(f".{path.name[:100]}.{os.getpid()}.part")
        text = {"format": FORMAT, "version": VERSION, "step": int(place.step), "training": asdict(training)}
        try:
            with open(scratch, "wb") as file:
                with zipfile.ZipFile(file, "w") as archive:
                    archive.writestr(TEXT, json.dumps(text, indent=1))
                    for name, array in _named(training, place, rows):
                        content = io.BytesIO()
                        np.lib.format.write_array(content, array, allow_pickle=False)
                        archive.writestr(f"{name}.npy", content.getvalue())
                file.flush()
                os.fsync(file.fileno())
            os.replace(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)


def _named(training: Description, place: Place, rows: Rows) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of the file and their names in it."""
    for part, table, tree in (
        ("params", training.params, place.params),
        ("opt_state", training.opt_state, place.opt_state),
    ):
        yield from zip(_file_names(part, table), map(_host, jax.tree.leaves(tree)), strict=True)
    names = _file_names("history", training.rows)
    yield from zip(names, (_host(rows[name]) for name, _, _ in training.rows), strict=True)


def _file_names(part: str, table: Table) -> list[str]:
    """A name for each array, all different."""
    names: list[str] = []
    for name, _, _ in table:
        plain = f"{part}.{PLAIN.sub('_', name)}"
        names.append(plain if plain not in names else f"{plain}.{len(names)}")
    return names


def _host(leaf: Any) -> np.ndarray:
    """A leaf as an array that NumPy's format has: keys by their numbers, unusual floats by their bytes."""
    if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
        leaf = jax.random.key_data(leaf)
    array = np.asarray(leaf)
    return array if array.dtype.isbuiltin == 1 else np.asarray(array, order="C")[..., None].view(np.uint8)


def _members(path: Path) -> dict[str, bytes]:
    """All members of the archive; their checksums are compared."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile as error:
        raise _damaged(path, str(error)) from None
    except OSError as error:
        raise SerialError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except (NotImplementedError, EOFError, RuntimeError, ValueError, zlib.error) as error:
        raise _damaged(path, str(error)) from None


def _text(path: Path, members: dict[str, bytes]) -> dict[str, Any]:
    if TEXT not in members:
        raise _damaged(path, f"there is no {TEXT} in it")
    try:
        text = json.loads(members[TEXT])
    except (ValueError, RecursionError):
        raise _damaged(path, f"{TEXT} is no JSON") from None
    if not isinstance(text, dict) or text.get("format") != FORMAT or not isinstance(text.get("training"), dict):
        raise _damaged(path, f"{TEXT} does not describe a training")
    if text.get("version") != VERSION:
        raise SerialError(
            f"{path}: is a checkpoint of version {text.get('version')!r}, but this qsim reads version {VERSION}."
        )
    return text


def _compare(path: Path, kept: dict[str, Any], training: Description) -> None:
    """Refuse the checkpoint of another training, by its first difference."""
    now = asdict(training)
    why = _differing_versions(kept.get("written_by"), now["written_by"])
    for part, what in (
        ("params", "other parameters"),
        ("opt_state", "another optimizer state"),
        ("rows", "other losses and metrics"),
    ):
        difference = _difference(kept.get(part), now[part])
        if difference:
            raise SerialError(f"{path}: is a checkpoint of another training, with {what}: {difference}.{why}")
    for part, what in WHAT.items():
        if kept.get(part) != now[part]:
            raise SerialError(
                f"{path}: is a checkpoint {what}.{why} Try another file, or begin again from its parameters, "
                "numpy.load(file)."
            )


def _difference(kept: Any, now: Table) -> str:
    """The first array that is not as it was, in words; empty where there is none."""
    if kept == now:
        return ""
    try:
        before = {name: (tuple(shape), dtype) for name, shape, dtype in kept}
    except (TypeError, ValueError):
        return "they are not named"
    after = {name: (tuple(shape), dtype) for name, shape, dtype in now}
    for name in [*after, *before]:
        if before.get(name) != after.get(name):
            old, new = (f"{x[1]}{x[0]}" if x else "missing" for x in (before.get(name), after.get(name)))
            return f"`{name}` is {old} there and {new} here"
    return "they are in another order"


def _differing_versions(kept: Any, now: dict[str, Any]) -> str:
    if not isinstance(kept, dict) or kept == now:
        return ""
    parts = [f"{name} {kept.get(name)} (here {now[name]})" for name in now if kept.get(name) != now[name]]
    return f" It was written with {', '.join(parts)}, which may be why."


def _load(path: Path, members: dict[str, bytes], part: str, table: Table, like: PyTree) -> PyTree:
    """The arrays of a pytree, as those of `like` are."""
    leaves, tree = jax.tree.flatten(like)
    found = []
    for name, row, leaf in zip(_file_names(part, table), table, leaves, strict=True):
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            numbers = jax.random.key_data(leaf)
            row = [row[0], list(numbers.shape), str(numbers.dtype)]
            words = jnp.asarray(_array(path, members, name, row))
            found.append(jax.random.wrap_key_data(words, impl=jax.random.key_impl(leaf)))
        else:
            found.append(jnp.asarray(_array(path, members, name, row)))
    return jax.tree.unflatten(tree, found)


def _array(path: Path, members: dict[str, bytes], name: str, row: Sequence[Any]) -> np.ndarray:
    """One array, of the shape and dtype that it must have."""
    _, shape, dtype = row
    try:
        array = np.lib.format.read_array(io.BytesIO(members[f"{name}.npy"]), allow_pickle=False)
        wanted = jnp.dtype(dtype)
        if wanted.isbuiltin != 1:
            array = array.view(wanted)[..., 0]
    except (KeyError, ValueError, TypeError, EOFError) as error:
        raise _damaged(path, f"array {name}: {error}") from None
    if array.shape != tuple(shape) or array.dtype != wanted:
        raise _damaged(path, f"array {name} is {array.dtype}{array.shape}, not {dtype}{tuple(shape)}")
    return array


def _damaged(path: Path, why: str) -> SerialError:
    return SerialError(f"{path}: is no checkpoint of qsim.training, or is damaged: {why}. Try another file.")
