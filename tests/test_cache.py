"""Executables are kept across processes where QSIM_CACHE_DIR says, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import jax
from qsim import Circuit, Parameter, Z, execute
from qsim.results import Expectation
circuit = Circuit(2).ry(Parameter("t"), 0).cx(0, 1)
print(jax.value_and_grad(lambda t: execute(circuit, Expectation(Z(1)), {"t": t}))(0.5)[0])
"""


def run(folder, cache):
    environment = {k: v for k, v in os.environ.items() if k not in ("QSIM_CACHE_DIR", "JAX_COMPILATION_CACHE_DIR")}
    environment |= {"QSIM_CACHE_DIR": str(cache)} if cache else {}
    environment["PYTHONPATH"] = os.pathsep.join(p for p in (os.getcwd(), os.environ.get("PYTHONPATH")) if p)
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_programs_are_kept_in_the_folder_asked_for_and_read_back(tmp_path):
    cache = tmp_path / "cache"
    first = run(tmp_path, cache)
    kept = {p.name: p.stat().st_size for p in cache.glob("*-cache")}
    assert kept
    assert run(tmp_path, cache) == first
    assert {p.name: p.stat().st_size for p in cache.glob("*-cache")} == kept


def test_nothing_is_written_otherwise(tmp_path):
    run(tmp_path, None)
    assert list(tmp_path.iterdir()) == []
