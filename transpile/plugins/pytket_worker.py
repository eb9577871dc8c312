"""Run by `Outside`: a question as JSON on standard input, pytket's answer as JSON on standard output."""

from __future__ import annotations

# pyright: reportMissingImports=false
import json
import sys
from math import pi

import pytket.passes as passes
from pytket.architecture import Architecture
from pytket.circuit import OpType
from pytket.predicates import CompilationUnit
from pytket.qasm.qasm import circuit_from_qasm_str

KINDS = {
    "cz": OpType.CZ,
    "cx": OpType.CX,
    "ecr": OpType.ECR,
    "rz": OpType.Rz,
    "rx": OpType.Rx,
    "ry": OpType.Ry,
    "sx": OpType.SX,
    "x": OpType.X,
    "h": OpType.H,
    "prx": OpType.PhasedX,
    "rzz": OpType.ZZPhase,
}
ONE_QUBIT = {OpType.Rz, OpType.Rx, OpType.Ry, OpType.SX, OpType.X, OpType.H, OpType.PhasedX}


def main() -> None:
    """Answer one question."""
    question = json.load(sys.stdin)
    unknown = [name for name in question["natives"] if name not in KINDS]
    if unknown:
        raise SystemExit(f"natives {unknown} are not known to it here")
    natives = {KINDS[name] for name in question["natives"]}
    names = {kind: name for name, kind in KINDS.items()}
    circuit = circuit_from_qasm_str(question["qasm"])
    qubits, edges = list(circuit.qubits), question["edges"]
    unit = CompilationUnit(circuit)
    steps = [passes.DecomposeBoxes(), passes.FullPeepholeOptimise()]
    if edges is not None:
        steps.append(passes.DefaultMappingPass(Architecture([tuple(e) for e in edges]), delay_measures=False))
    steps += [
        passes.RebaseTket(),
        passes.KAKDecomposition(allow_swaps=edges is None),
        passes.CliffordSimp(edges is None),
        passes.SynthesiseTket(),
        passes.AutoRebase(natives),
        passes.AutoSquash(natives & ONE_QUBIT),
        passes.RemoveRedundancies(),
    ]
    passes.SequencePass(steps).apply(unit)
    made = unit.circuit
    operations = []
    for command in made.get_commands():
        if command.op.type not in (OpType.Phase, OpType.Barrier):
            angles = [float(p) * pi for p in command.op.params]
            operations.append((names[command.op.type], angles, [q.index[0] for q in command.qubits]))
    moved = made.implicit_qubit_permutation()
    initial = [unit.initial_map[q].index[0] for q in qubits]
    final = [moved.get(unit.final_map[q], unit.final_map[q]).index[0] for q in qubits]  # type: ignore[call-overload]
    json.dump({"operations": operations, "initial": initial, "final": final}, sys.stdout)


if __name__ == "__main__":
    main()
