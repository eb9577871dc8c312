"""The transpiler beside Qiskit: `python -m benchmarks.transpiling [--effort 1 2 3] [--circuits FOLDER] [--json FILE]`.

Every circuit of a folder, on three devices (heavy hexagons of 127 qubits, a 10 x 10 grid, a line of
its own size), with the natives rz, sx, x, cz. Devices, the checker and Qiskit's settings are those
of the measuring script `transpile_measure.py`. Every output is checked, or said to be skipped; of
those too large to check, a twin of the same shape with Clifford angles is transpiled and checked.
With `--symbolic` every angle that is no multiple of pi / 4 becomes a parameter, equal angles the
same one, for both sides; the outputs are bound to the angles again to be checked.
Times are CPU seconds of the transpiler alone, the lesser of two where below 0.3 s, with compiled
loops ready: the time to compile them is reported apart.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import transpile
from qsim import Circuit, Parameter, qasm
from qsim.ir.target import Target
from transpile.routing.compiled import compile_from_now_on, compiled
from transpile.routing.order import pose
from transpile.routing.place_and_route import PlaceAndRoute

DEVICES = ("heavyhex127", "grid100", "linear")
NATIVES = "cz"
SHARED = Path("..") / "shared"
PEER = "qiskit_O3"
CHECK_COST = 4e8


@dataclass(frozen=True)
class Row:
    """One circuit on one device by one method."""

    circuit: str
    device: str
    method: str
    gates: int
    depth: int
    seconds: float
    check: str


@dataclass(frozen=True)
class Method:
    """A transpiler: `run(text, edges, num_qubits)` -> (OpenQASM or None, gates, depth, CPU seconds)."""

    name: str
    run: Callable[[str, Any, int], tuple[str | None, int, int, float]]


def load_script(folder: Path) -> ModuleType:
    """The measuring script as a module."""
    spec = importlib.util.spec_from_file_location("transpile_measure", folder / "transpile_measure.py")
    if spec is None or spec.loader is None or not (folder / "transpile_measure.py").is_file():
        raise SystemExit(f"No transpile_measure.py in {folder}: say where it is with --tools.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["transpile_measure"] = module
    spec.loader.exec_module(module)
    return module


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """The result, and the CPU seconds: the lesser of two where below 0.3."""
    least = math.inf
    result = None
    for _ in range(2):
        start = time.process_time()
        result = function()
        least = min(least, time.process_time() - start)
        if least > 0.3:
            break
    return result, least


def is_open(angle: float) -> bool:
    """True for an angle that `--symbolic` makes a parameter of."""
    return abs(angle / (math.pi / 4) - round(angle / (math.pi / 4))) > 1e-9


def of_effort(script: ModuleType, effort: int, seed: int, symbolic: bool = False) -> Method:
    """`transpile.transpile` at one effort."""

    def run(text: str, edges: Any, num_qubits: int) -> tuple[str | None, int, int, float]:
        circuit, values = qasm.loads(text), {}
        if symbolic:
            circuit, values = opened(circuit)
        target = Target.from_edges(num_qubits, edges, script.NATIVES[NATIVES])
        out, seconds = timed(lambda: transpile.transpile(circuit, target, effort=effort, seed=seed))
        out = out.bind(values)
        operations = [(i.operation.name, tuple(map(float, i.operation.params)), i.qubits) for i in out.instructions]
        written = script.emit(num_qubits, operations, list(out.layout.initial), list(out.layout.final))
        gates, depth, _ = script.metrics(operations)
        return written, gates, depth, seconds

    return Method(f"effort {effort}", run)


def opened(circuit: Circuit) -> tuple[Circuit, dict[str, float]]:
    """The circuit with parameters for its angles, and the angles by name."""
    names: dict[float, str] = {}
    made = Circuit(circuit.num_qubits)
    for i in circuit.instructions:
        params = [
            Parameter(names.setdefault(p, f"angle{len(names)}")) if is_open(p) else p
            for p in map(float, i.operation.params)
        ]
        made.append(i.operation.replace(params) if params else i.operation, i.qubits)
    return made, {name: angle for angle, name in names.items()}


def of_routing(script: ModuleType, trials: int, seed: int) -> Method:
    """Placement and routing alone; gates and depth are what the blocks of its output take."""

    def run(text: str, edges: Any, num_qubits: int) -> tuple[str | None, int, int, float]:
        size, operations, _ = script.parse(text)
        circuit = qasm.loads(script.emit(size, script._dec3_safe(operations)))
        target = Target.from_edges(num_qubits, edges)
        out, seconds = timed(lambda: PlaceAndRoute(trials, seed)(circuit, target))
        return None, *block_costs(out), seconds

    return Method(f"routing {trials}", run)


def of_peer(script: ModuleType, symbolic: bool = False) -> Method:
    """Qiskit at level 3, in the same run."""
    if symbolic:
        return Method(PEER, partial(peer_with_parameters, script))

    def run(text: str, edges: Any, num_qubits: int) -> tuple[str | None, int, int, float]:
        function = script.METHODS[PEER]
        results = [function(text, edges, num_qubits, script.NATIVES[NATIVES]) for _ in range(2)]
        written = results[0][0]
        gates, depth, _ = script.metrics(script.parse(written)[1])
        return written, gates, depth, min(core for _, core in results)

    return Method(PEER, run)


def peer_with_parameters(
    script: ModuleType, text: str, edges: Any, num_qubits: int
) -> tuple[str | None, int, int, float]:
    """What `of_peer` does, with Qiskit's parameters for the angles."""
    from qiskit.circuit import Parameter as QiskitParameter  # noqa: PLC0415 - a peer, which may be missing
    from qiskit.transpiler import generate_preset_pass_manager  # noqa: PLC0415

    circuit = script._qk_load(text)
    values: dict[float, Any] = {}
    for place, i in enumerate(circuit.data):
        angles = list(map(float, i.operation.params))
        if any(map(is_open, angles)):
            params = [values.setdefault(p, QiskitParameter(f"a{len(values)}")) if is_open(p) else p for p in angles]
            operation = i.operation.to_mutable()
            operation.params = params
            circuit.data[place] = i.replace(operation=operation)
    target = script._qk_target(edges, num_qubits, tuple(script.NATIVES[NATIVES]))
    manager = generate_preset_pass_manager(optimization_level=3, target=target, seed_transpiler=0)
    out, seconds = timed(lambda: manager.run(circuit))
    bound = out.assign_parameters({parameter: angle for angle, parameter in values.items()})
    written = script._qk_emit(bound, circuit.num_qubits, num_qubits)
    gates, depth, _ = script.metrics(script.parse(written)[1])
    return written, gates, depth, seconds


def large(script: ModuleType, effort: int) -> str:
    """100 qubits, 20,000 gates of which 10,000 on two qubits, on 127 qubits: seconds, and memory above the imports."""
    size, edges = script.device("heavyhex127", 100)
    target = Target.from_edges(size, edges, script.NATIVES[NATIVES])
    random = np.random.default_rng(0)
    circuit = Circuit(100)
    for _ in range(10_000):
        a, b = random.choice(100, 2, replace=False).tolist()
        circuit.rx(float(random.uniform(0, 6)), a).cx(a, b)
    compile_from_now_on()
    before = peak_memory()
    load_compiler()
    imported, start = peak_memory(), time.process_time()
    transpile.transpile(Circuit(3).cx(0, 1).cx(1, 2).cx(2, 0), target, effort=effort)
    ready, begin = peak_memory(), time.process_time()
    out = transpile.transpile(circuit, target, effort=effort)
    end = time.process_time()
    gates, depth, _ = script.metrics([(i.operation.name, (), i.qubits) for i in out.instructions])
    return (
        f"effort {effort}: {end - begin:.1f} s of CPU, and {begin - start:.1f} s to compile loops; "
        f"{peak_memory() - imported:.0f} MiB above the imports, of which {ready - imported:.0f} MiB by then, and "
        f"{imported - before:.0f} MiB that numba imports when it first compiles; "
        f"{gates} two-qubit gates, depth {depth}"
    )


def load_compiler() -> None:
    """Have numba import its compiler, which it does when it is first used."""
    compiled(lambda x: x + 1)(1, work=1)


def peak_memory() -> float:
    """The most that the process has held, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def block_costs(circuit: Circuit) -> tuple[int, int]:
    """Two-qubit gates and two-qubit depth once every block takes as many cz gates as its class needs."""
    level = [0] * circuit.num_qubits
    gates = 0
    for node in pose(circuit, circuit.instructions, circuit.num_qubits).nodes:
        if node.is_pair:
            a, b = node.qubits
            gates += node.cost
            level[a] = level[b] = max(level[a], level[b]) + node.cost
    return gates, max(level, default=0)


def checked(script: ModuleType, method: Method, text: str, written: str | None, edges: Any, num_qubits: int) -> str:
    """What the checker says; of what it cannot check, what it says of the twin."""
    if written is None:
        return "skipped (no output)"
    natives = script.NATIVES[NATIVES]
    said = script.verify(text, written, edges, num_qubits, natives, CHECK_COST)
    if not said.startswith("skipped"):
        return said
    twin = script.clifford_twin(text)
    again = method.run(twin, edges, num_qubits)[0]
    return f"skipped; twin {script.verify(twin, again, edges, num_qubits, natives, CHECK_COST)}"


def measure(
    script: ModuleType, methods: list[Method], paths: list[Path], devices: list[str], check: bool
) -> Iterator[Row]:
    """All circuits on all devices by all methods."""
    for path in paths:
        text = path.read_text("utf-8")
        size = script.parse(text)[0]
        for device in devices:
            num_qubits, edges = script.device(device, size)
            for method in methods:
                written, gates, depth, seconds = method.run(text, edges, num_qubits)
                said = "not asked for"
                if check:
                    said = checked(script, method, text, written, edges, num_qubits) if method.name != PEER else "peer"
                yield Row(path.stem, device, method.name, gates, depth, seconds, said)


def reference(tools: Path) -> dict[tuple[str, str], Row]:
    """What the measuring script's table has for the peer."""
    path = tools / "transpile_reference.csv"
    if not path.is_file():
        return {}
    rows = [r for r in csv.DictReader(path.read_text("utf-8").splitlines()) if r["method"] == PEER and r["n2q"]]
    return {
        (r["circuit"], r["device"]): Row(
            r["circuit"], r["device"], "table", int(r["n2q"]), int(r["depth2q"]), float(r["core_s"]), r["check"]
        )
        for r in rows
    }


def mean_ratio(pairs: list[tuple[float, float]]) -> float:
    """The geometric mean of quotients; cases where both are 0 are left out."""
    logs = [math.log(max(a, 0.5) / max(b, 0.5)) for a, b in pairs if a or b]
    return math.exp(statistics.fmean(logs)) if logs else float("nan")


def summary(rows: list[Row], known: dict[tuple[str, str], Row]) -> str:
    """The table of means, and the worst cases."""
    peers = {(r.circuit, r.device): r for r in rows if r.method == PEER}
    lines = ["| method | beside | cases | 2q gates | 2q depth | CPU time | worst gates | worst depth | checks |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for method in dict.fromkeys(r.method for r in rows):
        mine = [r for r in rows if r.method == method]
        for name, others in (("this run", peers), ("table", known)):
            pairs = [(r, others[r.circuit, r.device]) for r in mine if (r.circuit, r.device) in others]
            if not pairs:
                continue
            worst = [max(pairs, key=lambda p: p[0].gates / max(p[1].gates, 1))]
            worst.append(max(pairs, key=lambda p: p[0].depth / max(p[1].depth, 1)))
            gates, depth = worst
            states = {k: sum(k in r.check for r in mine) for k in ("ok(", "FAIL", "skipped")}
            lines.append(
                f"| {method} | {PEER}, {name} | {len(pairs)} "
                f"| {mean_ratio([(a.gates, b.gates) for a, b in pairs]):.3f} "
                f"| {mean_ratio([(a.depth, b.depth) for a, b in pairs]):.3f} "
                f"| {mean_ratio([(1e3 * a.seconds, 1e3 * b.seconds) for a, b in pairs]):.2f} "
                f"| {gates[0].gates / max(gates[1].gates, 1):.3f} {gates[0].circuit} {gates[0].device} "
                f"| {depth[0].depth / max(depth[1].depth, 1):.3f} {depth[0].circuit} {depth[0].device} "
                f"| {states['ok(']} ok, {states['FAIL']} failed, {states['skipped']} of {len(mine)} by twin or not |"
            )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write. Returns 1 where an output is wrong."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.transpiling", description=str(__doc__).splitlines()[0])
    made.add_argument("--effort", type=int, nargs="*", choices=(0, 1, 2, 3), default=[2])
    made.add_argument("--routing", type=int, metavar="TRIALS", help="placement and routing alone, costs estimated")
    made.add_argument("--circuits", type=Path, default=SHARED / "circuits", metavar="FOLDER")
    made.add_argument("--tools", type=Path, default=SHARED / "tools", metavar="FOLDER", help="of transpile_measure.py")
    made.add_argument("--only", nargs="*", metavar="NAME", help="circuits of these names")
    made.add_argument("--devices", nargs="*", default=list(DEVICES))
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--large", action="store_true", help="100 qubits and 20,000 gates, and nothing else")
    made.add_argument("--symbolic", action="store_true", help="parameters in the place of angles")
    made.add_argument("--no-check", action="store_true")
    made.add_argument("--no-peer", action="store_true", help="beside the script's table alone")
    made.add_argument("--json", type=Path, metavar="FILE")
    options = made.parse_args(arguments)
    script = load_script(options.tools)
    if options.large:
        for effort in options.effort:
            print(large(script, effort))
        return 0
    paths = [p for p in sorted(options.circuits.glob("*.qasm")) if not options.only or p.stem in options.only]
    if not paths:
        made.error(f"no circuits in {options.circuits}")
    methods = [] if options.no_peer else [of_peer(script, options.symbolic)]
    if options.routing is not None:
        methods.append(of_routing(script, options.routing, options.seed))
    else:
        methods += [of_effort(script, effort, options.seed, options.symbolic) for effort in options.effort]
    size, edges = script.device("linear", 4)
    warm = script.emit(
        4, [("h", (), (0,)), ("cx", (), (0, 1)), ("cx", (), (0, 2)), ("cx", (), (0, 3)), ("cx", (), (1, 3))]
    )
    compile_from_now_on()
    start = time.process_time()
    fits = script.emit(4, [("cx", (), (0, 2)), ("cx", (), (2, 1)), ("cx", (), (1, 3))])
    for method in methods:
        for text in (warm, fits):
            method.run(text, edges, size)
    print(f"imports, and loops compiled: {time.process_time() - start:.1f} s of CPU, not counted below")
    rows = []
    for row in measure(script, methods, paths, options.devices, not options.no_check):
        rows.append(row)
        print(
            f"{row.circuit:22s} {row.device:12s} {row.method:10s} {row.gates:6d} {row.depth:6d} "
            f"{row.seconds:8.4f} s  {row.check}",
            flush=True,
        )
    print("\n" + summary(rows, {} if options.symbolic else reference(options.tools)))
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", "utf-8")
    return int(any("FAIL" in row.check or "bad" in row.check or "non-native" in row.check for row in rows))


if __name__ == "__main__":
    sys.exit(main())
