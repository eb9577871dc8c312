"""A transpiler of another package, run in a subprocess with a time limit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qsim import qasm
from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.gates import gate
from qsim.ir.layout import Layout, active_qubits
from qsim.ir.operation import Barrier
from qsim.ir.symbols import name_values
from qsim.ir.target import Target
from qsim.ir.target_natives import SPELLINGS
from transpile.passes.unroll import unroll

__all__ = ["Outside"]

_ANY = Target(None, None, ["u", "cx"])
_INSTALL = {"qiskit": "pip install qiskit", "pytket": "pip install pytket"}


@dataclass(frozen=True)
class Outside:
    """Another package's transpiler: a callable `(Circuit, Target) -> Circuit` like ours.

    The circuit goes there as OpenQASM 2, in a process of its own, and natives and edges with it.
    Facts on durations and errors do not.

    Args:
        package: "qiskit" or "pytket".
        level: its optimisation level.
        seed: of its random choices.
        timeout: seconds after which it is stopped.

    Raises:
        TargetError: when called: open parameters, measurements, natives it does not know, a package
            that is not there, or more time than the limit.
    """

    package: str
    level: int = 3
    seed: int = 0
    timeout: float = 300.0

    def __post_init__(self) -> None:
        if self.package not in _INSTALL:
            raise TargetError(f"Argument `package` must be 'qiskit' or 'pytket', but is {self.package!r}.")

    def __call__(self, circuit: Circuit, target: Target) -> Circuit:
        """What the other transpiler makes of the circuit."""
        self._check(circuit, target)
        natives = sorted(target.natives or ())
        size = circuit.num_qubits if target.num_qubits is None else target.num_qubits
        kept = active_qubits(circuit)
        if len(kept) > size:
            raise TargetError(f"The circuit acts on {len(kept)} qubits, but the target has {size}.")
        number = {q: i for i, q in enumerate(kept)}
        flat = Circuit(len(kept))
        for i in unroll(circuit, _ANY).instructions:
            if not isinstance(i.operation, Barrier):
                flat.append(i.operation, tuple(number[q] for q in i.qubits))
        question = {
            "qasm": qasm.dumps(flat),
            "num_qubits": size,
            "edges": None if target.edges is None else [list(e) for e in target.edges],
            "natives": natives,
            "level": self.level,
            "seed": self.seed,
        }
        return self._read(self._ask(question), circuit, kept, size)

    def _check(self, circuit: Circuit, target: Target) -> None:
        if circuit.parameters or name_values(circuit)[1]:
            names = ", ".join(p.name for p in circuit.parameters[:3]) or "JAX values"
            raise TargetError(
                f"Transpiler {self.package} takes circuits of numbers only, but this one has open parameters ({names})."
                ' Bind them first, or use transpiler="default", which keeps them symbolic.'
            )
        if any(i.clbits for i in circuit.instructions):
            raise TargetError(f"Transpiler {self.package} takes circuits without measurements only.")
        if target.natives is None or target.local or len(target.usable_qubits) != (target.num_qubits or 0):
            raise TargetError(
                f"Transpiler {self.package} needs a target with a number of qubits, all usable, and one list of "
                'natives for all of them. Try transpiler="default".'
            )

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        worker = Path(__file__).with_name(f"{self.package}_worker.py")
        try:
            done = subprocess.run(
                [sys.executable, str(worker)],
                input=json.dumps(question),
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TargetError(
                f"Transpiler {self.package} took more than {self.timeout:g} s and was stopped. Try a longer timeout, "
                "or a smaller circuit."
            ) from None
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            fix = f" Try {_INSTALL[self.package]}." if "ModuleNotFoundError" in last[0] else ""
            raise TargetError(f"Transpiler {self.package} failed: {last[0]}.{fix}")
        return json.loads(done.stdout)

    def _read(self, answer: dict[str, Any], circuit: Circuit, kept: tuple[int, ...], size: int) -> Circuit:
        made = Circuit(size, num_clbits={r.name: r.size for r in circuit.cregs})
        for name, params, qubits in answer["operations"]:
            made.append(gate(str(SPELLINGS.get(name, name)), *params), tuple(qubits))
        start, end = (dict(zip(kept, answer[key], strict=True)) for key in ("initial", "final"))
        layout = circuit.layout
        return made.with_layout(
            Layout(tuple([start[q] for q in layout.initial]), tuple([end[q] for q in layout.final]))
        )
