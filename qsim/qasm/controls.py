"""Gates under controls as sequences of gates that OpenQASM 2 has names for; exact, global phase included.

Reference: A. Barenco et al., "Elementary gates for quantum computation",
Phys. Rev. A 52, 3457 (1995), doi:10.1103/PhysRevA.52.3457, lemmas 7.2, 7.3 and 7.5.
"""

from __future__ import annotations

import cmath
from collections.abc import Iterator
from typing import Any

import numpy as np

from qsim.ir.operation import Controlled, Gate, controlled, row_of
from qsim.ir.ops import Unitary
from qsim.qasm.meaning import steps_of
from qsim.qasm.names import CONTROLLED

Placed = tuple[Any, tuple[int, ...]]


def named(operation: Any) -> str | None:
    """The qelib1 name of a controlled gate that has one but is no row: `c3x`, `c4x`, `c3sqrtx`."""
    if isinstance(operation, Controlled) and isinstance(operation.base, Gate):
        for name, (base, num_controls) in CONTROLLED.items():
            if operation == Controlled(Gate(row_of(base)), num_controls):
                return name
    return None


def expand_controlled(operation: Controlled, qubits: tuple[int, ...]) -> Iterator[Placed]:
    """A controlled gate of the table as simpler operations, in order, with their qubits.

    Args:
        operation: `Controlled` around a `Gate` with numbers for parameters.
        qubits: where it acts, controls first.
    """
    bits = f"{operation.control_state:0{operation.num_controls}b}"
    flips = [(Gate(row_of("x")), (q,)) for q, bit in zip(qubits, bits, strict=False) if bit == "0"]
    yield from flips
    plain = controlled(operation.base, operation.num_controls)
    if isinstance(plain, Gate):
        yield plain, qubits
    else:
        yield from _expand(plain.base, qubits[: plain.num_controls], qubits[plain.num_controls :])
    yield from flips


def _expand(base: Gate, controls: tuple[int, ...], targets: tuple[int, ...]) -> Iterator[Placed]:
    """A gate under controls that all must read 1."""
    if len(targets) == 1 and base.name == "x" and len(controls) <= 4:
        yield from _x(controls, targets[0], ())
    elif len(targets) == 1:
        yield from _unitary(np.asarray(base.matrix(np), dtype=complex), controls, targets[0])
    else:
        steps = steps_of(base)
        if steps is None:
            steps = Unitary(np.asarray(base.matrix(np))).definition().instructions
        for i in steps:
            yield Controlled(i.operation, len(controls)), controls + tuple([targets[q] for q in i.qubits])


def _unitary(matrix: np.ndarray, controls: tuple[int, ...], target: int) -> Iterator[Placed]:
    """Any one-qubit matrix under any number of controls."""
    if not controls:
        alpha, angles = _angles(matrix)
        yield Gate(row_of("u"), angles), (target,)
        yield Gate(row_of("gphase"), (alpha,)), ()
    elif len(controls) == 1:
        alpha, angles = _angles(matrix)
        yield Gate(row_of("cu"), (*angles, alpha)), (*controls, target)
    else:
        root = _root(matrix)
        rest, last = controls[:-1], controls[-1]
        yield from _unitary(root, (last,), target)
        yield from _x(rest, last, (target,))
        yield from _unitary(root.conj().T, (last,), target)
        yield from _x(rest, last, (target,))
        yield from _unitary(root, rest, target)


def _x(controls: tuple[int, ...], target: int, spare: tuple[int, ...]) -> Iterator[Placed]:
    """X under controls; `spare` are other qubits, in any state, that are left as they were."""
    count = len(controls)
    if count <= 4:
        flip = Gate(row_of(("x", "cx", "ccx")[count])) if count < 3 else Controlled(Gate(row_of("x")), count)
        yield flip, (*controls, target)
    elif len(spare) >= count - 2:
        toffoli = Gate(row_of("ccx"))
        chain = (*spare[: count - 2], target)
        down = [(controls[i], chain[i - 2], chain[i - 1]) for i in range(count - 1, 1, -1)]
        for steps in (down, down[1:]):
            around = [*steps, (controls[0], controls[1], chain[0]), *reversed(steps)]
            yield from ((toffoli, places) for places in around)
    else:
        half = (count + 3) // 2
        first, second = controls[:half], controls[half:] + spare[:1]
        for _ in range(2):
            yield from _x(first, spare[0], (*second[:-1], target))
            yield from _x(second, target, first)


def _angles(matrix: np.ndarray) -> tuple[float, tuple[float, float, float]]:
    """(alpha, (theta, phi, lambda)) with matrix = exp(i alpha) u(theta, phi, lambda)."""
    (a, b), (c, d) = matrix.tolist()
    theta = 2 * float(np.arctan2(np.hypot(abs(b), abs(c)), np.hypot(abs(a), abs(d))))
    if abs(a) >= abs(c):
        alpha = cmath.phase(a)
        total = cmath.phase(d) - alpha
        phi = cmath.phase(c) - alpha if abs(c) > 1e-300 else 0.0
        return alpha, (theta, phi, total - phi)
    # the diagonal is small: read the phases off the other one, and put alpha where `a` has it, if it has any
    alpha = cmath.phase(a) if abs(a) > 1e-300 else 0.0
    return alpha, (theta, cmath.phase(c) - alpha, cmath.phase(-b) - alpha)


def _root(matrix: np.ndarray) -> np.ndarray:
    """The square root of a unitary 2 x 2 matrix, the halves of its eigenvalues' angles."""
    half = cmath.phase(np.linalg.det(matrix)) / 2
    special = matrix * cmath.exp(-1j * half)
    cosine = min(1.0, max(-1.0, float(np.trace(special).real) / 2))
    if cosine < 0:
        special, cosine, half = -special, -cosine, half + np.pi
    # special = cos(w) - i sin(w) n.sigma has the root (special + 1) / (2 cos(w / 2))
    return cmath.exp(0.5j * half) * (special + np.eye(2)) / np.sqrt(2 + 2 * cosine)
