"""Backends and transpilers by name: those built in, and those that other packages register.

Entry points of the group `qsim.backends` name a callable `f(device: str | None) -> Backend`;
`on="vendor@device"` calls the one named "vendor" with "device". Entry points of the group
`qsim.transpilers` name a callable `(Circuit, Target) -> Circuit`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from qsim._checks import known_names
from qsim._errors import BackendError, TargetError
from qsim.backends.base import Backend, Transpiler
from qsim.backends.local import LocalBackend
from qsim.backends.reference import Reference

BACKENDS = "qsim.backends"
TRANSPILERS = "qsim.transpilers"

_LOCAL = LocalBackend()


def find_backend(on: Any) -> Backend:
    """The backend that `on` means.

    Args:
        on: None (the local simulator on JAX's default device), "cpu", "gpu", "tpu" (also
            "gpu@1": device number 1), "numpy" (the reference), "vendor@device" for a
            registered one, or a backend.

    Raises:
        BackendError: an unknown name, a device that is not there, or something else.

    Example:
        >>> from qsim.backends import find_backend
        >>> find_backend("cpu")
        LocalBackend(platform='cpu', index=0)
    """
    if on is None:
        return _LOCAL
    if isinstance(on, Backend):
        return on
    if not isinstance(on, str):
        raise BackendError(f'Argument `on` must be a name or a backend, but is {on!r}. Try on="cpu" or leave it out.')
    return _backend_of(on)


def find_transpiler(transpiler: Transpiler | str) -> Transpiler:
    """The transpiler that is meant: a callable as it is, a name looked up among the registered ones.

    Raises:
        TargetError: an unknown name, or something that cannot be called.
    """
    if callable(transpiler):
        return transpiler
    if not isinstance(transpiler, str):
        raise TargetError(f"Argument `transpiler` must be a callable or a name, but is {transpiler!r}.")
    found = _registered(TRANSPILERS)
    if transpiler not in found:
        raise TargetError(f"Unknown transpiler {transpiler!r}. {known_names(transpiler, found)}")
    return _load(found[transpiler], TargetError)


@lru_cache(maxsize=64)
def _backend_of(name: str) -> Backend:
    vendor, at, device = name.partition("@")
    if vendor in _BUILT_IN:
        return _BUILT_IN[vendor](device if at else None)
    found = _registered(BACKENDS)
    if vendor not in found:
        raise BackendError(f"Unknown backend {name!r}. {known_names(vendor, [*_BUILT_IN, *found])}")
    backend = _load(found[vendor], BackendError)(device if at else None)
    if not isinstance(backend, Backend):
        raise BackendError(
            f"Entry point {vendor!r} of group {BACKENDS} must give a Backend, but gave {type(backend).__name__}."
        )
    return backend


def _local(platform: str) -> Callable[[str | None], Backend]:
    def make(device: str | None) -> Backend:
        if device is not None and not device.isdecimal():
            raise BackendError(f"Backend `{platform}@{device}`: the device must be a number, as in {platform}@0.")
        return LocalBackend(platform, int(device or 0))

    return make


def _reference(device: str | None) -> Backend:
    if device is not None:
        raise BackendError(f"Backend `numpy` has no devices; leave out `@{device}`.")
    return Reference()


_BUILT_IN: dict[str, Callable[[str | None], Backend]] = {
    "cpu": _local("cpu"),
    "gpu": _local("gpu"),
    "tpu": _local("tpu"),
    "numpy": _reference,
}


def _registered(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def _load(point: EntryPoint, error: type[BackendError] | type[TargetError]) -> Any:
    try:
        return point.load()
    except (ImportError, AttributeError) as failure:
        raise error(f"Entry point {point.name!r} of group {point.group} ({point.value}) cannot be loaded.") from failure
