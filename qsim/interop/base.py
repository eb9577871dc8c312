"""What readers and writers of all frameworks share: their packages, their refusals, operations as small circuits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from qsim._errors import BackendError, CircuitError, QsimError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import is_constant, is_symbolic, value_of
from qsim.ir.ops import Unitary
from qsim.ir.ops.functions import power
from qsim.ir.ops.permutation import Permutation

MAX_DEPTH = 64
MAX_SIZE = 10_000_000
MAX_MATRIX = 8
"""Qubits of the largest matrix that stands for an operation that has nothing else."""

Steps = Callable[..., Circuit]
"""f(circuit, *parameters): append what a gate is to a circuit on the gate's own qubits."""

OTHER_WORDS: Mapping[str, Steps] = {
    "csx": lambda c: c.crx(np.pi / 2, 0, 1).p(np.pi / 4, 0),
    "cu": lambda c, theta, phi, lam, gamma: c.extend(Circuit(1).u(theta, phi, lam, 0).controlled()).p(gamma, 0),
    "dcx": lambda c: c.cx(0, 1).cx(1, 0),
    "dcxdg": lambda c: c.cx(1, 0).cx(0, 1),
    "ecr": lambda c: c.rzx(np.pi / 4, 0, 1).x(0).rzx(-np.pi / 4, 0, 1),
    "fsim": lambda c, theta, phi: c.xx_plus_yy(2 * theta, 0.0, 0, 1).cp(-phi, 0, 1),
    "prx": lambda c, theta, phi: c.rz(-phi, 0).rx(theta, 0).rz(phi, 0),
    "rzx": lambda c, theta: c.h(1).rzz(theta, 0, 1).h(1),
    "sqrt_iswap": lambda c: c.xx_plus_yy(-np.pi / 2, 0.0, 0, 1),
}
"""Gates of the table in other gates of the table, equal, for frameworks that lack them."""


def vendor(module: str, extra: str) -> Any:
    """A module of another framework, imported when it is needed.

    Raises:
        BackendError: it is not installed; the message has the command that does it.
    """
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise BackendError(
            f'This conversion needs {package}, which is not installed. Try pip install "qsim-jax[{extra}]".'
        ) from None


def no_counterpart(where: str, name: str, qubits: Sequence[Any], there: str, fix: str) -> CircuitError:
    """The error for an operation that cannot be said in the other language."""
    places = ", ".join(map(str, qubits))
    return CircuitError(f"{where}: {name} on qubits ({places}) has no counterpart in {there}. {fix}")


def different_labels(where: str, name: str, given: Iterable[Any], error: type[QsimError], least: int = 0) -> list[Any]:
    """The labels of another framework's qubits, in the order of ours.

    Raises:
        QsimError: of the given kind: what are no labels, fewer than `least`, or one of them twice.
    """
    try:
        labels = list(given)
        distinct = len(set(labels)) == len(labels)
    except TypeError:
        raise error(f"{where}: argument `{name}` must be a sequence of different labels, but is {given!r}.") from None
    if len(labels) < least or not distinct:
        many = f"{least} " if least else ""
        raise error(f"{where}: argument `{name}` must have {many}different labels, but is {labels}.")
    return labels


def host_number(param: Any, where: str, name: str) -> float:
    """A gate argument as a float, JAX values too.

    Raises:
        CircuitError: it has no value yet, or is traced.
    """
    if is_constant(param):
        return float(param)
    if is_symbolic(param):
        raise CircuitError(
            f"{where}: {name} has the parameter {param}, which has no value. Try circuit.bind({{...}}) first."
        )
    try:
        return float(value_of(param))
    except TypeError:
        raise CircuitError(
            f"{where}: an angle of {name} is traced by JAX. Convert outside jit, grad and vmap."
        ) from None


def host_array(array: Any, where: str, name: str) -> np.ndarray:
    """An array of an operation as a NumPy array.

    Raises:
        CircuitError: it is traced.
    """
    try:
        return np.asarray(array)
    except TypeError:
        raise CircuitError(
            f"{where}: an array of {name} is traced by JAX. Convert outside jit, grad and vmap."
        ) from None


def place(target: Circuit, steps: Circuit, qubits: Sequence[int]) -> None:
    """Append what is on a small circuit to `target`, its qubit i on `qubits[i]`, in place."""
    for i in steps.instructions:
        target.append(i.operation, tuple([qubits[q] for q in i.qubits]))


def permuted(target: Circuit, places: Sequence[int], qubits: Sequence[int]) -> None:
    """Append the permutation that moves qubit i to `places[i]`: in one piece where its table is small, else swaps."""
    if len(places) <= MAX_MATRIX:
        target.append(Permutation.of_qubits(places), qubits)
        return
    moved = list(places)
    for i in range(len(moved)):
        while moved[i] != i:
            j = moved[i]
            target.swap(qubits[i], qubits[j])
            moved[i], moved[j] = moved[j], moved[i]


def to_power(steps: Circuit, exponent: float, where: str) -> Circuit:
    """A small unitary circuit to a real power, by its matrix where it is no whole one.

    Raises:
        CircuitError: a power that is not known before parameters have values.
    """
    whole = round(exponent)
    if len(steps) == 1 and steps.instructions[0].qubits == tuple(range(steps.num_qubits)):
        operation = steps.instructions[0].operation
        return Circuit(steps.num_qubits).append(power(operation, exponent), range(steps.num_qubits))
    if whole == exponent:
        if abs(whole) * len(steps) > MAX_SIZE:
            raise CircuitError(f"{where}: the power {whole} of {len(steps)} operations has more than {MAX_SIZE}.")
        return steps.power(whole)
    matrix = matrix_of(steps, where)
    return Circuit(steps.num_qubits).append(power(Unitary(matrix), exponent), range(steps.num_qubits))


def matrix_of(steps: Circuit, where: str) -> np.ndarray:
    """The matrix (2^k, 2^k) of a small circuit of numbers.

    Raises:
        CircuitError: more than 8 qubits, or parameters without values.
    """
    k = steps.num_qubits
    if k > MAX_MATRIX:
        raise CircuitError(f"{where}: a matrix on {k} qubits is needed, more than {MAX_MATRIX}. Decompose it first.")
    found = np.eye(1 << k, dtype=complex)
    for i in steps.instructions:
        for p in i.operation.params:
            host_number(p, where, i.operation.name)
        found = _moved(np.asarray(i.operation.matrix(np)), i, k) @ found
    return found


def _moved(matrix: np.ndarray, i: Instruction, k: int) -> np.ndarray:
    """The matrix of one instruction on all k qubits."""
    order = [*i.qubits, *(q for q in range(k) if q not in i.qubits)]
    wide = np.kron(matrix, np.eye(1 << k - len(i.qubits))).reshape((2,) * (2 * k))
    back = np.argsort(order)
    return wide.transpose([*back, *(back + k)]).reshape(1 << k, 1 << k)
