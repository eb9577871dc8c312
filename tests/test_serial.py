"""Round trips of everything that is saved, and refusals of everything that is not what it claims."""

from __future__ import annotations

import json
import os
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsim._errors import SerialError
from qsim.ir import ops
from qsim.ir.circuit import Circuit
from qsim.ir.json_nodes import parse
from qsim.ir.layout import Layout
from qsim.ir.operation import Conditional, Controlled, Gate, Reset, rows
from qsim.ir.parameter import Parameter, ParameterVector
from qsim.ir.pauli import PauliSum, X, Y, Z
from qsim.ir.serial import from_json, load, save, to_json
from qsim.ir.serial_codec import Reader, Writer
from qsim.ir.target import Target

THETA, PHI = Parameter("theta"), ParameterVector("phi", (2, 3))
finite = st.floats(-1e300, 1e300)
arguments = st.one_of(
    finite,
    st.sampled_from([THETA, PHI[1, 2], 2 * THETA - PHI[0, 0] / 3, np.sin(THETA) ** 2, -(THETA + 1) * PHI[1, 1]]),
)


@st.composite
def circuits(draw):
    circuit = Circuit(4, num_clbits={"a": 2, "b": 1})
    for row in draw(st.lists(st.sampled_from(rows()), max_size=8)):
        operation = Gate(row, tuple(draw(arguments) for _ in row.params))
        if draw(st.booleans()) and row.num_qubits < 4:
            operation = Controlled(operation, 1, draw(st.integers(0, 1)))
        circuit.append(operation, draw(st.permutations(range(4)))[: operation.num_qubits])
    if draw(st.booleans()):
        circuit.barrier([2, 0]).append(Reset(), (1,)).append(Conditional(Reset(), "a", 3), (2,))
        circuit.measure([0, 3], [2, 0])
    if draw(st.booleans()):
        circuit = circuit.with_layout(Layout((3, 1), (0, 2)))
    return circuit


@settings(max_examples=60, deadline=None)
@given(circuits())
def test_circuits_come_back_equal(circuit):
    again = from_json(to_json(circuit))
    assert again == circuit and again.key == circuit.key
    np.testing.assert_array_equal(again.numbers(), circuit.numbers())
    assert again.layout == circuit.layout and again.parameters == circuit.parameters
    assert to_json(again) == to_json(circuit)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.dictionaries(st.integers(0, 40), st.sampled_from("XYZ"), max_size=4), finite), max_size=5),
    st.booleans(),
)
def test_pauli_sums_come_back_equal(terms, is_complex):
    values = np.array([value for _, value in terms]) * (1 + 0.5j if is_complex else 1)
    pauli = PauliSum([string for string, _ in terms], values)
    again = from_json(to_json(pauli))
    assert again == pauli and again.coefficients.dtype == pauli.coefficients.dtype


@pytest.mark.parametrize(
    "value",
    [
        Layout((2, 0), (0, 1)),
        Target.ideal(),
        Target.grid(2, 2, ["cz", "prx"]),
        Circuit(0),
        Circuit(1),
        0.5 * X(0) @ Z(3) + Y(1) - 2,
    ],
)
def test_files_come_back_equal(value, tmp_path):
    path = tmp_path / "a.json"
    save(value, path)
    save(value, path)
    assert load(path) == value and load(str(path)) == value
    assert os.listdir(tmp_path) == ["a.json"]
    data = json.loads(path.read_text())
    assert data["format"] == "qsim" and data["version"] == 1


@pytest.mark.parametrize("dtype", ["float64", "complex128", "float32", "complex64", "int64", "int32", "uint8", "bool"])
def test_arrays_come_back_bit_for_bit(dtype):
    rng = np.random.default_rng(0)
    array = (rng.normal(size=(2, 3)) * 100).astype(dtype) if dtype != "uint8" else np.arange(6, dtype=dtype)
    if array.dtype.kind == "c":
        array = array + 1j * array.real.astype(array.real.dtype)
    data = json.loads(json.dumps(Writer().array(array.T)))
    again = Reader({}).array(parse(json.dumps(data)))
    assert again.dtype == array.dtype and again.tobytes() == np.ascontiguousarray(array.T).tobytes()


@pytest.mark.slow
def test_a_hundred_thousand_gates_in_seconds():
    circuit = Circuit(20)
    for q in range(19):
        circuit.rx(0.1 * q, q).cx(q, q + 1)
    circuit = circuit.repeat(100_000 // len(circuit))
    start = time.perf_counter()
    again = from_json(to_json(circuit))
    assert time.perf_counter() - start < 10
    assert again == circuit


def test_jax_values_are_refused_with_the_fix(tmp_path):
    path = tmp_path / "a.json"
    for circuit in (Circuit(1).rx(jnp.float32(0.3), 0), Circuit(2).rx(jnp.ones(2), range(2))):
        with pytest.raises(SerialError, match=r"Instruction 0, rx on qubits \(0,\): .*JAX value.*Bind numbers first"):
            save(circuit, path)
    assert not os.listdir(tmp_path)
    with pytest.raises(SerialError, match="JAX value"):
        to_json(jnp.float32(2) * X(0))

    def traced(t):
        with pytest.raises(SerialError, match="JAX value"):
            to_json(Circuit(1).rx(t, 0))
        return t

    jax.jit(traced)(0.1)


def document(**change):
    return json.dumps(
        {"format": "qsim", "version": 1, "kind": "circuit", "num_qubits": 2, "instructions": [["h", [0]]]} | change
    )


def one(operation, *rest):
    return document(instructions=[[operation, *rest]])


def high_level() -> list:
    """One of each high-level operation, and operations made from them."""
    root = np.exp(2j * np.pi * np.arange(4) / 7)
    pauli = 0.5 * X(0) @ Z(1) - 0.25 * Y(1)
    found = [
        ops.Unitary(np.array([[1, 1j], [1j, 1]]) / np.sqrt(2)),
        ops.Diagonal(root),
        ops.Diagonal([1, -1]),
        ops.Permutation([2, 0, 3, 1]),
        ops.PauliEvolution(pauli, 0.3),
        ops.PauliEvolution(pauli, 2 * THETA, order=2, steps=3, num_qubits=3),
        ops.PauliEvolution(PauliSum([], []), PHI[0, 1]),
        ops.QFT(3),
        ops.PrepareState([0.6, 0, 0, 0.8j]),
        ops.Clifford([[0, 1, 0], [1, 0, 1]]),
    ]
    found += [ops.inverse(operation) for operation in found]
    found += [ops.controlled(found[0], 2, "01"), ops.controlled(found[5]), ops.power(found[1], 0.5)]
    return found


@pytest.mark.parametrize("operation", high_level(), ids=repr)
def test_high_level_operations_come_back_equal(operation):
    circuit = Circuit(4).append(operation, range(operation.num_qubits))
    again = from_json(to_json(circuit))
    assert again == circuit and again.key == circuit.key
    np.testing.assert_array_equal(again.numbers(), circuit.numbers())


def test_every_high_level_operation_is_tried():
    kinds = {getattr(ops, name) for name in ops.__all__ if isinstance(getattr(ops, name), type)}
    assert kinds <= {type(operation) for operation in high_level()}


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (ops.Unitary(jnp.eye(2)), "an array is a JAX value"),
        (ops.PauliEvolution(X(0), jnp.float32(1)), "a parameter is a JAX value"),
        (ops.PauliEvolution(jnp.float32(1) * X(0), 1.0), "an array is a JAX value"),
        (ops.controlled(ops.Diagonal(jnp.ones(2))), "an array is a JAX value"),
    ],
)
def test_high_level_operations_with_jax_values_are_refused(operation, words):
    with pytest.raises(SerialError, match=f"Instruction 0, .*{words}.*numpy.asarray"):
        to_json(Circuit(2).append(operation, range(operation.num_qubits)))


def array(values, dtype="float64"):
    values = np.asarray(values, dtype=dtype)
    return {"dtype": dtype, "shape": list(values.shape), "data": values.reshape(-1).tolist()}


EVOLUTION = {
    "op": "pauli_evolution",
    "hamiltonian": {"terms": ["X0"], "coefficients": array([1.0])},
    "time": 1.0,
    "order": 1,
    "steps": 1,
    "num_qubits": 1,
}


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        ({"op": "unitary", "matrix": array([[1, 1], [1, 1]])}, r"\$\.instructions\[0\]\[0\]: .*unitary"),
        ({"op": "unitary", "matrix": array([1, 1])}, "shape"),
        ({"op": "unitary"}, "needs a member 'matrix'"),
        ({"op": "diagonal", "diagonal": array([1, 2])}, "modulus 1"),
        ({"op": "permutation", "table": array([0, 0], "int64")}, "once"),
        ({"op": "permutation", "table": array([])}, r"\$\.instructions\[0\]\[0\]"),
        ({"op": "qft", "num_qubits": 10**12, "adjoint": False}, "num_qubits"),
        ({"op": "prepare_state", "state": array([1, 1]), "adjoint": False}, "norm"),
        ({"op": "clifford", "tableau": array([[0, 0, 0], [0, 0, 0]], "uint8"), "adjoint": False}, "anticommute"),
        (EVOLUTION | {"steps": 10**12}, r"\.steps"),
        (EVOLUTION | {"order": 8, "steps": 10**6}, "at most .* rotations"),
        (EVOLUTION | {"order": 3}, "order"),
        (EVOLUTION | {"num_qubits": 0}, "given 0 qubits"),
        (EVOLUTION | {"hamiltonian": {"terms": ["X0"], "coefficients": array([])}}, "shape"),
        (EVOLUTION | {"time": "now"}, r"\.time: must be"),
    ],
)
def test_hostile_operations_are_refused_where_they_are_bad(operation, words):
    with pytest.raises(SerialError, match=words):
        from_json(one(operation, [0]))


class Strange:
    name, num_qubits, num_clbits, num_params, params = "strange", 1, 0, 0, ()


def test_unknown_objects_are_refused():
    with pytest.raises(SerialError, match=r"Instruction 0, strange on .*Strange.*definition\(\)"):
        to_json(Circuit(1).append(Strange(), 0))
    with pytest.raises(SerialError, match="Circuit, PauliSum, Target"):
        to_json({"a": 1})


VECTORS = [["v", [2]]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON"),
        ("[" * 200_000, "nested too deep|is not JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        ("1" * 10_000, "is not JSON|must be an object"),
        ("[]", r"\$: must be an object"),
        ("{}", r"needs a member 'format'"),
        (document(format="other"), r"\$\.format: must be 'qsim'"),
        (document(version=2), "newer qsim"),
        (document(version=True), r"\$\.version"),
        (document(kind="recipe"), r"\$\.kind"),
        (document(num_qubits=10**9), r"\$\.num_qubits"),
        (document(num_qubits=-1), r"\$\.num_qubits"),
        (document(num_qubits=2.0), r"\$\.num_qubits"),
        (document(cregs=[["c", 10**12]]), r"\$\.cregs\[0\]\[1\]"),
        (document(cregs=[["c", 1], ["c", 1]]), "there twice"),
        (document(vectors=[["v", [1000, 1000, 1000]]]), r"\$\.vectors\[0\]\[1\]: .*elements in all"),
        (document(vectors=[["v", [2]], ["v", [2]]]), "there twice"),
        (document(vectors=[["0", [2]]]), r"\$\.vectors\[0\]\[0\]"),
        (document(layout={"initial": [0, 0], "final": [0, 1]}), "different places"),
        (document(layout={"initial": [7], "final": [7]}), "beyond the circuit's 2"),
        (document(instructions=[["h"]]), r"\$\.instructions\[0\]"),
        (document(instructions=3), r"\$\.instructions"),
        (one("nope", [0]), r"\$\.instructions\[0\]\[0\]: must be one of"),
        (one("__class__", [0]), "gates of the table"),
        (one("h", [2]), r"\$\.instructions\[0\]\[1\]\[0\]"),
        (one("cx", [1, 1]), "cx"),
        (one("cx", [1]), "acts on 2 qubits"),
        (one("h", [0], [0]), r"\$\.instructions\[0\]\[2\]\[0\]"),
        (one("rx", [0]), "takes 1 parameters, but has 0"),
        (one(["rx", 1e999], [0]), "Infinity|finite"),
        (one(["rx", True], [0]), "finite number"),
        (one(["rx", "theta"], [0]), "must be an object"),
        (one(["rx", {"param": "a b"}], [0]), r"\$\.instructions\[0\]\[0\]\[1\]"),
        (one(["rx", {"param": "v", "index": 0}], [0]), "no parameter vector"),
        (document(vectors=VECTORS, instructions=[[["rx", {"param": "v", "index": 5}], [0]]]), r"\.index"),
        (document(vectors=VECTORS, instructions=[[["rx", {"param": "v"}], [0]]]), "is a vector"),
        (one(["rx", {"code": ["p", "+"], "numbers": [], "params": [{"param": "t"}]}], [0]), "postfix"),
        (one(["rx", {"code": ["p", "p"], "numbers": [], "params": [{"param": "t"}] * 2}], [0]), "postfix"),
        (one(["rx", {"code": ["eval"], "numbers": [], "params": []}], [0]), "'eval' is no token"),
        (one(["rx", {"code": ["n"], "numbers": [1], "params": []}], [0]), "mention a parameter"),
        (one(["rx", {"code": ["p"], "numbers": [1], "params": [{"param": "t"}]}], [0]), r"\.numbers: must have 0"),
        (one({"op": "pickle"}, [0]), r"\$\.instructions\[0\]\[0\]\.op"),
        (one({"op": "controlled", "base": "h", "control_state": ""}, [0]), "num_controls"),
        (one({"op": "controlled", "base": "h", "control_state": "12"}, [0]), "control_state"),
        (one({"op": "if", "base": "h", "register": "c", "value": "-1"}, [0]), "hexadecimal"),
        (one({"op": "barrier", "num_qubits": 10**12}, [0]), "num_qubits"),
    ],
)
def test_hostile_text_is_refused_where_it_is_bad(text, words):
    with pytest.raises(SerialError, match=words):
        from_json(text)


def test_nested_operations_have_a_limit():
    operation = "h"
    for _ in range(100):
        operation = {"op": "if", "base": operation, "register": "c", "value": "1"}
    with pytest.raises(SerialError, match="nested at most 50"):
        from_json(one(operation, [0]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"terms": ["W0"]}, r"\$\.terms\[0\]"),
        ({"terms": ["X99999999"]}, r"\$\.terms\[0\]"),
        ({"terms": ["X0 Z0"]}, "each qubit once"),
        ({"terms": ["X0", "X1"]}, "shape"),
        ({"coefficients": {"dtype": "object", "shape": [1], "data": [1]}}, r"\$\.coefficients\.dtype"),
        ({"coefficients": {"dtype": "float64", "shape": [10**6, 10**6], "data": []}}, r"\$\.coefficients\.shape"),
        ({"coefficients": {"dtype": "float64", "shape": [3], "data": [1]}}, "must have 3 elements"),
        ({"coefficients": {"dtype": "float64", "shape": [1], "data": ["1"]}}, r"data\[0\]: must be a finite number"),
        ({"coefficients": {"dtype": "bool", "shape": [1], "data": [True]}}, "numbers"),
    ],
)
def test_hostile_pauli_sums(change, words):
    data = json.loads(to_json(0.5 * X(0)))
    with pytest.raises(SerialError, match=words):
        from_json(json.dumps(data | change))


def test_bad_files(tmp_path):
    with pytest.raises(SerialError, match="cannot be read"):
        load(tmp_path / "none.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(SerialError, match=r"b\.json: is not UTF-8"):
        load(tmp_path / "b.json")
    (tmp_path / "c.json").write_text(document(num_qubits=-5))
    with pytest.raises(SerialError, match=r"c\.json: \$\.num_qubits"):
        load(tmp_path / "c.json")
    with pytest.raises(SerialError, match="cannot be written"):
        save(X(0), tmp_path / "no" / "d.json")
