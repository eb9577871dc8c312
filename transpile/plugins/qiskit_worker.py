"""Run by `Outside`: a question as JSON on standard input, Qiskit's answer as JSON on standard output."""

from __future__ import annotations

import json
import sys

from qiskit import qasm2
from qiskit.transpiler import CouplingMap, generate_preset_pass_manager

OWN_NAMES = {"prx": "r", "u": "u", "p": "p"}


def main() -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    circuit = qasm2.loads(question["qasm"], custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    edges = question["edges"]
    manager = generate_preset_pass_manager(
        optimization_level=question["level"],
        basis_gates=[str(OWN_NAMES.get(name, name)) for name in question["natives"]],
        coupling_map=None if edges is None else CouplingMap(edges),
        seed_transpiler=question["seed"],
    )
    made = manager.run(circuit)
    qubits = {q: i for i, q in enumerate(made.qubits)}
    operations = [
        (i.operation.name, [float(p) for p in i.operation.params], [qubits[q] for q in i.qubits]) for i in made.data
    ]
    places = list(range(circuit.num_qubits))
    layout = made.layout
    initial = places if layout is None else layout.initial_index_layout(filter_ancillas=True)
    final = places if layout is None else layout.final_index_layout(filter_ancillas=True)
    json.dump({"operations": operations, "initial": list(initial), "final": list(final)}, sys.stdout)


if __name__ == "__main__":
    main()
