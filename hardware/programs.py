"""From a request to programs that a device can run: what to measure for each result, in the device's gates."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import jax
import numpy as np

from qsim._typing import PyTree
from qsim.backends import Request
from qsim.backends.hostdata import context_of
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Measure
from qsim.ir.target import Target
from qsim.results.base import Context, Result
from qsim.results.measurement import Setting
from transpile.passes import one_qubit_chains

__all__ = ["Measured", "Program", "measured", "programs_of", "programs_of_all"]

_BASES = {1: ("h",), 2: ("sdg", "h")}
"""Gates before a Z measurement that make it one of X or Y."""


@dataclass(frozen=True, eq=False)
class Program:
    """What a device is asked to run.

    Attributes:
        circuit: on the device's qubits, in its gates, without measurements.
        measured: the device's qubits to read at the end (k,), in the order of the bits.
        shots: how often.
        seed: of the simulators among devices; the same program with another key has another one.

    Example:
        >>> from hardware import Program
        >>> from qsim import Circuit
        >>> len(Program(Circuit(2).x(0), measured=(0, 1), shots=100).digest)
        64
    """

    circuit: Circuit
    measured: tuple[int, ...]
    shots: int
    seed: int = 0

    @cached_property
    def digest(self) -> str:
        """A name for all that is asked, the same in every process."""
        parts = (self.circuit.key, self.circuit.numbers().tobytes(), self.measured, self.shots, self.seed)
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Measured:
    """The results of one request, and what is measured for them.

    Attributes:
        results: single results. context: what they may know.
        settings: for each result what is measured.
    """

    results: tuple[Result, ...]
    context: Context
    settings: tuple[tuple[Setting, ...], ...]

    @property
    def num_programs(self) -> int:
        """How many programs that takes: one a setting, none where no qubit is read."""
        return sum(bool(setting.qubits) for settings in self.settings for setting in settings)

    def values(self, bits: Sequence[np.ndarray]) -> list[PyTree]:
        """The values of the results from the bits of all programs, in order."""
        rest = iter(bits)

        def read(setting: Setting) -> np.ndarray:
            return next(rest) if setting.qubits else np.zeros((setting.shots, 0), np.uint8)

        return [
            result.from_bits(self.context, [read(setting) for setting in settings])
            for result, settings in zip(self.results, self.settings, strict=True)
        ]


def measured(results: Sequence[Result], context: Context) -> Measured:
    """What to measure for some results.

    Raises:
        ResultError: one that needs the state itself, or more shots.
    """
    return Measured(tuple(results), context, tuple(result.settings(context) for result in results))


def programs_of(request: Request, target: Target) -> tuple[Measured, list[Program]]:
    """What a plain request asks of a device: how its values are found, and the programs.

    Global phases are left out: nothing that is measured depends on them.

    Args:
        request: with a circuit of numbers in the target, and a list of single results.
        target: the device; changes of basis are written in its gates.

    Raises:
        ResultError: a result that cannot be measured.
    """
    context = context_of(request)
    what = measured(request.results, context)
    final = request.circuit.layout.final
    plain = [i for i in request.circuit.instructions if i.qubits and not isinstance(i.operation, Measure)]
    words = () if request.key is None else tuple(np.asarray(jax.random.key_data(request.key)).ravel().tolist())
    programs = []
    for settings in what.settings:
        for setting in settings:
            if not setting.qubits:
                continue
            turned = [
                instruction
                for q in setting.qubits
                for instruction in _change_of_basis(setting.bases[q], final[q], target)
            ]
            circuit = Circuit(request.circuit.num_qubits).with_instructions([*plain, *turned])
            seed = _seed(words, len(programs))
            programs.append(Program(circuit, tuple(final[q] for q in setting.qubits), setting.shots, seed))
    return what, programs


def programs_of_all(requests: Sequence[Request], target: Target) -> tuple[list[Measured], list[Program]]:
    """`programs_of` of each request, the programs of all in one list."""
    each = [programs_of(request, target) for request in requests]
    return [what for what, _ in each], [program for _, programs in each for program in programs]


@lru_cache(maxsize=4096)
def _change_of_basis(basis: int, qubit: int, target: Target) -> tuple[Instruction, ...]:
    """Gates of the target on one of its qubits, before a measurement in a basis."""
    circuit = Circuit(qubit + 1)
    for name in _BASES.get(basis, ()):
        getattr(circuit, name)(qubit)
    if all((i.operation, i.qubits) in target for i in circuit.instructions):
        return tuple(circuit.instructions)
    return tuple(one_qubit_chains(circuit, target).instructions)


def _seed(words: Any, number: int) -> int:
    digest = hashlib.sha256(repr((words, number)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
