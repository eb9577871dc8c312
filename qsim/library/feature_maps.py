"""Circuits that encode data in angles."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from qsim._checks import check_int
from qsim._errors import CircuitError, ParameterError
from qsim.ir.circuit import Circuit
from qsim.ir.instruction import Instruction
from qsim.ir.parameter import Parameter, ParameterVector, is_symbolic
from qsim.library.lattice import Edge, check_edges, complete_edges


def zz_feature_map(
    num_features: int, repeats: int = 2, *, edges: Iterable[Edge] | None = None, name: str = "x"
) -> Circuit:
    """The second-order Pauli-Z feature map, one qubit per feature.

    Each repetition is H on every qubit, then p(2 x_q), then for each edge
    cx(a, b) p(2 (pi - x_a) (pi - x_b)) cx(a, b). Reference: Havlíček et al., arXiv:1804.11326.

    Args:
        num_features: how many features and qubits, 1 or more.
        repeats: how many repetitions.
        edges: the pairs of features that meet; None is all of them, () none: the first-order
            map, known as the Z feature map.
        name: the name of the `ParameterVector` of the features, of shape (num_features,), radians.

    Raises:
        CircuitError: a number or an edge that cannot be.

    Example:
        >>> from qsim.library import zz_feature_map
        >>> zz_feature_map(2, repeats=1).count_ops()
        {'h': 2, 'p': 3, 'cx': 2}
    """
    size, pairs, x = _encoding(num_features, repeats, edges, name)
    circuit = Circuit(size)
    for _ in range(repeats):
        circuit.h(range(size)).p(2 * x, range(size))
        for a, b in pairs:
            circuit.cx(a, b).p(2 * (math.pi - x[a]) * (math.pi - x[b]), b).cx(a, b)
    return circuit


def iqp(num_features: int, repeats: int = 1, *, edges: Iterable[Edge] | None = None, name: str = "x") -> Circuit:
    """The IQP feature map, one qubit per feature: diagonal gates between Hadamards.

    Each repetition is H on every qubit, then rz(x_q), then rzz(x_a x_b) for each edge.
    References: Shepherd and Bremner, arXiv:0809.0847; Havlíček et al., arXiv:1804.11326.

    Args:
        num_features: how many features and qubits, 1 or more.
        repeats: how many repetitions.
        edges: the pairs of features that meet; None is all of them.
        name: the name of the `ParameterVector` of the features, of shape (num_features,), radians.

    Raises:
        CircuitError: a number or an edge that cannot be.

    Example:
        >>> from qsim.library import iqp
        >>> iqp(3).count_ops()
        {'h': 3, 'rz': 3, 'rzz': 3}
    """
    size, pairs, x = _encoding(num_features, repeats, edges, name)
    circuit = Circuit(size)
    for _ in range(repeats):
        circuit.h(range(size)).rz(x, range(size))
        for a, b in pairs:
            circuit.rzz(x[a] * x[b], a, b)
    return circuit


def data_reuploading(
    num_qubits: int,
    layers: int,
    num_features: int | None = None,
    *,
    names: tuple[str, str, str] = ("x", "theta", "weight"),
) -> Circuit:
    """A classifier that encodes its features again in every layer, with trained weights and biases.

    Each layer turns every qubit by rz, ry, rz with the angles theta + weight * x, three features
    at a time (angles beyond the features are theta alone), and joins the qubits by CZ: even
    pairs of neighbours, then odd ones; no CZ after the last layer.
    Reference: Pérez-Salinas et al., arXiv:1907.02085.

    Args:
        num_qubits: how many qubits, 1 or more. layers: how many layers.
        num_features: how many features each qubit gets; None is `num_qubits`.
        names: those of the features (num_features,), the biases (layers, num_qubits, 3 B) with
            B = ceil(num_features / 3), and the weights (layers, num_qubits, num_features).

    Raises:
        CircuitError: no qubits or features, or a negative number of layers.

    Example:
        >>> from qsim.library import data_reuploading
        >>> data_reuploading(2, layers=3, num_features=4).parameter_shapes()
        {'theta': (3, 2, 6), 'weight': (3, 2, 4), 'x': (4,)}
    """
    size = check_int("num_qubits", num_qubits, CircuitError, minimum=1)
    check_int("layers", layers, CircuitError)
    features = size if num_features is None else check_int("num_features", num_features, CircuitError, minimum=1)
    if isinstance(names, str) or len(names) != 3:
        raise CircuitError(f"Argument `names` must be three names, but is {names!r}.")
    blocks = -(-features // 3)
    x = ParameterVector(names[0], (features,))
    theta = ParameterVector(names[1], (layers, size, 3 * blocks))
    weight = ParameterVector(names[2], (layers, size, features))
    circuit = Circuit(size)

    def angles(layer: int, k: int) -> list[Any]:
        bias = [theta[layer, q, k] for q in range(size)]
        return bias if k >= features else [b + weight[layer, q, k] * x[k] for q, b in enumerate(bias)]

    for layer in range(layers):
        for k in range(0, 3 * blocks, 3):
            circuit.rz(angles(layer, k), range(size)).ry(angles(layer, k + 1), range(size))
            circuit.rz(angles(layer, k + 2), range(size))
        if layer < layers - 1:
            for first in (0, 1):
                for q in range(first, size - 1, 2):
                    circuit.cz(q, q + 1)
    return circuit


def fidelity_circuit(feature_map: Circuit, suffix: str = "_other") -> Circuit:
    """U(y)^dagger U(x) of a feature map U: |0...0> comes back with the probability |<phi(y)|phi(x)>|^2.

    How a quantum kernel is measured on a device; on a simulator `qsim.layers.kernel_matrix`
    needs one run a sample. Reference: Havlíček et al., arXiv:1804.11326.

    Args:
        feature_map: a unitary circuit with open parameters.
        suffix: what is added to the names of its parameters for those of U(y)^dagger.

    Raises:
        CircuitError: a circuit that has no inverse, measurements say.
        ParameterError: a suffix that makes no name.

    Example:
        >>> from qsim import execute
        >>> from qsim.library import fidelity_circuit, iqp
        >>> from qsim.results import Probabilities
        >>> circuit = fidelity_circuit(iqp(2))
        >>> print(execute(circuit, Probabilities(), {"x": [0.1, 0.2], "x_other": [0.1, 0.2]})[0].round(3))
        1.0
    """
    if not isinstance(feature_map, Circuit):
        raise CircuitError(f"Argument `feature_map` must be a Circuit, but is {type(feature_map).__name__}.")
    if not isinstance(suffix, str) or not suffix:
        raise ParameterError(f"Argument `suffix` must be what is added to names, such as '_other', but is {suffix!r}.")
    return feature_map.extend(_renamed(feature_map.inverse(), suffix))


def _renamed(circuit: Circuit, suffix: str) -> Circuit:
    """The circuit with `suffix` added to the names of its parameters."""
    others: dict[str, Any] = {}
    for name, shape in circuit.parameter_shapes().items():
        is_vector = next(p for p in circuit.parameters if p.sort_key[0] == name).vector is not None
        others[name] = np.asarray(ParameterVector(name + suffix, shape)) if is_vector else Parameter(name + suffix)
    changed = []
    for i in circuit.instructions:
        op = i.operation
        if any(map(is_symbolic, op.params)):
            values = [p.bind(others) if is_symbolic(p) else p for p in op.params]
            i = Instruction(op.replace(values, getattr(op, "arrays", ())), i.qubits, i.clbits)
        changed.append(i)
    return circuit.with_instructions(changed)


def _encoding(num_features: Any, repeats: Any, edges: Any, name: str) -> tuple[int, tuple[Edge, ...], ParameterVector]:
    size = check_int("num_features", num_features, CircuitError, minimum=1)
    check_int("repeats", repeats, CircuitError)
    pairs = complete_edges(size) if edges is None else check_edges(edges, size, CircuitError)
    return size, pairs, ParameterVector(name, (size,))
