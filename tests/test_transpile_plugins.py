"""Transpilers of other packages behind the same call, and the best of several."""

from __future__ import annotations

import pytest

from qsim import Circuit, Parameter
from qsim._errors import TargetError
from qsim.backends.registry import find_transpiler
from qsim.ir.target import Target
from qsim.testing import assert_equivalent
from tests.transpile_circuits import num_two_qubit, random_circuit
from transpile import best_of, preset
from transpile.plugins import Outside

TARGETS = {
    "line": Target.line(5, ["rz", "sx", "x", "cz"]),
    "all joined": Target(5, None, ["rz", "sx", "x", "cx"]),
    "prx": Target.star(5, ["rz", "prx", "cz"]),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["qiskit:1", "qiskit:3", "pytket"])
def test_other_transpilers_keep_the_action(name: str, target: str):
    pytest.importorskip(name.partition(":")[0])
    circuit = random_circuit(4, 20, 0, max_qubits=3)
    made = find_transpiler(name)(circuit, TARGETS[target])
    assert TARGETS[target].first_violation(made) is None
    assert_equivalent(circuit, made)


@pytest.mark.parametrize(
    "circuit, target, words",
    [
        (Circuit(2).rx(Parameter("t"), 0), TARGETS["line"], "open parameters.*Bind"),
        (Circuit(2, num_clbits=1).measure(0, 0), TARGETS["line"], "measurements"),
        (Circuit(2).cx(0, 1), Target.line(3), "one list of natives"),
    ],
)
def test_what_they_cannot_take_is_refused_in_words(circuit: Circuit, target: Target, words: str):
    for package in ("qiskit", "pytket"):
        with pytest.raises(TargetError, match=words):
            Outside(package)(circuit, target)
    with pytest.raises(TargetError, match="package"):
        Outside("other")


def test_the_time_limit_holds():
    with pytest.raises(TargetError, match="stopped"):
        Outside("qiskit", timeout=0.01)(Circuit(2).cx(0, 1), TARGETS["line"])


def test_the_best_of_several_is_no_worse_than_any():
    circuit, target = random_circuit(5, 40, 1), TARGETS["line"]
    single = [preset(1, seed)(circuit, target) for seed in range(3)]
    best = best_of(*[preset(1, seed) for seed in range(3)])(circuit, target)
    assert num_two_qubit(best) == min(map(num_two_qubit, single))
    assert_equivalent(circuit, best)
    with pytest.raises(TargetError, match="callables"):
        best_of()
