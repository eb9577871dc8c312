"""From a circuit to OpenQASM 2: exactly the gates it holds, what has no name expanded."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from qsim._errors import ParameterError, QasmError
from qsim.ir.circuit import Circuit
from qsim.ir.interface import checked_definition
from qsim.ir.operation import (
    Barrier,
    Conditional,
    Controlled,
    Gate,
    GateRow,
    Measure,
    Reset,
    is_constant,
    is_replaceable,
    is_symbolic,
    rows,
    value_of,
)
from qsim.ir.ops import Unitary
from qsim.ir.ops.delay import Delay
from qsim.ir.parameter import parameters_of
from qsim.qasm.controls import expand_controlled, named
from qsim.qasm.names import QELIB1, qasm_name
from qsim.qasm.parser import KEYWORDS

MAX_OPERATIONS = 5_000_000

_NAME = re.compile(r"[a-z][A-Za-z0-9_]*\Z")
PLAIN = (Barrier, Measure, Reset)


def dumps(circuit: Circuit) -> str:
    """Write a circuit as OpenQASM 2.

    One register `q[num_qubits]`, angles as plain numbers in radians, and exactly the
    gates the circuit holds: a gate that qelib1 lacks gets a definition at the top (`prx`
    is written as `r`), high-level operations and controlled gates without a name are
    expanded. The global phase is a comment. Reading the text back gives the same circuit
    up to those expansions and that phase.

    Args:
        circuit: a circuit whose parameters all have values.

    Returns:
        The text, one statement a line.

    Raises:
        ParameterError: a parameter has no value, or is traced by JAX; it is named.
        QasmError: an operation cannot be expanded; it is named.
        CircuitError: the definition of an operation is refused, as that of a unitary on more than 8 qubits.

    Reference: A. W. Cross et al., "Open Quantum Assembly Language", arXiv:1707.03429.

    Example:
        >>> from qsim import Circuit, qasm
        >>> print(qasm.dumps(Circuit(2).h(0).rzz(0.5, 0, 1)))
        OPENQASM 2.0;
        include "qelib1.inc";
        qreg q[2];
        h q[0];
        rzz(0.5) q[0],q[1];
    """
    if not isinstance(circuit, Circuit):
        raise QasmError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    return _Writer(circuit).text()


def dump(circuit: Circuit, path: str | os.PathLike[str]) -> None:
    """Write a circuit to an OpenQASM 2 file, as `dumps` writes a text.

    Args:
        circuit: as for `dumps`.
        path: the file; replaced where it is there. Nothing is written when `dumps` fails.

    Raises:
        ParameterError, QasmError: as `dumps`.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile, pathlib
        >>> from qsim import Circuit, qasm
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "bell.qasm")
        ...     qasm.dump(Circuit(2).h(0).cx(0, 1), path)
        ...     path.read_text().splitlines()[-1]
        'cx q[0],q[1];'
    """
    text = dumps(circuit)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")


class _Writer:
    """The state of writing one circuit."""

    def __init__(self, circuit: Circuit):
        self.circuit = circuit
        self.rows: dict[str, GateRow] = {}
        self.phase = 0.0
        self.steps = 0
        self.cregs: dict[str, str] = {}
        self.bits: list[str] = []

    def text(self) -> str:
        """The whole program."""
        circuit = self.circuit
        taken = {"q", *QELIB1, *KEYWORDS, *(qasm_name(row) for row in rows())}
        for register in circuit.cregs:
            name = register.name if _NAME.match(register.name) else "c_" + re.sub(r"[^A-Za-z0-9_]", "_", register.name)
            while name in taken:
                name += "_"
            taken.add(name)
            self.cregs[register.name] = name
            self.bits += [f"{name}[{k}]" for k in range(register.size)]
        body: list[str] = []
        for i in circuit.instructions:
            self.check_values(i.operation, i.qubits)
            if isinstance(i.operation, Conditional):
                condition = f"if({self.cregs[i.operation.register]}=={i.operation.value}) "
                before = self.phase
                body += [condition + line for line in self.lines(i.operation.base, i.qubits, i.clbits)]
                self.phase = before
            else:
                body += self.lines(i.operation, i.qubits, i.clbits)
        top = ["OPENQASM 2.0;", 'include "qelib1.inc";']
        if self.phase:
            top.append(f"// global phase: {_number(math.remainder(self.phase, 2 * math.pi))}")
        top += [row.qasm_body for row in self.rows.values() if row.qasm_body is not None]
        if circuit.num_qubits:
            top.append(f"qreg q[{circuit.num_qubits}];")
        top += [f"creg {self.cregs[register.name]}[{register.size}];" for register in circuit.cregs]
        return "\n".join(top + body)

    def check_values(self, operation: Any, qubits: tuple[int, ...]) -> None:
        """Every parameter must have a value."""
        for param in operation.params:
            if is_symbolic(param):
                names = ", ".join(dict.fromkeys(f"`{p}`" for p in parameters_of(param)))
                raise ParameterError(
                    f"{operation.name} on qubits {qubits}: parameter {names} has no value, and OpenQASM 2 holds "
                    "numbers only. Try qasm.dumps(circuit.bind({...}))."
                )

    def lines(self, operation: Any, qubits: tuple[int, ...], clbits: tuple[int, ...]) -> Iterator[str]:
        """The statements of one operation."""
        pending = [iter(((operation, qubits),))]
        while pending:
            step = next(pending[-1], None)
            if step is None:
                pending.pop()
                continue
            operation, qubits = step
            self.steps += 1
            if self.steps > MAX_OPERATIONS:
                raise QasmError(f"the text would have more than {MAX_OPERATIONS} operations")
            name = self.name(operation)
            if name is None:
                pending.append(self.expand(operation, qubits))
            elif name == "gphase":
                self.phase += _float(operation.params[0], name)
            elif name == "measure":
                yield f"measure q[{qubits[0]}] -> {self.bits[clbits[0]]};"
            elif qubits:
                numbers = ",".join([_number(_float(p, name)) for p in operation.params])
                params = f"({numbers})" if numbers else ""
                yield f"{name}{params} {','.join([f'q[{q}]' for q in qubits])};"

    def name(self, operation: Any) -> str | None:
        """The name an operation is written under; None where it must be expanded."""
        if isinstance(operation, Gate):
            row = operation.row
            name = qasm_name(row)
            if row.num_qubits == 0 or name in QELIB1:
                return name
            if row.qasm_body is None:
                return None
            self.rows.setdefault(name, row)
            return name
        if isinstance(operation, PLAIN):
            return operation.name
        return named(operation)

    def expand(self, operation: Any, qubits: tuple[int, ...]) -> Iterator[tuple[Any, tuple[int, ...]]]:
        """One step from an operation without a name towards some that have one."""
        if isinstance(operation, Controlled) and isinstance(operation.base, Gate):
            params = [_float(p, operation.base.name) for p in operation.params]
            return expand_controlled(operation.replace(params), qubits)
        if isinstance(operation, Gate) or not hasattr(operation, "definition"):
            operation = _whole(operation)
        steps = checked_definition(operation).instructions
        return iter([(i.operation, tuple([qubits[q] for q in i.qubits])) for i in steps])


def _whole(operation: Any) -> Unitary:
    """An operation as its matrix."""
    if isinstance(operation, Delay):
        raise QasmError("OpenQASM 2 has no delays; write the circuit before they are put in, or keep it as JSON")
    if not hasattr(operation, "matrix"):
        raise QasmError(
            f"operation `{operation.name}` has no name in OpenQASM 2 and offers neither definition() nor matrix(xp), "
            "so it cannot be written"
        )
    params = [_float(p, operation.name) for p in operation.params]
    bound = operation.replace(params, operation.arrays) if params and is_replaceable(operation) else operation
    return Unitary(np.asarray(bound.matrix(np)))


def _float(param: Any, name: str) -> float:
    """A gate argument as a number."""
    if is_constant(param):
        return float(param)
    try:
        return float(value_of(param))
    except TypeError:
        raise ParameterError(
            f"{name}: a parameter is traced by JAX, and OpenQASM 2 holds numbers only. Write the circuit outside jit."
        ) from None


def _number(value: float) -> str:
    """A float as OpenQASM 2 spells it: the shortest digits that read back as the same number."""
    text = repr(value)
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text
