"""Reading a Qiskit target by its public attributes; Qiskit itself is not imported."""

from __future__ import annotations

from typing import Any

from qsim._errors import TargetError
from qsim.ir.target_facts import Native, QubitFacts
from qsim.ir.target_natives import ARITY, SPELLINGS


def qiskit_facts(source: Any) -> dict[str, Any]:
    """The arguments of `Target` for a Qiskit `Target` or a backend with one.

    Args:
        source: a `qiskit.transpiler.Target`, or a `BackendV2`.

    Raises:
        TargetError: an object that is neither.
    """
    source = getattr(source, "target", source)
    if not all(hasattr(source, name) for name in ("operation_names", "num_qubits", "qargs")):
        raise TargetError(
            f"from_qiskit: argument `source` must be a Qiskit Target or a BackendV2, but is {type(source).__name__}."
        )
    num_qubits = source.num_qubits
    everywhere: dict[str, Native] = {}
    local: dict[tuple[int, ...], dict[str, Native]] = {}
    readout: dict[int, Any] = {}
    for name in source.operation_names:
        places = source[name]
        ours = SPELLINGS.get(name, name)
        if name == "measure":
            readout = {place[0]: facts for place, facts in places.items() if place is not None}
        elif ours in ARITY:
            for place, facts in places.items():
                if place is None:
                    everywhere[ours] = Native()
                else:
                    local.setdefault(tuple(place), {})[ours] = _native(facts)
    for place, table in local.items():
        table.update({n: native for n, native in everywhere.items() if n not in table and ARITY[n] == len(place)})
    if not local:
        return {"num_qubits": num_qubits, "natives": everywhere}
    properties = getattr(source, "qubit_properties", None) or [None] * num_qubits
    return {
        "num_qubits": num_qubits,
        "edges": None if any(ARITY[name] == 2 for name in everywhere) else [p for p in local if len(p) == 2],
        "natives": everywhere,
        "local": local,
        "qubits": [
            QubitFacts(
                t1=getattr(properties[q], "t1", None),
                t2=getattr(properties[q], "t2", None),
                frequency=getattr(properties[q], "frequency", None),
                readout_error=getattr(readout.get(q), "error", None),
                readout_duration=getattr(readout.get(q), "duration", None),
            )
            for q in range(num_qubits)
        ],
    }


def _native(facts: Any) -> Native:
    return Native(getattr(facts, "duration", None), getattr(facts, "error", None))
