"""From the circuit that was written to one that a backend can run: padding, transpiling, validation."""

from __future__ import annotations

from collections.abc import Sequence

from qsim._errors import CircuitError, TargetError
from qsim._recent import Recent
from qsim._typing import Array
from qsim.backends.base import Backend, Transpiler
from qsim.backends.registry import find_transpiler
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding, check_places, pad
from qsim.ir.symbols import name_values
from qsim.ir.target import Target

MAX_TRANSPILED = 256

_cache = Recent(MAX_TRANSPILED)


def prepare(
    circuit: Circuit,
    backend: Backend,
    transpiler: Transpiler | str | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
) -> tuple[Circuit, dict[str, Array]]:
    """A circuit that is in the backend's target, and the values of parameters that it got on the way.

    The transpiler given is always used, the backend's own only where the circuit is not in
    the target; on a target of any number of qubits that runs everything neither is, since
    there it would change nothing. Where a transpiler runs, JAX values in gates become named
    parameters first: a transpiler never sees them, and what it made is kept by (structure,
    constants, target, transpiler).

    Args:
        circuit: as written.
        backend: where it is to run.
        transpiler: what `execute` was given.
        padding: when to widen the circuit to the device; None is AFTER where `qubits` are given,
            so that no others are used, else the target's default.
        qubits: the device qubits to use; None leaves them to the transpiler, else the first n.

    Raises:
        TargetError: the target cannot run what comes out; or bad arguments.
    """
    target = backend.target
    if padding is not None and not isinstance(padding, Padding):
        raise TargetError(f"Argument `padding` must be Padding.BEFORE, AFTER or NONE, but is {padding!r}.")
    if transpiler is not None and not callable(transpiler) and not isinstance(transpiler, str):
        raise TargetError(f"Argument `transpiler` must be a callable or a name, but is {transpiler!r}.")
    if qubits is not None:
        qubits = check_places(qubits, circuit.num_qubits, target.num_qubits)
    if target.num_qubits is not None and circuit.num_qubits > target.num_qubits:
        raise TargetError(
            f"The circuit has {circuit.num_qubits} qubits, but backend `{backend.name}` has {target.num_qubits}."
        )
    placed = circuit if qubits is None or target.num_qubits is None else pad(circuit, target.num_qubits, qubits)
    violation = target.first_violation(placed)
    runs_everything = target.num_qubits is None and target.natives is None
    if violation is None and (transpiler is None or runs_everything):
        return placed, {}
    chosen = transpiler if transpiler is not None else backend.transpiler
    if chosen is None:
        raise TargetError(
            f"Backend `{backend.name}` cannot run this circuit as it is, and has no transpiler. {violation}"
        )
    named, values = name_values(circuit)
    if padding is None:
        padding = Padding.AFTER if qubits is not None else target.padding or Padding.NONE
    return _transpiled(named, target, find_transpiler(chosen), padding, qubits), values


def starting_in(circuit: Circuit, state: Array | str) -> Circuit:
    """`circuit` after gates that bring |0...0> to `state`: how a device, which can only start there, gets to it.

    Args:
        circuit: any circuit; with a layout, the gates act where its logical qubits start.
        state: a bit string (x gates), or amplitudes (2^n,) of norm 1 (one `prepare_state`).

    Raises:
        CircuitError: a batch of states, or amplitudes whose norm is not 1.
    """
    places = circuit.layout.initial
    start = Circuit(circuit.num_qubits)
    if isinstance(state, str):
        start.x([q for q, bit in zip(places, state, strict=True) if bit == "1"])
    elif state.ndim > 1:
        raise CircuitError(
            f"Argument `initial_state` of a run on a device must be one state, but has shape {tuple(state.shape)}. "
            "Try one execute per state."
        )
    else:
        start.prepare_state(state, places)
    return circuit.with_instructions([*start.instructions, *circuit.instructions])


def _transpiled(
    circuit: Circuit, target: Target, transpiler: Transpiler, padding: Padding, qubits: tuple[int, ...] | None
) -> Circuit:
    if circuit.values():
        return _run(circuit, target, transpiler, padding, qubits)
    key = (circuit.key, circuit.numbers().tobytes(), target, transpiler, padding, qubits)
    return _cache.get(key, lambda: _run(circuit, target, transpiler, padding, qubits))


def _run(
    circuit: Circuit, target: Target, transpiler: Transpiler, padding: Padding, qubits: tuple[int, ...] | None
) -> Circuit:
    """Pad around the transpiler, and check what comes out."""
    size = target.num_qubits
    if size is None:
        made = _checked(transpiler, circuit, target)
    elif padding is Padding.BEFORE:
        made = _checked(transpiler, pad(circuit, size, qubits), target)
    elif padding is Padding.AFTER:
        places = tuple(range(circuit.num_qubits)) if qubits is None else qubits
        made = pad(_checked(transpiler, circuit, target.restrict(places)), size, places)
    else:
        made = _checked(transpiler, circuit if qubits is None else pad(circuit, size, qubits), target)
    violation = target.first_violation(made)
    if violation is not None:
        raise TargetError(f"What the transpiler {transpiler!r} made cannot be run. {violation}")
    return made


def _checked(transpiler: Transpiler, circuit: Circuit, target: Target) -> Circuit:
    made = transpiler(circuit, target)
    if not isinstance(made, Circuit):
        raise TargetError(
            f"Argument `transpiler` must be a callable (Circuit, Target) -> Circuit, but {transpiler!r} returned "
            f"{type(made).__name__}."
        )
    if made.layout.num_qubits != circuit.layout.num_qubits:
        raise TargetError(
            f"The transpiler {transpiler!r} returned a layout of {made.layout.num_qubits} qubits for a circuit of "
            f"{circuit.layout.num_qubits}. It must end with made.with_layout(circuit.layout.then(moved))."
        )
    return made
