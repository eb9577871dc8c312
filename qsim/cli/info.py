"""`qsim info`: what is installed and what it would run on."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import PackageNotFoundError, entry_points, version

import jax

from qsim._checks import format_bytes, physical_memory
from qsim._defaults import default_backend, default_transpiler

TESTED_JAX = ("0.10.2", "0.11.2")
"""The versions of JAX that the tests were run with."""


def info(arguments: argparse.Namespace) -> int:
    """Print versions, devices and settings, one a line."""
    tested = "tested" if jax.__version__ in TESTED_JAX else f"untested; tests ran with {', '.join(TESTED_JAX)}"
    memory = physical_memory()
    lines = {
        "qsim": _version("qsim-jax"),
        "python": platform.python_version(),
        "jax": f"{jax.__version__} ({tested})",
        "jaxlib": _version("jaxlib"),
        "numpy": _version("numpy"),
        "optax": _version("optax"),
        "devices": ", ".join(str(device) for device in jax.devices()),
        "cpu cores": str(os.cpu_count()),
        "memory": "unknown" if memory is None else format_bytes(memory),
        "double precision": "on" if jax.config.read("jax_enable_x64") else "off (JAX_ENABLE_X64=1 turns it on)",
        "default backend": str(default_backend() or "local simulator"),
        "default transpiler": str(default_transpiler() or "the backend's"),
        "other backends": ", ".join(sorted(e.name for e in entry_points(group="qsim.backends"))) or "none installed",
        "transpilers": ", ".join(sorted(e.name for e in entry_points(group="qsim.transpilers"))) or "none installed",
        "compilation cache": os.environ.get("QSIM_CACHE_DIR") or "off (QSIM_CACHE_DIR names a folder for it)",
    }
    width = max(map(len, lines))
    for name, value in lines.items():
        print(f"{name:{width}}  {value}")
    return 0


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
