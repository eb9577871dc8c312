"""The front door: arguments checked, padding around a preset."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from qsim._errors import TargetError
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Padding, check_places, pad
from qsim.ir.target import Target
from transpile.base import Pass
from transpile.pipeline import with_values, without_values
from transpile.presets import preset

__all__ = ["default", "effort0", "effort1", "effort2", "effort3", "transpile"]

PAUSE_FROM = 1_000


def transpile(
    circuit: Circuit,
    target: Target,
    *,
    effort: int = 2,
    seed: int = 0,
    time_budget: float | None = None,
    padding: Padding | None = None,
    qubits: Sequence[int] | None = None,
) -> Circuit:
    """A circuit that does the same on the target, up to a global phase, in gates that the target has.

    Open parameters stay symbolic, and JAX values stay traced: a circuit is transpiled once and
    bound many times, and gradients pass. A parameter that nothing depends on, such as one whose
    rotations cancel, is not among those of the result.

    Args:
        circuit: any circuit; it is never changed. Where it has a layout, the new one speaks of
            the same original qubits.
        target: the device.
        effort: 0 only writes what is not native in native gates; 1, 2 and 3 make ever better
            circuits in ever more time.
        seed: of the random choices; the same seed gives the same circuit, unless time cuts effort 3 short.
        time_budget: seconds that resynthesis may take at effort 3 (default 40). Nothing else looks at
            the clock; `preset(3).report(circuit, target)` says whether that cut it short.
        padding: when to widen the circuit to the device: `Padding.BEFORE`, so that all of it may be
            used, or `Padding.AFTER`, which uses `qubits` alone. None is AFTER where `qubits` are
            given, else the target's default.
        qubits: the device qubits to use, one per qubit of the circuit; with BEFORE, where they
            start to be looked for.

    Returns:
        The circuit on the target's qubits. `layout.initial[i]` and `layout.final[i]` are the places
        of qubit i of the original circuit before and after. On `Target.ideal()` the circuit itself.

    Raises:
        TargetError: too few qubits, qubits that are not connected, natives that cannot make all gates; or
            what is never rewritten is not native, such as `reset` and gates under a condition.

    Example:
        >>> from qsim import Circuit, Target
        >>> from transpile import transpile
        >>> device = Target.line(3, ["rz", "sx", "cz"])
        >>> made = transpile(Circuit(3).h(0).cx(0, 2), device)
        >>> device.first_violation(made) is None, made.count_ops()["cz"]
        (True, 1)
        >>> c = Circuit(3).cx(0, 2)
        >>> transpile(c, Target.ideal()) is c
        True
    """
    if not isinstance(circuit, Circuit):
        raise TargetError(f"Argument `circuit` must be a Circuit, but is {type(circuit).__name__}.")
    if not isinstance(target, Target):
        raise TargetError(f"Argument `target` must be a Target, but is {type(target).__name__}. Try Target.line(5).")
    if padding is not None and not isinstance(padding, Padding):
        raise TargetError(f"Argument `padding` must be Padding.BEFORE, AFTER or NONE, but is {padding!r}.")
    chosen = preset(effort, seed, time_budget)
    places = None if qubits is None else check_places(qubits, circuit.num_qubits, target.num_qubits)
    if target.num_qubits is None and target.natives is None and target.edges is None:
        return circuit
    if target.num_qubits is not None and circuit.num_qubits > target.num_qubits:
        raise TargetError(
            f"The circuit has {circuit.num_qubits} qubits, but the target has {target.num_qubits}. What would be "
            f"needed: a target of {circuit.num_qubits} qubits or more, or a circuit with fewer."
        )
    named, values = without_values(circuit, target)
    with _without_collector(len(circuit)):
        made = _around(chosen, named, target, padding, places)
    violation = target.first_violation(made)
    if violation is not None:
        what = violation.partition(" Pass ")[0]
        raise TargetError(f"Transpiled, this would be left: {what} Take it out, or give the target a native for it.")
    return with_values(made, values)


@contextmanager
def _without_collector(size: int) -> Iterator[None]:
    """No searches for reference cycles meanwhile: there are none, and they would take half of the time."""
    pause = size > PAUSE_FROM and gc.isenabled()
    if pause:
        gc.disable()
    try:
        yield
    finally:
        if pause:
            gc.enable()


def default(circuit: Circuit, target: Target) -> Circuit:
    """`transpile` with its defaults: the entry point `default` of `qsim.transpilers`.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import default
        >>> default(Circuit(2).cz(0, 1), Target.line(2, ["rz", "sx", "cz"])).count_ops()
        {'cz': 1}
    """
    return transpile(circuit, target)


def effort0(circuit: Circuit, target: Target) -> Circuit:
    """`transpile` with effort 0: the entry point `0`.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import effort0
        >>> effort0(Circuit(2).cz(0, 1), Target.line(2, ["rz", "sx", "cz"])).count_ops()
        {'cz': 1}
    """
    return transpile(circuit, target, effort=0)


def effort1(circuit: Circuit, target: Target) -> Circuit:
    """`transpile` with effort 1: the entry point `1`.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import effort1
        >>> effort1(Circuit(2).cz(0, 1), Target.line(2, ["rz", "sx", "cz"])).count_ops()
        {'cz': 1}
    """
    return transpile(circuit, target, effort=1)


def effort2(circuit: Circuit, target: Target) -> Circuit:
    """`transpile` with effort 2: the entry point `2`.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import effort2
        >>> effort2(Circuit(2).cz(0, 1), Target.line(2, ["rz", "sx", "cz"])).count_ops()
        {'cz': 1}
    """
    return transpile(circuit, target, effort=2)


def effort3(circuit: Circuit, target: Target) -> Circuit:
    """`transpile` with effort 3: the entry point `3`.

    Args:
        circuit: any circuit; it is never changed. target: the device.

    Example:
        >>> from qsim import Circuit
        >>> from qsim.ir.target import Target
        >>> from transpile import effort3
        >>> effort3(Circuit(2).cz(0, 1), Target.line(2, ["rz", "sx", "cz"])).count_ops()
        {'cz': 1}
    """
    return transpile(circuit, target, effort=3)


def _around(chosen: Pass, circuit: Circuit, target: Target, padding: Padding | None, places: Any) -> Circuit:
    """The preset, with the circuit widened before or after it."""
    size = target.num_qubits
    if size is None:
        return chosen(circuit, target)
    if padding is None:
        padding = Padding.AFTER if places is not None else target.padding or Padding.NONE
    if padding is Padding.AFTER:
        used = tuple(range(circuit.num_qubits)) if places is None else places
        return pad(chosen(circuit, target.restrict(used)), size, used)
    if padding is Padding.BEFORE or places is not None:
        return chosen(pad(circuit, size, places), target)
    return chosen(circuit, target)
