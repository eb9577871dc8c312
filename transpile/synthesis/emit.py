"""Canonical forms with open angles in the native gates of an edge."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from qsim.ir.gates import gate
from qsim.ir.instruction import Instruction
from qsim.ir.operation import Gate
from transpile.synthesis.angles import is_multiple, scaled, total, wrapped
from transpile.synthesis.cores import CX, Entangler
from transpile.synthesis.kak import PAULIS, split
from transpile.synthesis.quaternion import euler_of, from_matrix
from transpile.synthesis.symbolic import FRAMES, Canonical, pauli_matrix
from transpile.synthesis.two_qubit import TwoQubitBasis

__all__ = ["Writer", "canonical_count", "write_canonical"]

HALF = pi / 2
_CX = Entangler.of(CX)
_AXES = "XYZ"
SWAP = np.eye(4)[[0, 2, 1, 3]]


class Writer:
    """Instructions on a pair, one-qubit constants held back and merged until something needs them."""

    def __init__(self, a: int, b: int):
        self.places = [a, b]
        self.out: list[Instruction] = []
        self.turned = False
        self._waiting: list[np.ndarray | None] = [None, None]

    def constant(self, qubit: int, matrix: np.ndarray) -> None:
        """A one-qubit matrix on the first or the second qubit."""
        there = self._waiting[qubit]
        self._waiting[qubit] = matrix if there is None else matrix @ there

    def pair(self, matrices: np.ndarray) -> None:
        """One matrix on each, (2, 2, 2)."""
        self.constant(0, matrices[0])
        self.constant(1, matrices[1])

    def turn(self, qubit: int, letter: str, angle: Any) -> None:
        """A rotation about a Pauli axis."""
        if not is_multiple(angle, 4 * pi):
            self._flush(qubit)
            self.out.append(Instruction(gate("r" + letter.lower(), wrapped(angle)), (self.places[qubit],)))

    def gate(self, operation: Any, flipped: bool) -> None:
        """A two-qubit operation, on (second, first) where `flipped`."""
        self.finish()
        a, b = self.places
        self.out.append(Instruction(operation, (b, a) if flipped else (a, b)))

    def exchange(self) -> None:
        """Name the two qubits the other way round from here on."""
        self.finish()
        self.places.reverse()
        self.turned = not self.turned

    def finish(self) -> list[Instruction]:
        """Everything written."""
        self._flush(0)
        self._flush(1)
        return self.out

    def _flush(self, qubit: int) -> None:
        matrix, self._waiting[qubit] = self._waiting[qubit], None
        if matrix is not None:
            theta, phi, lam = euler_of(from_matrix(matrix))
            if theta > 1e-10 or not is_multiple(phi + lam, 2 * pi):
                self.out.append(Instruction(gate("u", theta, phi, lam), (self.places[qubit],)))


def canonical_count(form: Canonical, basis: TwoQubitBasis) -> int:
    """How many native two-qubit gates `write_canonical` takes."""
    number = len([c for c in form.coordinates if not is_multiple(c, HALF)])
    if basis.continuous is not None and basis.continuous.free:
        return number
    return 0 if number == 0 else 2 if number < 3 else 3


def write_canonical(form: Canonical, basis: TwoQubitBasis, writer: Writer) -> None:
    """Append a canonical form."""
    for word, angle in form.before:
        _turn(writer, word, angle)
    words, coordinates = [], []
    for word, c in zip(form.words, form.coordinates, strict=True):
        if not is_multiple(c, HALF):
            words.append(word)
            coordinates.append(c)
        elif not is_multiple(c, pi):  # exp(i pi/2 PP') = i PP'
            writer.pair(np.stack([PAULIS[1 + _AXES.index(letter)] for letter in word]))
    if basis.continuous is not None and basis.continuous.free:
        for word, c in zip(words, coordinates, strict=True):
            _continuous(writer, basis, word, c)
    elif words:
        if basis.fixed is None and len(words) == 3:
            coordinates = _past_a_swap(writer, words, coordinates)
        _fixed(writer, basis, words, coordinates)
    writer.pair(form.local)
    for word, angle in form.after:
        _turn(writer, word, angle)


def _turn(writer: Writer, word: str, angle: Any) -> None:
    place = 0 if word[0] != "I" else 1
    writer.turn(place, word[place], angle)


def _fixed(writer: Writer, basis: TwoQubitBasis, words: list[str], coordinates: list[Any]) -> None:
    """Two or three gates of the class of cx, rotations by open angles between them."""
    fill = [[x for x in _AXES if all(x != w[side] for w in words)] for side in (0, 1)]
    three = len(words) == 3
    order = []  # the letters that stand for X, Y, Z on each side
    for side in (0, 1):
        letters = [w[side] for w in words]
        if not three:  # the first word is XX, the second ZZ
            rest = list(fill[side])
            letters = [letters[0], rest.pop(), letters[1]] if len(letters) == 2 else [letters[0], rest[0], rest[1]]
        order.append("".join(letters))
    frames = [FRAMES[letters] for letters in order]
    signs = [s * t for s, t in zip(frames[0][1], frames[1][1], strict=True)]
    if three:
        a, b, c = (scaled(x, s) for x, s in zip(coordinates, signs, strict=True))
    else:
        a = scaled(coordinates[0], signs[0])
        b = scaled(coordinates[1], signs[2]) if len(coordinates) == 2 else 0.0
        c = 0.0
    writer.pair(np.stack([v.conj().T for v, _ in frames]))
    if not three:
        _cx(writer, basis, False)
        writer.turn(0, "X", scaled(a, -2.0))
        writer.turn(1, "Z", scaled(b, -2.0))
        _cx(writer, basis, False)
    else:
        writer.constant(1, _rotation(3, HALF))
        _cx(writer, basis, True)
        writer.turn(0, "Z", total(HALF, scaled(c, -2.0)))
        writer.turn(1, "Y", total(HALF, scaled(a, -2.0)))
        _cx(writer, basis, False)
        writer.turn(1, "Y", total(scaled(b, 2.0), -HALF))
        _cx(writer, basis, True)
        writer.constant(0, _rotation(3, -HALF))
    writer.pair(np.stack([v for v, _ in frames]))


def _cx(writer: Writer, basis: TwoQubitBasis, turned: bool) -> None:
    """cx on (first, second), or (second, first) where `turned`, in the native gate of its class."""
    cx = _CX.turned() if turned else _CX
    writer.pair(cx.right)
    if basis.fixed is not None:
        native = basis.fixed.entangler
        writer.pair(np.swapaxes(native.right, -1, -2).conj())
        writer.gate(basis.fixed.operation, basis.fixed.flipped)
        writer.pair(np.swapaxes(native.left, -1, -2).conj())
    else:  # a gate swap . g: write it, and name the qubits the other way round
        assert basis.swapping is not None
        native = basis.swapping.entangler.turned() if writer.turned else basis.swapping.entangler
        writer.pair(np.swapaxes(native.right, -1, -2).conj())
        writer.gate(basis.swapping.operation, basis.swapping.flipped ^ writer.turned)
        writer.exchange()
        writer.pair(np.swapaxes(native.left, -1, -2).conj())
    writer.pair(cx.left)


def _past_a_swap(writer: Writer, words: list[str], coordinates: list[Any]) -> list[Any]:
    """Three gates swap . g exchange the qubits once too often: begin with an exchange, and undo it by pi/4 each."""
    shift = np.eye(4, dtype=complex)
    for word in words:
        shift = shift @ (np.eye(4) + 1j * pauli_matrix(word)) / np.sqrt(2)
    local = split((shift @ SWAP)[None])[0]
    writer.pair(np.swapaxes(local, -1, -2).conj())
    writer.exchange()
    return [total(c, pi / 4) for c in coordinates]


def _continuous(writer: Writer, basis: TwoQubitBasis, word: str, coordinate: Any) -> None:
    """exp(i c PP') by one gate of any angle."""
    native = basis.continuous
    assert native is not None
    letters = native.letters[::-1] if native.flipped else native.letters
    moves = [_mover(own, wanted) for own, wanted in zip(letters, word, strict=True)]
    sign = moves[0][1] * moves[1][1]
    angle = scaled(coordinate, -2.0 * sign / native.factor)
    writer.pair(np.stack([v.conj().T for v, _ in moves]))
    writer.gate(Gate(native.row, (angle,)), native.flipped)
    for one, factor in native.ones:
        place = 0 if one[0] != "I" else 1
        writer.turn(1 - place if native.flipped else place, one[place], scaled(angle, -factor))
    writer.pair(np.stack([v for v, _ in moves]))


def _mover(own: str, wanted: str) -> tuple[np.ndarray, int]:
    """V and a sign with V own V^dagger = sign wanted."""
    for letters, (v, signs) in FRAMES.items():
        if letters[_AXES.index(own)] == wanted:
            return v, signs[_AXES.index(own)]
    raise AssertionError(own + wanted)


def _rotation(axis: int, angle: float) -> np.ndarray:
    return np.cos(angle / 2) * PAULIS[0] - 1j * np.sin(angle / 2) * PAULIS[axis]
