"""Public OpenQASM 2 programs, from the text to the state; the ones too wide for a state are read only.

The programs are in `circuits` of the folder that QSIM_SHARED names, else of `shared` beside the checkout.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from benchmarks.data import Scale, Task, Workload

MAX_QUBITS = 24
TINY = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\nry(0.3) q[0];\ncx q[0],q[1];\nu3(0.1,0.2,0.3) q[2];\n'
QUICK = ("adder_n10", "dnn_n8", "qv_n16_d8", "wstate_n36")


def folder() -> Path:
    """Where the programs are."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("QSIM_SHARED") or beside) / "circuits"


def workloads(scale: Scale) -> list[Workload]:
    """Every program there, by name; none where there is no such folder."""
    if scale is Scale.TINY:
        return [Workload("tiny", Task.PROGRAM, 3, text=TINY)]
    made = []
    for path in sorted(folder().glob("*.qasm")):
        if scale is Scale.QUICK and path.stem not in QUICK:
            continue
        text = path.read_text("utf-8")
        n = sum(map(int, re.findall(r"^\s*qreg\s+\w+\s*\[\s*(\d+)\s*\]", text, re.MULTILINE)))
        made.append(Workload(path.stem, Task.PROGRAM if n <= MAX_QUBITS else Task.READ, n, text=text))
    return made
