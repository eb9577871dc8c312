"""The product formula of a Pauli sum."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.arguments import clean_param, count, spread_param
from qsim.ir.circuit import Circuit
from qsim.ir.ops.base import HighLevel, identity, namespace
from qsim.ir.parameter import is_symbolic
from qsim.ir.pauli import PauliSum
from qsim.ir.table import number_of, value_of

Rotations = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class PauliEvolution(HighLevel):
    """exp(-i time H) as a product formula, in the order of the terms of H = sum_j c_j P_j.

    Order 1: (prod_j exp(-i time c_j P_j / steps))^steps, the first term acting first. Order
    2: there and back with half the time each; orders 4, 6, ... by Suzuki's recursion. Exact
    where all terms commute. This formula is the operation, on a simulator as on a device.

    Args:
        hamiltonian: a Hermitian `PauliSum`; its coefficients are constants, or a JAX array.
        time: an angle in radians: a number, `Parameter` or JAX scalar.
        order: 1, or an even number up to 8.
        steps: how many equal steps of time, 1 or more.
        num_qubits: how many qubits it acts on; default those of the sum.

    Raises:
        CircuitError: complex coefficients, or an order or a number of steps that cannot be.

    Reference: Suzuki, J. Math. Phys. 32, 400 (1991), doi:10.1063/1.529425.

    Example:
        >>> from qsim import Circuit, X, Z
        >>> Circuit(2).pauli_evolution(Z(0) @ Z(1) + 0.5 * X(0), 0.1).count_ops()
        {'pauli_evolution': 1}
    """

    __slots__ = ("strings", "_num_qubits", "order", "steps", "_rotations", "_local")

    def __init__(self, hamiltonian: PauliSum, time: Any, order: int = 1, steps: int = 1, num_qubits: int | None = None):
        if not isinstance(hamiltonian, PauliSum):
            raise CircuitError(f"Argument `hamiltonian` must be a PauliSum, but is {type(hamiltonian).__name__}.")
        if order != 1 and order not in (2, 4, 6, 8):
            raise CircuitError(f"Argument `order` must be 1, 2, 4, 6 or 8, but is {order!r}.")
        if count("steps", steps) < 1:
            raise CircuitError("Argument `steps` must be 1 or more, but is 0.")
        size = hamiltonian.num_qubits if num_qubits is None else count("num_qubits", num_qubits)
        if size < hamiltonian.num_qubits:
            raise CircuitError(
                f"pauli_evolution: the Hamiltonian acts on qubit {hamiltonian.num_qubits - 1} of its own numbering, "
                f"but was given {size} qubits."
            )
        coefficients = hamiltonian.coefficients
        if np.dtype(coefficients.dtype).kind == "c":
            if not isinstance(coefficients, np.ndarray) or np.abs(coefficients.imag).max(initial=0.0) > 1e-12:
                raise CircuitError(
                    "pauli_evolution: the Hamiltonian must have real coefficients, so that the evolution is unitary, "
                    "but they are complex."
                )
            coefficients = coefficients.real.copy()
        self.params, self.arrays = (clean_param(time, self.name),), (coefficients,)
        self.strings, self._num_qubits, self.order, self.steps = hamiltonian.strings, size, int(order), int(steps)
        self._rotations: Rotations | None = None
        self._local: list[tuple[tuple[int, ...], str]] | None = None

    @property
    def hamiltonian(self) -> PauliSum:
        """H, on the operation's own qubits."""
        return PauliSum(self.strings, self.arrays[0])

    @property
    def name(self) -> str:
        return "pauli_evolution"

    @property
    def label(self) -> str:
        """What a drawing writes in its box: the letters of a single term, else H."""
        return f"exp(-it {self.local_rotations()[0][1] or 'I'})" if len(self.strings) == 1 else "exp(-it H)"

    @property
    def num_qubits(self) -> int:
        return self._num_qubits

    @property
    def key(self) -> Hashable:
        return ("pauli_evolution", self.strings, self.num_qubits, self.order, self.steps)

    @property
    def spectra(self) -> tuple[tuple[float, ...] | None, ...]:  # type: ignore[override]
        """(-c, c) for a single term with a constant coefficient; else not known."""
        if len(self.strings) != 1 or not isinstance(self.arrays[0], np.ndarray):
            return (None,)
        c = abs(float(self.arrays[0][0]))
        return ((-c, c) if self.strings[0] else (-float(self.arrays[0][0]),),)

    @property
    def max_weight(self) -> int:
        """The most qubits that one term acts on."""
        return max(map(len, self.strings), default=0)

    def rotations(self) -> Rotations:
        """The formula as rotations exp(-i factor_r time coefficient[term_r] P_r), the first acting first.

        Returns:
            x, z: uint8 (R, k), the Pauli strings. term: (R,), places among the coefficients. factor: (R,).
        """
        if self._rotations is None:
            terms, factors = _formula(len(self.strings), self.order, self.steps)
            x, z = _masks(self.strings, self.num_qubits)
            self._rotations = x[terms], z[terms], terms, factors
        return self._rotations

    def local_rotations(self) -> list[tuple[tuple[int, ...], str]]:
        """For each rotation the qubits it acts on, and their letters."""
        if self._local is None:
            local = [(tuple(q for q, _ in s), "".join(letter for _, letter in s)) for s in self.strings]
            self._local = [local[t] for t in self.rotations()[2].tolist()]
        return self._local

    def replace(self, params: Sequence[Any], arrays: Sequence[Any]) -> PauliEvolution:
        new = object.__new__(PauliEvolution)
        new.params, new.arrays = tuple(params), tuple(arrays)
        new.strings, new._num_qubits, new.order, new.steps = self.strings, self._num_qubits, self.order, self.steps
        new._rotations, new._local = self._rotations, self._local
        return new

    def matrix(self, xp: Any = np) -> Any:
        """The product of the rotations, (2^k, 2^k)."""
        return self.apply(xp, identity(xp, self.num_qubits, xp.asarray(self.arrays[0])))

    def apply(self, xp: Any, columns: Any) -> Any:
        """One rotation after the other, cos(a) - i sin(a) P, on (2^k, m)."""
        x, z, terms, factors = self.rotations()
        weights = (1 << np.arange(self.num_qubits))[::-1]
        index = np.arange(1 << self.num_qubits)
        time, coefficients = xp.asarray(number_of(self.params[0])), xp.asarray(self.arrays[0])
        for row, (term, factor) in enumerate(zip(terms.tolist(), factors.tolist(), strict=True)):
            flip, sign = int(x[row] @ weights), int(z[row] @ weights)
            source = index ^ flip
            phase = 1j ** int((x[row] & z[row]).sum()) * (1 - 2 * (np.bitwise_count(source & sign) & 1).astype(float))
            angle = factor * time * coefficients[term]
            cos, sin = xp.astype(xp.cos(angle), columns.dtype), xp.astype(xp.sin(angle), columns.dtype)
            moved = xp.take(columns, xp.asarray(source), axis=0) if flip else columns
            columns = cos * columns - 1j * sin * xp.asarray(phase[:, None], dtype=columns.dtype) * moved
        return columns

    def definition(self) -> Circuit:
        """One rotation per term: rx .. rzz where there is such a gate, else rz between cx ladders.

        Raises:
            CircuitError: JAX coefficients and a time that has no value yet.
        """
        circuit = Circuit(self.num_qubits)
        angles = self._angles()
        for angle, (qubits, letters) in zip(angles, self.local_rotations(), strict=True):
            if not letters:
                circuit.gphase(-angle / 2 if is_symbolic(angle) else -0.5 * value_of(angle))
            elif letters in _DIRECT:
                getattr(circuit, _DIRECT[letters])(angle, *qubits)
            else:
                _append_ladder(circuit, angle, qubits, letters)
        return circuit

    def inverse(self) -> PauliEvolution:
        """The same formula backwards in time; the terms in reverse order, where that matters."""
        if self.order != 1:
            return self.replace((-self.params[0],), self.arrays)
        hamiltonian = PauliSum(self.strings[::-1], self.arrays[0][::-1])
        return PauliEvolution(hamiltonian, -self.params[0], 1, self.steps, self.num_qubits)

    def _angles(self) -> list[Any]:
        """The angle 2 factor time coefficient of each rotation, as arguments of gates."""
        _, _, terms, factors = self.rotations()
        time, coefficients = value_of(self.params[0]), self.arrays[0]
        if isinstance(coefficients, np.ndarray):
            scales = (2 * factors * coefficients[terms]).tolist()
            if isinstance(time, float) or is_symbolic(time):
                return [scale * time for scale in scales]
            xp = namespace(time)
            return spread_param(xp.asarray(np.asarray(scales), dtype=time.dtype) * time, self.name)
        if is_symbolic(time):
            raise CircuitError(
                f"pauli_evolution: a definition needs a value for time `{time}`, because the coefficients are a JAX "
                "array. Try circuit.bind({...}) first."
            )
        xp = namespace(coefficients)
        scales = xp.asarray(2 * factors, dtype=coefficients.dtype) * time
        return spread_param(scales * xp.take(coefficients, xp.asarray(terms), axis=0), self.name)


_DIRECT = {"X": "rx", "Y": "ry", "Z": "rz", "XX": "rxx", "YY": "ryy", "ZZ": "rzz", "ZX": "rzx"}


def _append_ladder(circuit: Circuit, angle: Any, qubits: tuple[int, ...], letters: str) -> None:
    """exp(-i angle P / 2): a change of basis, the parity into the last qubit, rz, and back."""
    enter = Circuit(circuit.num_qubits)
    for q, letter in zip(qubits, letters, strict=True):
        if letter == "X":
            enter.h(q)
        elif letter == "Y":
            enter.sx(q)
    for a, b in pairwise(qubits):
        enter.cx(a, b)
    for i in enter.instructions:
        circuit.append(i.operation, i.qubits)
    circuit.rz(angle, qubits[-1])
    for i in enter.inverse().instructions:
        circuit.append(i.operation, i.qubits)


@lru_cache(maxsize=256)
def _formula(num_terms: int, order: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Which term and what part of the time, for each rotation; neighbours of one term are one."""
    terms, factors = _one_step(num_terms, order)
    terms, factors = np.tile(terms, steps), np.tile(factors, steps) / steps
    if len(terms):
        starts = np.flatnonzero(np.concatenate([[True], terms[1:] != terms[:-1]]))
        terms, factors = terms[starts], np.add.reduceat(factors, starts)
    terms.setflags(write=False)
    factors.setflags(write=False)
    return terms, factors


def _one_step(num_terms: int, order: int) -> tuple[np.ndarray, np.ndarray]:
    forward = np.arange(num_terms)
    if order == 1:
        return forward, np.ones(num_terms)
    if order == 2:
        return np.concatenate([forward, forward[::-1]]), np.full(2 * num_terms, 0.5)
    terms, factors = _one_step(num_terms, order - 2)
    p = 1 / (4 - 4 ** (1 / (order - 1)))
    return np.tile(terms, 5), np.concatenate(
        [p * factors, p * factors, (1 - 4 * p) * factors, p * factors, p * factors]
    )


@lru_cache(maxsize=1024)
def _masks(strings: tuple[Any, ...], num_qubits: int) -> tuple[np.ndarray, np.ndarray]:
    x, z = PauliSum(strings, np.ones(len(strings))).masks(num_qubits)
    return x, z
