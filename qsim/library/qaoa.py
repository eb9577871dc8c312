"""The quantum approximate optimisation algorithm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import CircuitError
from qsim.ir.circuit import Circuit
from qsim.ir.parameter import ParameterVector
from qsim.ir.pauli import PauliSum
from qsim.library.maxcut import maxcut
from qsim.library.mixers import Mixer, XMixer


def qaoa(
    cost: PauliSum | Iterable[Any],
    layers: int,
    mixer: Mixer | None = None,
    *,
    num_qubits: int | None = None,
    names: tuple[str, str] = ("gamma", "beta"),
) -> Circuit:
    """The QAOA circuit of a diagonal cost C: the mixer's start, then U(beta_l) exp(-i gamma_l C) for each layer l.

    One rz or rzz for each term of one or two Z, one `pauli_evolution` for the others; the constant
    of C is left out, since it changes the global phase only. Minimise `Expectation(cost)` over both
    vectors. Reference: Farhi et al., arXiv:1411.4028; other mixers: arXiv:1709.03489.

    Args:
        cost: a Pauli sum of Z's, of any number of qubits a term; or the edges of a graph, as
            `maxcut` takes them.
        layers: how many layers, 0 or more.
        mixer: `XMixer()`, which None stands for, `XYMixer(weight)`, `GroverMixer(preparation)` or
            `HamiltonianMixer(hamiltonian, preparation)`.
        num_qubits: how many qubits, where there are more than the cost acts on.
        names: those of the two `ParameterVector`s, each of shape (layers,), radians.

    Raises:
        CircuitError: a cost that is not diagonal, or another argument that cannot be.
        ObservableError: edges that are none.

    Example:
        >>> from qsim.library import qaoa
        >>> circuit = qaoa([(0, 1), (1, 2), (0, 2)], layers=2)
        >>> circuit.count_ops(), circuit.parameter_shapes()
        ({'h': 3, 'rzz': 6, 'rx': 6}, {'beta': (2,), 'gamma': (2,)})
    """
    check_int("layers", layers, CircuitError)
    mixer = XMixer() if mixer is None else mixer
    if not isinstance(mixer, Mixer):
        raise CircuitError(f"Argument `mixer` must be a mixer such as XMixer(), but is {mixer!r}.")
    if len(names) != 2 or names[0] == names[1]:
        raise CircuitError(f"Argument `names` must be two different names, but is {names!r}.")
    if not isinstance(cost, PauliSum):
        cost = maxcut(cost)
    for term, string in enumerate(cost.strings):
        if any(letter != "Z" for _, letter in string):
            raise CircuitError(
                f"Argument `cost` must be diagonal, a sum of products of Z, but has {cost.take([term])!r}."
            )
    if not cost.is_hermitian:
        raise CircuitError("Argument `cost` must have real coefficients, but they are complex.")
    least = cost.num_qubits
    size = least if num_qubits is None else check_int("num_qubits", num_qubits, CircuitError, minimum=least)
    phases = _Phases(cost)
    gamma, beta = (ParameterVector(name, (layers,)) for name in names)
    circuit = mixer.start(size)
    for layer in range(layers):
        phases.append(circuit, gamma[layer])
        circuit = circuit.extend(mixer.layer(size, beta[layer]))
    return circuit


class _Phases:
    """exp(-i gamma C) as gates: rz and rzz for one and two Z with host coefficients, one evolution for the rest."""

    __slots__ = ("gates", "rest")

    def __init__(self, cost: PauliSum):
        most = 2 if isinstance(cost.coefficients, np.ndarray) else 0
        places = [[], []]
        for term, string in enumerate(cost.strings):
            if string:
                places[len(string) > most].append(term)
        few = cost.take(places[0])
        scales = (2 * np.real(few.coefficients)).tolist() if places[0] else []
        self.gates = [(scale, *(q for q, _ in string)) for scale, string in zip(scales, few.strings, strict=True)]
        self.rest = cost.take(places[1])

    def append(self, circuit: Circuit, gamma: Any) -> None:
        for scale, *qubits in self.gates:
            angle = gamma if scale == 1.0 else scale * gamma
            if len(qubits) == 1:
                circuit.rz(angle, *qubits)
            else:
                circuit.rzz(angle, *qubits)
        if len(self.rest):
            circuit.pauli_evolution(self.rest, gamma)
