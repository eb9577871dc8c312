"""Rotations about Pauli strings and a Clifford as cx gates, one-qubit Cliffords and rz: a Pauli network.

A Clifford gate G turns exp(-i t P / 2) into G^dagger exp(-i t GPG^dagger / 2) G. So gates are
appended one after the other, each of which makes strings shorter; a string that acts on one
qubit only is an rz there. What has been appended is not undone string by string: it goes into
the Clifford at the end. Lists of Z strings alone give the parity networks of phase polynomials.

References: de Brugiere, Martiel, arXiv:2404.03280; Schmitz, Sawaya, Johri, Matsuura,
arXiv:2103.08602; phase polynomials: Amy, Azimzadeh, Mosca, arXiv:1712.01859; the Clifford at the
end: Bravyi, Shaydulin, Hu, Maslov, arXiv:2105.02291.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from qsim._errors import CircuitError
from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from transpile.synthesis.angles import scaled

__all__ = ["Network", "pauli_network"]

X, Z, Y = 1, 2, 3
"""Codes of letters, x + 2 z; 0 is the identity."""

SETTINGS = ((0.5, 0.003), (0.5, 0.01), (0.6, 0.003), (0.4, 0.001), (0.5, 0.0), (0.6, 0.01), (0.7, 0.003), (0.5, 0.03))
"""(what a layer counts for compared with the one before it, what a row of the Clifford counts for), by trial."""

WINDOW, LAYERS = 256, 12
"""How many rotations, and how many layers of them, are looked at ahead."""

SCALE = 1e6
"""Weights are whole numbers of this many parts, so that their sums are exact in any order."""

_EARLIER = np.tri(WINDOW, k=-1, dtype=np.float32)

_CHUNKS = tuple(product((X, Z, Y), repeat=2))
"""(P, Q): the gate that applies Q to the second qubit where the first is in the -1 eigenstate of P."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A Pauli network.

    Attributes:
        instructions: h, s, sdg, sx, x, z, cx, and rz by the angles given, up to their sign.
        places: where each qubit is at the end.

    Example:
        >>> from transpile.synthesis.pauli_network import pauli_network
        >>> pauli_network([[0, 0]], [[1, 1]], [0.5]).places
        (0, 1)
    """

    instructions: list[Instruction]
    places: tuple[int, ...]

    @property
    def num_cx(self) -> int:
        """How many cx gates it has."""
        return sum(len(i.qubits) == 2 for i in self.instructions)


def pauli_network(x: Any, z: Any, angles: Sequence[Any], frame: Any = None, *, trials: int = 1) -> Network:
    """C exp(-i t_R P_R / 2) ... exp(-i t_1 P_1 / 2) with few cx gates, up to a global phase.

    Rotations change places only where their strings commute. The next gate is the one, among
    those that shorten a shortest string that may come next, that shortens most the strings of
    the layers to come and the rows of the Clifford.

    Args:
        x, z: bits (R, n): P_r has X where only x is set, Z where only z is, Y where both are.
        angles: t_r: R numbers or open angles, radians; they are never read.
        frame: bits (2n, 2n + 1): the Clifford C, by row i as C^dagger X_i C and row n + i as
            C^dagger Z_i C, each as n bits x, n bits z and a sign. None for the identity.
        trials: how many settings of the search to try; the fewest cx gates are kept.

    Returns:
        The network. Qubit i of the product is at `places[i]` after it.

    Raises:
        CircuitError: shapes that do not fit each other.

    Example:
        >>> from transpile.synthesis.pauli_network import pauli_network
        >>> network = pauli_network([[0, 0, 0], [0, 0, 0]], [[1, 1, 0], [1, 1, 1]], [0.5, 0.7])
        >>> [i.operation.name for i in network.instructions]
        ['cx', 'rz', 'cx', 'rz', 'cx', 'cx']
    """
    x, z = np.asarray(x, bool), np.asarray(z, bool)
    if x.ndim != 2 or x.shape != z.shape or len(angles) != len(x):
        raise CircuitError(
            f"Arguments `x` and `z` must be bits of one shape (R, n), and `angles` R of them, but have shapes "
            f"{x.shape} and {z.shape}, and {len(angles)} angles."
        )
    n = x.shape[1]
    if frame is None:
        frame = np.eye(2 * n, 2 * n + 1)
    frame = np.asarray(frame, bool)
    if frame.shape != (2 * n, 2 * n + 1):
        raise CircuitError(
            f"Argument `frame` must be bits of shape {(2 * n, 2 * n + 1)} for strings on {n} qubits, but has shape "
            f"{frame.shape}."
        )
    best: _Writer | None = None
    for fading, clifford in SETTINGS[: max(1, trials)]:
        writer = _Writer(x, z, frame)
        _write_rotations(writer, fading, clifford)
        _write_clifford(writer)
        if best is None or writer.score < best.score:
            best = writer
    assert best is not None
    places = _write_locals(best)
    instructions = [
        Instruction(gate(name) if number < 0 else gate("rz", scaled(angles[number], sign)), qubits)
        for name, qubits, number, sign in best.steps
    ]
    return Network(instructions, places)


class _Writer:
    """The strings and the rows of the Clifford, qubit by qubit, behind the gates written so far.

    Attributes:
        x, z: bits (n, R + 2n): the rotations, then the rows of the Clifford. sign: (R + 2n,).
        steps: (gate, qubits, -1, 0), or ("rz", (qubit,), number of the rotation, 1.0 or -1.0).
    """

    def __init__(self, x: np.ndarray, z: np.ndarray, frame: np.ndarray):
        self.num_rotations, self.num_qubits = x.shape
        n = self.num_qubits
        self.x = np.concatenate([x, frame[:, :n]]).T.copy()
        self.z = np.concatenate([z, frame[:, n : 2 * n]]).T.copy()
        self.sign = np.concatenate([np.zeros(len(x), bool), frame[:, -1]])
        self.steps: list[tuple[str, tuple[int, ...], int, float]] = []
        self.levels = [0] * n
        self.num_cx = 0

    @property
    def score(self) -> tuple[int, int]:
        """(cx gates, their depth)."""
        return self.num_cx, max(self.levels, default=0)

    def codes(self, rows: Any) -> np.ndarray:
        """The letters of some rows, (rows, n)."""
        return (self.x[:, rows] + 2 * self.z[:, rows]).T

    def turn_to(self, letter: int, qubit: int, old: int) -> None:
        """A one-qubit Clifford that turns the letter `old` of a qubit into X or Z, up to its sign."""
        if old == letter:
            return
        x, z, sign = self.x[qubit], self.z[qubit], self.sign
        if old != Y:
            sign ^= x & z
            self.x[qubit], self.z[qubit] = z.copy(), x.copy()
            name = "h"
        elif letter == Z:
            sign ^= z & ~x
            x ^= z
            name = "sx"
        else:
            sign ^= x & ~z
            z ^= x
            name = "sdg"
        self.steps.append((name, (qubit,), -1, 0.0))

    def chunk(self, first: int, second: int, number: int) -> None:
        """A gate of `_CHUNKS`, up to one-qubit gates that stay in the frame of what is to come."""
        p, q = _CHUNKS[number]
        if (p != Z) + (q != X) > (q != Z) + (p != X):
            first, second, p, q = second, first, q, p
        self.turn_to(Z, first, p)
        self.turn_to(X, second, q)
        x, z = self.x, self.z
        self.sign ^= x[first] & z[second] & ~(x[second] ^ z[first])
        x[second] ^= x[first]
        z[first] ^= z[second]
        self.steps.append(("cx", (first, second), -1, 0.0))
        self.levels[first] = self.levels[second] = 1 + max(self.levels[first], self.levels[second])
        self.num_cx += 1

    def rotate(self, number: int, qubit: int, letter: int) -> None:
        """A rotation whose string acts on one qubit only."""
        self.turn_to(Z, qubit, letter)
        self.steps.append(("rz", (qubit,), number, -1.0 if self.sign[number] else 1.0))

    def earliest(self, chunks: np.ndarray) -> tuple[int, int, int]:
        """The chunk (first, second, number) among equally good ones (m, 3) that can start first."""
        levels = [max(self.levels[a], self.levels[b]) for a, b, _ in chunks.tolist()]
        first, second, number = chunks[int(np.argmin(levels))].tolist()
        return first, second, number


def _write_rotations(writer: _Writer, fading: float, clifford: float) -> None:
    """All rotations, and the gates that make them short."""
    waiting = np.arange(writer.num_rotations)
    frame = slice(writer.num_rotations, None)
    layers: np.ndarray | None = None
    while len(waiting):
        window = waiting[:WINDOW]
        codes = writer.codes(window)
        if layers is None:
            layers = _layers(codes)
        weights = np.count_nonzero(codes, axis=1)
        done = np.flatnonzero((layers == 0) & (weights <= 1))
        if len(done):
            for row in done.tolist():
                if weights[row]:
                    qubit = int(codes[row].argmax())
                    letter = int(writer.x[qubit, window[row]] + 2 * writer.z[qubit, window[row]])
                    writer.rotate(int(window[row]), qubit, letter)
            waiting, layers = np.delete(waiting, done), None
            continue
        shortest = (layers == 0) & (weights == weights[layers == 0].min())
        qubits = np.flatnonzero(codes[shortest].any(axis=0))
        seen = layers >= 0
        worth = np.round(SCALE * fading ** layers[seen] / np.maximum(weights[seen], 1))
        change = _pairs(codes[seen][:, qubits], worth) @ _CHANGE
        if clifford:
            rows = writer.codes(frame)[:, qubits]
            change += _pairs(rows, np.full(len(rows), np.round(SCALE * clifford))) @ _CHANGE
        may = _pairs(codes[shortest][:, qubits], np.ones(int(shortest.sum()))) @ _SHORTENS > 0
        may &= np.triu(np.ones(may.shape[:2], bool), 1)[:, :, None]
        change[~may] = np.inf
        equal = np.argwhere(change == change.min())
        equal[:, :2] = qubits[equal[:, :2]]
        writer.chunk(*writer.earliest(equal))


def _layers(codes: np.ndarray) -> np.ndarray:
    """How many rotations that do not commute come one after the other before each; -1 from `LAYERS` on."""
    x, z = (codes & 1).astype(np.float32), (codes >> 1).astype(np.float32)
    common = (x @ z.T).astype(np.int32)
    earlier = (common + common.T & 1).astype(np.float32) * _EARLIER[: len(codes), : len(codes)]
    found = np.full(len(codes), -1)
    left = np.ones(len(codes), np.float32)
    for layer in range(LAYERS):
        free = (left > 0) & (earlier @ left == 0)
        found[free] = layer
        left[free] = 0
        if not left.any():
            break
    return found


def _pairs(codes: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """For each pair of qubits the worth of all rows with given letters there, (k, k, 16)."""
    k = codes.shape[1]
    letters = (codes[:, :, None] == np.arange(4)).reshape(len(codes), 4 * k).astype(float)
    found = (letters * worth[:, None]).T @ letters
    return found.reshape(k, 4, k, 4).transpose(0, 2, 1, 3).reshape(k, k, 16)


def _write_clifford(writer: _Writer) -> None:
    """Gates that leave every pair of rows (of X_i, of Z_i) on one qubit.

    A pair takes a gate for each qubit where its letters commute, and three for two where they do not.
    """
    n, start = writer.num_qubits, writer.num_rotations
    xs, zs = slice(start, start + n), slice(start + n, None)
    while n:
        codes = writer.codes(xs) + 4 * writer.codes(zs)
        costs = _COST[codes].sum(axis=1) - _COST[X + 4 * Z]
        if not costs.any():
            return
        candidates: set[tuple[int, int, int]] = set()
        for row in np.flatnonzero(costs == costs[costs > 0].min()).tolist():
            qubits = np.flatnonzero(codes[row])
            a, b = np.triu_indices(len(qubits), 1)
            a, b = qubits[a], qubits[b]
            which, number = np.nonzero(_SAVES[codes[row, a], codes[row, b]] < 0)
            candidates.update(zip(a[which].tolist(), b[which].tolist(), number.tolist(), strict=True))
        chunks = np.array(sorted(candidates))
        live = codes[costs > 0]
        change = _SAVES[live[:, chunks[:, 0]], live[:, chunks[:, 1]], chunks[:, 2]].sum(axis=0)
        writer.chunk(*writer.earliest(chunks[change == change.min()]))


def _write_locals(writer: _Writer) -> tuple[int, ...]:
    """One-qubit gates that finish the Clifford, but for the places of the qubits, which are returned."""
    n, start = writer.num_qubits, writer.num_rotations
    places = [0] * n
    for q in range(n):
        row_x, row_z = start + q, start + n + q
        place = places[q] = int(np.flatnonzero(writer.x[:, row_z] | writer.z[:, row_z])[0])
        writer.turn_to(Z, place, int(writer.x[place, row_z] + 2 * writer.z[place, row_z]))
        writer.turn_to(X, place, int(writer.x[place, row_x] + 2 * writer.z[place, row_x]))
        if writer.sign[row_x]:
            writer.steps.append(("z", (place,), -1, 0.0))
        if writer.sign[row_z]:
            writer.steps.append(("x", (place,), -1, 0.0))
    return tuple(places)


def _anticommute(a: Any, b: Any) -> Any:
    return (a & 1) * (b >> 1) + (a >> 1) * (b & 1) & 1


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.arange(4)[:, None, None], np.arange(4)[:, None]
    p, q = np.array(_CHUNKS).T
    new_a, new_b = a ^ p * _anticommute(b, q), b ^ q * _anticommute(a, p)  # (4, 4, 9)
    change = (new_a > 0) * 1.0 + (new_b > 0) - (a > 0) - (b > 0)
    pair = np.arange(16)
    cost = np.where(pair == 0, 0, 2 + _anticommute(pair & 3, pair >> 2))
    u, v = pair[:, None], pair[None]
    first = new_a[u & 3, v & 3] + 4 * new_a[u >> 2, v >> 2]  # (16, 16, 9)
    second = new_b[u & 3, v & 3] + 4 * new_b[u >> 2, v >> 2]
    saves = cost[first] + cost[second] - cost[u][..., None] - cost[v][..., None]
    change = change.reshape(16, 9)
    return change, (change < 0).astype(float), cost, saves


_CHANGE, _SHORTENS, _COST, _SAVES = _tables()
"""By the letters on two qubits and the chunk: the change of the weight (16, 9), and whether it gets less. Of a pair of
rows, by its two letters: the cost of a qubit in half cx gates (16,), and its change on two qubits (16, 16, 9)."""
