"""JAX values in a circuit as named parameters, so that nothing traced is kept or looked at."""

from __future__ import annotations

from typing import Any

import numpy as np

from qsim.ir.circuit import Circuit
from qsim.ir.full import in_full
from qsim.ir.instruction import Instruction
from qsim.ir.operation import is_constant
from qsim.ir.parameter import ArrayElement, Parameter, ParameterVector, is_symbolic

PREFIX = "qsim.value"


def name_values(circuit: Circuit) -> tuple[Circuit, dict[str, Any]]:
    """`circuit` with every JAX value among its gate arguments replaced by a named parameter.

    Equal circuits get equal names, whatever the values, so the result can serve as a key and
    be kept. Arrays of operations (a traced matrix, say) stay where they are.

    Returns:
        The circuit, and the values by name, which `made.bind(values)` puts back into whatever was
        made of it. A circuit without such values is returned as it is.
    """
    vectors: dict[int, list[Parameter]] = {}
    scalars: dict[int, Parameter] = {}
    values: dict[str, Any] = {}

    def name(param: Any) -> Any:
        if is_constant(param) or is_symbolic(param):
            return param
        if isinstance(param, ArrayElement):
            array = param.array
            if id(array) not in vectors:
                vector = ParameterVector(f"{PREFIX}{len(values)}", array.shape)
                vectors[id(array)] = np.asarray(vector).reshape(-1).tolist()
                values[vector.name] = array
            return vectors[id(array)][param.index]
        if id(param) not in scalars:
            scalars[id(param)] = Parameter(f"{PREFIX}{len(values)}")
            values[scalars[id(param)].name] = param
        return scalars[id(param)]

    circuit = in_full(circuit) if circuit.values() else circuit
    named: list[Instruction] = []
    for i in circuit.instructions:
        operation = i.operation
        params = [name(p) for p in operation.params]
        if any(new is not old for new, old in zip(params, operation.params, strict=True)):
            operation = operation.replace(params, getattr(operation, "arrays", ()))
            i = Instruction(operation, i.qubits, i.clbits)
        named.append(i)
    return (circuit.with_instructions(named) if values else circuit), values
