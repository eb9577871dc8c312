"""Circuits as the text that a device reads, from one table of spellings.

A dialect is OpenQASM 2 or 3, with or without an include, on a register or on physical qubits.
A gate that a dialect has no word for is refused by name; nothing is expanded before the limits
are checked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hardware.errors import RejectedProgram
from qsim.ir.circuit import Circuit
from qsim.ir.operation import Barrier
from qsim.ir.ops.delay import Delay
from qsim.ir.table import Gate

__all__ = ["BRAKET", "MAX_BYTES", "QASM2", "QASM3", "QDMI_QASM2", "QDMI_QASM3", "Dialect", "write"]

MAX_BYTES = 64 << 20
LINE = 48
"""Bytes of an operation, at a guess that is seldom too small."""

_SAME = "x y z h s sdg t tdg sx rx ry rz p cx cy cz ch cp crx cry crz swap ccx cswap"

# Ours -> (OpenQASM 2 with qelib1.inc or a definition of the gate table, OpenQASM 3 with stdgates.inc, Braket); "" for
# none.
SPELLINGS: dict[str, tuple[str, str, str]] = {name: (name, name, "") for name in _SAME.split()} | {
    "id": ("id", "id", "i"),
    "sxdg": ("sxdg", "", "vi"),
    "u": ("u3", "U", "U"),
    "csx": ("csx", "", "cv"),
    "cu": ("cu", "cu", ""),
    "rxx": ("rxx", "", "xx"),
    "ryy": ("ryy", "", "yy"),
    "rzz": ("rzz", "", "zz"),
    "iswap": ("iswap", "", "iswap"),
    "ecr": ("ecr", "", "ecr"),
    "prx": ("r", "", "prx"),
}
_BRAKET = {
    **{name: name for name in "x y z h s t rx ry rz cy cz swap cswap".split()},
    "sdg": "si",
    "tdg": "ti",
    "sx": "v",
    "p": "phaseshift",
    "cp": "cphaseshift",
    "cx": "cnot",
    "ccx": "ccnot",
}
# programs hold the names that a QDMI device reports for its operations
_QDMI = {
    **{name: name for name in _SAME.split()},
    **{name: name for name in "sxdg u csx cs csdg ccz rxx ryy rzz rzx iswap dcx ecr xx_plus_yy".split()},
    "prx": "r",
}


@dataclass(frozen=True)
class Dialect:
    """How a device wants to be told.

    Args:
        name: what messages call it.
        version: of OpenQASM, 2 or 3.
        spellings: our name of a gate -> its own.
        include: the file to include, or None.
        physical: True writes qubits as $3, False as q[3] of one register.
    """

    name: str
    version: int
    spellings: Mapping[str, str] = field(hash=False)
    include: str | None = None
    physical: bool = False


QASM2 = Dialect("OpenQASM 2", 2, {k: v[0] for k, v in SPELLINGS.items() if v[0]}, "qelib1.inc")
QASM3 = Dialect("OpenQASM 3", 3, {k: v[1] for k, v in SPELLINGS.items() if v[1]}, "stdgates.inc")
QDMI_QASM2 = Dialect("QDMI's OpenQASM 2", 2, _QDMI, "qelib1.inc")
QDMI_QASM3 = Dialect("QDMI's OpenQASM 3", 3, _QDMI, "stdgates.inc")
BRAKET = Dialect("Braket's OpenQASM 3", 3, _BRAKET | {k: v[2] for k, v in SPELLINGS.items() if v[2]})


def write(circuit: Circuit, measured: Sequence[int], dialect: Dialect, device: str = "") -> str:
    """A program as text: the gates, then qubit `measured[i]` read into bit i.

    Args:
        circuit: of numbers, without measurements. measured: qubits to read.
        dialect: how. device: its name, for messages.

    Raises:
        RejectedProgram: a gate that the dialect has no word for, or more text than `MAX_BYTES`.

    Example:
        >>> from hardware.wire import QASM3, write
        >>> from qsim import Circuit
        >>> print(write(Circuit(2).rx(0.5, 1).cx(1, 0), [1, 0], QASM3))
        OPENQASM 3.0;
        include "stdgates.inc";
        qubit[2] q;
        bit[2] c;
        rx(0.5) q[1];
        cx q[1], q[0];
        c[0] = measure q[1];
        c[1] = measure q[0];
    """
    who = f"Device `{device}`" if device else "This device"
    if (len(circuit) + len(measured)) * LINE > MAX_BYTES:
        raise RejectedProgram(
            f"{who}: the program would be about {(len(circuit) + len(measured)) * LINE >> 20} MiB of text, more than "
            f"the {MAX_BYTES >> 20} MiB that are sent. Use a shorter circuit."
        )
    place = "${}".format if dialect.physical else "q[{}]".format
    lines = ["OPENQASM 3.0;" if dialect.version == 3 else "OPENQASM 2.0;"]
    if dialect.include is not None:
        lines.append(f'include "{dialect.include}";')
    if dialect.version == 2:
        lines += _definitions(circuit)
    if dialect.version == 3:
        if not dialect.physical:
            lines.append(f"qubit[{circuit.num_qubits}] q;")
        if measured:
            lines.append(f"bit[{len(measured)}] c;")
    else:
        lines.append(f"qreg q[{circuit.num_qubits}];")
        if measured:
            lines.append(f"creg c[{len(measured)}];")
    for number, instruction in enumerate(circuit.instructions):
        operation = instruction.operation
        places = ", ".join([place(q) for q in instruction.qubits])
        if isinstance(operation, Barrier):
            lines.append(f"barrier {places};")
            continue
        if isinstance(operation, Delay) and dialect.version == 3:
            lines.append(f"delay[{float(f'{operation.seconds * 1e9:.12g}')!r}ns] {places};")
            continue
        word = dialect.spellings.get(operation.name)
        if word is None:
            raise RejectedProgram(
                f"{who}: instruction {number}, {operation.name} on qubits {instruction.qubits}, has no word in "
                f"{dialect.name}, which has {', '.join(sorted(dialect.spellings))}. Use a transpiler that keeps to the "
                "device's gates."
            )
        angles = ", ".join([repr(float(p)) for p in operation.params])
        lines.append(f"{word}({angles}) {places};" if angles else f"{word} {places};")
    for bit, q in enumerate(measured):
        lines.append(f"c[{bit}] = measure {place(q)};" if dialect.version == 3 else f"measure {place(q)} -> c[{bit}];")
    return "\n".join(lines) + "\n"


def _definitions(circuit: Circuit) -> list[str]:
    """What defines the gates that qelib1.inc lacks, each once."""
    rows = {i.operation.name: i.operation.row for i in circuit.instructions if isinstance(i.operation, Gate)}
    return [row.qasm_body for row in rows.values() if row.qasm_body is not None]
