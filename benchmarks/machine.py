"""The machine: pinning, environment variables, memory of this process, and what to write about it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "QULACS_NUM_THREADS",
    "RAYON_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def environment(threads: int, device: str) -> dict[str, str]:
    """The environment of a measured process."""
    out = {k: v for k, v in os.environ.items() if not k.startswith(("QSIM_CACHE", "JAX_COMPILATION_CACHE"))}
    out |= dict.fromkeys(THREAD_VARIABLES, str(threads))
    return out | {
        "JAX_PLATFORMS": "cuda" if device == "gpu" else "cpu",
        "QIBO_LOG_LEVEL": "4",
        "PYTHONWARNINGS": "ignore",
    }


def pin(threads: int) -> None:
    """Keep this process, and what it starts, on `threads` cores: the last ones, which serve fewer interrupts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


def memory(kind: str) -> float:
    """Memory of this process in bytes: "VmRSS" now, "VmHWM" at its peak; NaN where Linux's /proc is not."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return float("nan")
    return next((1024.0 * int(line.split()[1]) for line in lines if line.startswith(f"{kind}:")), float("nan"))


def describe() -> dict[str, str]:
    """Processor, cores, memory, system, Python, and how busy the machine is now."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "instructions": _instructions(),
        "cores": str(os.cpu_count()),
        "memory": _gigabytes(_first("/proc/meminfo", "MemTotal")),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown",
    }


def _first(path: str, name: str) -> str:
    try:
        lines = Path(path).read_text("ascii", "replace").splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")


def _instructions() -> str:
    flags = _first("/proc/cpuinfo", "flags").split()
    return next((name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2")) if flag in flags), "unknown")


def _gigabytes(text: str) -> str:
    return f"{int(text.split()[0]) / 2**20:.0f} GiB" if text else "unknown"
