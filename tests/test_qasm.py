"""OpenQASM 2: read and written as Qiskit reads it, global phase included; hostile text is refused in time."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from conftest import shared_files
from qiskit import qasm2
from qiskit.quantum_info import Operator

from qsim import Circuit, Parameter, qasm
from qsim._errors import CircuitError, ParameterError, QasmError
from qsim.ir.operation import Conditional, Controlled, Gate, Measure, Reset, row_of, rows
from qsim.ir.ops import QFT, Unitary
from qsim.qasm.meaning import steps_of
from qsim.qasm.names import QELIB1, definitions, qasm_name

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
ANGLES = (0.7, -1.3, 2.9, 0.4)


def read(body: str) -> Circuit:
    return qasm.loads(HEAD + body)


def matrix_of(circuit: Circuit) -> np.ndarray:
    """The unitary of a small circuit, one tensordot per operation, in complex128."""
    n = circuit.num_qubits
    state = np.eye(1 << n, dtype=complex).reshape((2,) * n + (-1,))
    for i in circuit.instructions:
        k = len(i.qubits)
        if i.operation.name in ("barrier", "measure"):
            continue
        matrix = np.asarray(i.operation.matrix(np)).reshape((2,) * (2 * k))
        state = np.tensordot(matrix, state, axes=(range(k, 2 * k), i.qubits))
        state = np.moveaxis(state, range(k), i.qubits)
    return state.reshape(1 << n, 1 << n)


def qiskit_circuit(text: str):
    return qasm2.loads(text, custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)


def qiskit_matrix(text: str) -> np.ndarray:
    """Qiskit's unitary, qubit 0 most significant."""
    circuit = qiskit_circuit(text)
    circuit.remove_final_measurements()
    return Operator(circuit.reverse_bits()).data


def refused(text: str) -> QasmError:
    with pytest.raises(QasmError) as caught:
        qasm.loads(text)
    assert caught.value.line is not None and caught.value.column is not None
    assert f"line {caught.value.line}, column {caught.value.column}: " in str(caught.value)
    return caught.value


# -------------------------------------------------------------------- reading what Qiskit reads


def qelib1_calls() -> list[str]:
    calls = []
    for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS:
        if gate.name in QELIB1:
            params = ",".join(map(str, ANGLES[: gate.num_params])) if gate.name != "u0" else "1"
            qubits = ",".join(f"q[{k}]" for k in reversed(range(gate.num_qubits)))
            calls.append(f"{gate.name}({params}) {qubits};" if gate.num_params else f"{gate.name} {qubits};")
    assert len(calls) == len(QELIB1)
    return calls


@pytest.mark.parametrize("call", qelib1_calls())
def test_qelib1_gate_is_the_gate_of_qiskit(call):
    text = HEAD + f"qreg q[{call.count('q[')}];\n" + call
    np.testing.assert_allclose(matrix_of(qasm.loads(text)), qiskit_matrix(text), atol=1e-12)


def test_every_qelib1_name_is_known_and_the_builtins_need_no_include():
    text = "OPENQASM 2.0; qreg a[1]; qreg b[1]; U(0.3, 0.2, 0.1) a[0]; CX a[0], b[0];"
    np.testing.assert_allclose(matrix_of(qasm.loads(text)), qiskit_matrix(text), atol=1e-12)
    assert "is not defined. Try include" in str(refused("OPENQASM 2.0; qreg q[1]; h q[0];"))


@pytest.mark.parametrize("path", shared_files("circuits", "*.qasm"), ids=lambda path: path.stem)
def test_public_programs_hold_the_gates_that_qiskit_reads(path):
    ours, theirs = qasm.load(path), qiskit_circuit(path.read_text())
    assert (ours.num_qubits, len(ours)) == (theirs.num_qubits, len(theirs.data))
    matrices: dict[object, np.ndarray] = {}
    for i, other in zip(ours.instructions, theirs.data, strict=True):
        assert list(i.qubits) == [theirs.find_bit(q).index for q in other.qubits]
        key = (other.operation.name, tuple(other.operation.params), i.operation)
        if key not in matrices:
            k = len(i.qubits)
            theirs_flipped = Operator(other.operation).reverse_qargs().data
            matrices[key] = np.asarray(i.operation.matrix(np)).reshape(1 << k, 1 << k) - theirs_flipped
            np.testing.assert_allclose(matrices[key], 0, atol=1e-12)
    again = qasm.loads(qasm.dumps(ours))
    assert again.instructions == ours.instructions


@pytest.mark.slow
def test_twenty_thousand_gates_are_read_well_under_a_second():
    lines = [f"u3(0.{k},pi/4,-1.5e-3) q[{k % 20}]; cx q[{k % 20}],q[{(k + 1) % 20}];" for k in range(10_000)]
    text = HEAD + "qreg q[20];\n" + "\n".join(lines)
    begin = time.process_time()
    assert len(qasm.loads(text)) == 20_000
    assert time.process_time() - begin < 1.5


def test_registers_are_numbered_in_order_of_declaration():
    circuit = read("qreg b[2]; creg y[1]; qreg a[3]; creg x[2]; x a[0]; x b[1]; measure a[2] -> x[1];")
    assert [i.qubits for i in circuit.instructions] == [(2,), (1,), (4,)]
    assert [(r.name, r.start, r.size) for r in circuit.cregs] == [("y", 0, 1), ("x", 1, 2)]
    assert circuit.instructions[-1].clbits == (2,)


def test_statements_broadcast_over_registers():
    circuit = read(
        "qreg q[3]; qreg r[3]; creg c[3]; h q; cx q, r; cx q[1], r; barrier q[0], r; measure q -> c; reset r;"
    )
    assert circuit.count_ops() == {"h": 3, "cx": 6, "barrier": 1, "measure": 3, "reset": 3}
    assert [i.qubits for i in circuit.instructions[3:9]] == [(0, 3), (1, 4), (2, 5), (1, 3), (1, 4), (1, 5)]
    assert circuit.instructions[9].qubits == (0, 3, 4, 5)


def test_definitions_count_and_override():
    text = HEAD + (
        "gate h q { x q; }\n"
        "gate turn(a, b) p, q { rx(a*b) q; barrier p, q; rzz(-b/2) q, p; h p; }\n"
        "gate nothing q { }\n"
        "qreg q[2]; turn(0.3, 2) q[0], q[1]; h q[1]; nothing q;"
    )
    circuit = qasm.loads(text)
    assert circuit.count_ops() == {"rx": 1, "barrier": 1, "rzz": 1, "x": 2}
    expected = Circuit(2).rx(0.6, 1).rzz(-1.0, 1, 0).x(0).x(1)
    np.testing.assert_allclose(matrix_of(circuit), matrix_of(expected), atol=1e-14)


def test_a_definition_before_the_include_stays():
    circuit = qasm.loads("OPENQASM 2.0; gate h q { U(0, 0, pi) q; } include 'qelib1.inc'; qreg q[1]; h q; x q;")
    assert circuit.count_ops() == {"u": 1, "x": 1}


def test_conditions_resets_and_measurements_keep_their_line():
    circuit = read("qreg q[2]; creg c[2];\nmeasure q[0] -> c[0];\nif (c == 3) cx q[0], q[1];\nreset q[0];")
    measure, conditional, reset = (i.operation for i in circuit.instructions)
    assert (measure, reset) == (Measure(), Reset())
    assert conditional == Conditional(Gate(row_of("cx")), "c", 3)
    assert (measure.line, conditional.line, reset.line) == (4, 5, 6)
    text = qasm.dumps(circuit)
    assert "if(c==3) cx q[0],q[1];" in text and "reset q[0];" in text
    assert qasm.loads(text) == circuit


EXPRESSIONS = {
    "pi/2": math.pi / 2,
    "-pi": -math.pi,
    "2^3^2": 512.0,
    "-2^2": -4.0,
    "2^-1": 0.5,
    "1-2-3": -4.0,
    "8/4/2": 1.0,
    "2+3*4-1": 13.0,
    "-(1+2)*-3": 9.0,
    "sin(pi/6)": 0.5,
    "cos(0)+tan(0)": 1.0,
    "ln(exp(2))": 2.0,
    "sqrt(16)^0.5": 2.0,
    "3*-2": -6.0,
    "--+-1": -1.0,
    ".5e1+1.e-1": 5.1,
    "007": 7.0,
    "1e3": 1000.0,
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text):
    (angle,) = read(f"qreg q[1]; rx({text}) q[0];").instructions[0].operation.params
    assert angle == pytest.approx(EXPRESSIONS[text], rel=1e-15)
    defined = read(f"gate g(a) q {{ rx(a*0+{text}) q; }} qreg q[1]; g(5) q;")
    assert defined.instructions[0].operation.params[0] == pytest.approx(EXPRESSIONS[text], rel=1e-15)


def test_comments_empty_programs_and_files(tmp_path):
    assert qasm.loads("") == Circuit(0)
    assert qasm.loads("// nothing\n\n//") == Circuit(0)
    assert qasm.loads("OPENQASM 2.0; // head\r\nqreg q[1];// tail").num_qubits == 1
    path = tmp_path / "bell.qasm"
    qasm.dump(Circuit(2).h(0).cx(0, 1), path)
    assert qasm.load(path) == Circuit(2).h(0).cx(0, 1)
    path.write_bytes(b"OPENQASM 2.0;\nqreg \xff[1];")
    with pytest.raises(QasmError, match="line 2, column 6: the file is not UTF-8"):
        qasm.load(path)
    with pytest.raises(FileNotFoundError):
        qasm.load(tmp_path / "missing.qasm")


# -------------------------------------------------------------------- refusals

REFUSED = {
    "h q[0]": (3, 18, "expected `;`, but the text ends here"),
    "h q[2];": (3, 14, "index 2 is out of range; register `q` has 2 elements"),
    "h r;": (3, 14, "register `r` is not declared"),
    "h c[0];": (3, 14, "`c` must be a quantum register here, but is a `creg`"),
    "hh q[0];": (3, 12, "gate `hh` is not defined"),
    "cx q[0], q[0];": (3, 12, "gate `cx` must act on different qubits"),
    "cx q, q[1];": (3, 12, "gate `cx` must act on different qubits"),
    "cx q[0];": (3, 12, "gate `cx` acts on 2 qubits, but is given 1"),
    "rx q[0];": (3, 12, "gate `rx` takes 1 parameters, but is given 0"),
    "rx(1,2) q[0];": (3, 12, "gate `rx` takes 1 parameters, but is given 2"),
    "rx(1/0) q[0];": (3, 12, "an angle of gate `rx` is not a number"),
    "rx(ln(0-1)) q[0];": (3, 12, "an angle of gate `rx` is not a number"),
    "rx((0-8)^(1/3)) q[0];": (3, 12, "an angle of gate `rx` is not a number"),
    "rx(1e999) q[0];": (3, 12, "not a finite number"),
    "rx(theta) q[0];": (3, 15, "expected a number, pi or a function, but found `theta`"),
    "rx(1 2) q[0];": (3, 17, "expected `,`, `)` or an operator, but found `2`"),
    "rx(sin 2) q[0];": (3, 19, "expected `(` after `sin`"),
    "rx((1) q[0];": (3, 19, "expected `,`, `)` or an operator, but found `q`"),
    "rx((1 q[0];": (3, 18, "expected `)` or an operator, but found `q`"),
    "rx() q[0];": (3, 12, "takes 1 parameters"),
    "qreg q[1];": (3, 12, "`q` is defined twice"),
    "qreg z[0];": (3, 12, "must have at least 1 element"),
    "qreg z[1000000000];": (3, 12, "has 1000000000 elements, but a program may have at most 1000000 qubits"),
    f"qreg z[{'9' * 5000}];": (3, 19, "must have at most 18 digits, but has 5000"),
    "creg z[999999999];": (3, 12, "at most 1000000 classical bits"),
    "qreg pi[1];": (3, 17, "`pi` is a word of the language"),
    "gate g a { h b; }": (3, 25, "in gate `g`: `b` is not one of its qubits"),
    "gate g a { h a[0]; }": (3, 25, "in gate `g`: `a` is not one of its qubits"),
    "gate g a { g a; }": (3, 23, "gate `g` is not defined"),
    "gate g a { measure a -> c; }": (3, 23, "`measure` cannot stand here"),
    "gate g a, a { }": (3, 22, "`a` stands twice in one list"),
    "gate g(t) a { rx(u) a; }": (3, 29, "or a parameter of the gate (t)"),
    "gate g(t) a { rx(t) a; } g(1/3) q; gate g a { }": (3, 47, "`g` is defined twice"),
    "gate g(t) a { rx(1/t) a; } g(0) q[0];": (3, 39, "an angle of gate `g` is not a number"),
    "gate g a { h a;": (3, 27, "expected a statement, but the text ends here"),
    "opaque magic(a) b, d; magic(1) q[0], q[1];": (3, 34, "is or contains an opaque gate"),
    "measure q -> c[0];": (3, 12, "2 qubits cannot be measured into 1 classical bits"),
    "measure c -> q;": (3, 20, "must be a quantum register"),
    "if (q == 1) h q[0];": (3, 12, "must be a classical register"),
    "if (c == 1) barrier;": (3, 31, "expected the name of a register or qubit"),
    "if (c == 1) if (c == 1) h q;": (3, 24, "`if` cannot stand here"),
    'include "other.inc";': (3, 12, "no files are read"),
    "include qelib1;": (3, 20, "expected a file name in quotes"),
    "OPENQASM 2.0;": (3, 12, "must be the first statement"),
    "h q[0]; @": (3, 20, "unexpected character '@'"),
    "h q[-1];": (3, 16, "expected an index, but found `-`"),
    "qreg r[3]; cx q, r;": (3, 29, "registers `q` (2) and `r` (3) must have one size"),
}


@pytest.mark.parametrize("body", REFUSED, ids=range(len(REFUSED)))
def test_bad_text_is_refused_with_its_place(body):
    line, column, message = REFUSED[body]
    error = refused(f'OPENQASM 2.0; include "qelib1.inc";\nqreg q[2]; creg c[2];\n           {body}')
    assert (error.line, error.column) == (line, column), str(error)
    assert message in str(error)


def doubling(depth: int, first: str) -> str:
    gates = [f"gate g0 a {{ {first} }}"]
    gates += [f"gate g{k} a {{ g{k - 1} a; g{k - 1} a; }}" for k in range(1, depth + 1)]
    return HEAD + "\n".join(gates) + f"\nqreg q[1];\ng{depth} q[0];"


HOSTILE = {
    "a billion qubits": (HEAD + "qreg q[1000000000];", "at most 1000000 qubits"),
    "many registers": (HEAD + "".join(f"qreg q{k}[900000];" for k in range(9)), "at most 1000000 qubits"),
    "nested brackets": (
        HEAD + f"qreg q[1];\nrx({'(' * 100_000}1{')' * 100_000}) q[0];",
        "brackets are nested more than 200 deep",
    ),
    "nested functions": (HEAD + f"qreg q[1]; rx({'sin(' * 100_000}1", "brackets are nested more than 200 deep"),
    "exponential definitions": (doubling(60, "h a;"), "operations or more, above the limit of 5000000"),
    "exponential nothing": (doubling(60, ""), "operations or more, above the limit of 5000000"),
    "definitions in a long chain": (
        HEAD + "gate g0 a { h a; }\n" + "\n".join(f"gate g{k} a {{ g{k - 1} a; }}" for k in range(1, 5_000)),
        "nests definitions more than 1000 deep",
    ),
    "broadcast over much": (HEAD + f"qreg q[1000000];\ngate g a {{ {'h a;' * 5} }} g q;", "above the limit of 5000000"),
    "a million registers": (HEAD + "".join(f"creg c{k}[1];" for k in range(20_000)), "at most 10000 registers"),
    "broad barriers": (HEAD + "qreg q[1000000];\n" + "barrier q;" * 6, "above the limit of 5000000"),
    "exponential sums": (
        doubling(12, "rx(0" + "+0" * 50_000 + ") a;"),
        "operations or more, above the limit of 5000000",
    ),
    "an open string": (HEAD + 'include "' + "x" * 100_000, "unexpected character '\"'"),
    "letters only": ("a" * 1_000_000, "expected the name of a register or qubit"),
    "OpenQASM 3": ("OPENQASM 3.0; qubit[2] q;", "only OpenQASM 2.0 can be read, but the text is of version 3.0"),
    "a null byte": (HEAD + "qreg q[1]\x00;", "unexpected character '\\x00'"),
}


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.slow
def test_hostile_text_is_refused_in_time(what):
    text, message = HOSTILE[what]
    begin = time.process_time()
    error = refused(text)
    assert message in str(error)
    assert len(str(error)) < 300
    assert time.process_time() - begin < 20


def test_long_flat_expressions_and_signs_are_fine():
    circuit = read(f"qreg q[1]; rx({'+'.join(['1e-5'] * 100_000)}) q[0]; rx({'-' * 100_000}1) q[0];")
    assert [i.operation.params[0] for i in circuit.instructions] == pytest.approx([1.0, 1.0])


def test_text_that_is_too_long_is_refused(monkeypatch):
    monkeypatch.setattr("qsim.qasm.lexer.MAX_CHARACTERS", 1000)
    with pytest.raises(QasmError, match="must have at most 1000 characters, but has 1001"):
        qasm.loads(" " * 1001)
    with pytest.raises(QasmError, match="Argument `text` must be a str"):
        qasm.loads(b"OPENQASM 2.0;")  # type: ignore[arg-type]


# -------------------------------------------------------------------- writing


def table_circuit(row) -> Circuit:
    n = max(1, row.num_qubits)
    return Circuit(n).append(Gate(row, ANGLES[: len(row.params)]), tuple(reversed(range(row.num_qubits))))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)
def test_every_gate_is_written_and_read_back_as_itself(row):
    circuit = table_circuit(row)
    text = qasm.dumps(circuit)
    if row.num_qubits:
        assert qasm.loads(text) == circuit
        assert text.splitlines()[-1].startswith(qasm_name(row))
        np.testing.assert_allclose(qiskit_matrix(text), matrix_of(circuit), atol=1e-12)
    else:
        assert f"// global phase: {ANGLES[0]}" in text and len(qasm.loads(text)) == 0


@pytest.mark.parametrize("name", definitions())
def test_the_definition_of_a_gate_is_exactly_the_gate(name):
    row = definitions()[name]
    params = ANGLES[: len(row.params)]
    steps = Circuit(row.num_qubits, steps_of(Gate(row, params)))
    np.testing.assert_allclose(matrix_of(steps), row.matrix(np, *params), atol=1e-14)


def test_prx_is_written_as_r():
    text = qasm.dumps(Circuit(1).prx(0.1, 0.2, 0))
    assert "gate r(" in text and text.endswith("\nr(0.1,0.2) q[0];")


UNDER_CONTROL = [
    (name, state)
    for name in ["x", "h", "rz", "u", "gphase", "cx", "cu", "swap", "rxx", "ecr", "fsim"]
    for state in ["1", "0", "101", "1111", "11111", "0101101"]
    if row_of(name).num_qubits + len(state) <= 8
]


@pytest.mark.parametrize(("name", "state"), UNDER_CONTROL)
def test_controlled_gates_are_written_exactly(name, state):
    row = row_of(name)
    base = Gate(row, ANGLES[: len(row.params)])
    gate = Controlled(base, len(state), state)
    qubits = tuple(np.random.default_rng(1).permutation(gate.num_qubits).tolist())
    circuit = Circuit(gate.num_qubits).append(gate, qubits)
    text = qasm.dumps(circuit)
    phase = np.exp(1j * phase_of(text))
    np.testing.assert_allclose(phase * matrix_of(qasm.loads(text)), matrix_of(circuit), atol=1e-9)
    np.testing.assert_allclose(phase * qiskit_matrix(text), matrix_of(circuit), atol=1e-9)


def phase_of(text: str) -> float:
    lines = [line for line in text.splitlines() if line.startswith("// global phase: ")]
    return float(lines[0].split(": ")[1]) if lines else 0.0


def test_names_of_controlled_gates_are_used():
    gates = [Controlled(Gate(row_of("x")), 3), Controlled(Gate(row_of("x")), 4), Controlled(Gate(row_of("sx")), 3)]
    circuit = Circuit(5)
    for gate in gates:
        circuit.append(gate, range(gate.num_qubits))
    lines = qasm.dumps(circuit).splitlines()[-3:]
    assert [line.split()[0] for line in lines] == ["c3x", "c4x", "c3sqrtx"]
    assert qasm.loads(qasm.dumps(circuit)) == circuit


def test_a_gate_under_twenty_controls_stays_small():
    text = qasm.dumps(Circuit(21).append(Controlled(Gate(row_of("x")), 20), range(21)))
    assert len(text.splitlines()) < 4_000


def test_high_level_operations_are_expanded():
    rng = np.random.default_rng(0)
    matrix, _ = np.linalg.qr(rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4)))
    circuit = Circuit(3).append(Unitary(matrix), (2, 0)).append(QFT(3), (0, 1, 2))
    text = qasm.dumps(circuit)
    expected = matrix_of(circuit)
    np.testing.assert_allclose(np.exp(1j * phase_of(text)) * matrix_of(qasm.loads(text)), expected, atol=1e-9)
    np.testing.assert_allclose(np.exp(1j * phase_of(text)) * qiskit_matrix(text), expected, atol=1e-9)


class Swap2:
    """A third-party operation."""

    name, num_qubits, num_clbits, num_params, params = "swap2", 2, 0, 0, ()


class SwapMatrix(Swap2):
    def matrix(self, xp):
        return xp.asarray(np.eye(4)[[0, 2, 1, 3]] + 0j)


class SwapDefined(Swap2):
    def definition(self):
        return Circuit(2).swap(1, 0)


def test_third_party_operations_are_expanded_or_named():
    assert qasm.dumps(Circuit(3).append(SwapDefined(), (2, 0))).endswith("\nswap q[0],q[2];")
    text = qasm.dumps(Circuit(2).append(SwapMatrix(), (1, 0)))
    phase = np.exp(1j * phase_of(text))
    np.testing.assert_allclose(phase * matrix_of(qasm.loads(text)), np.eye(4)[[0, 2, 1, 3]], atol=1e-9)
    with pytest.raises(QasmError, match="operation `swap2` has no name in OpenQASM 2"):
        qasm.dumps(Circuit(2).append(Swap2(), (0, 1)))


def test_open_parameters_are_named():
    theta = Parameter("theta")
    with pytest.raises(ParameterError, match=r"rx on qubits \(1,\): parameter `theta` has no value"):
        qasm.dumps(Circuit(2).rx(2 * theta, 1))
    assert "rx(0.5) q[1];" in qasm.dumps(Circuit(2).rx(2 * theta, 1).bind({"theta": 0.25}))


def test_values_of_jax_are_written_and_traced_ones_refused():
    import jax
    import jax.numpy as jnp

    assert "rx(0.5) q[0];" in qasm.dumps(Circuit(1).rx(jnp.float32(0.5), 0))
    with pytest.raises(ParameterError, match="rx: a parameter is traced by JAX"):
        jax.jit(lambda t: len(qasm.dumps(Circuit(1).rx(t, 0))))(0.5)


def test_angles_are_plain_numbers_that_read_back_exactly():
    angles = [1e-5, 1e300, 5e-324, -0.1, 1 / 3, math.pi, 0.0]
    circuit = Circuit(1)
    for angle in angles:
        circuit.rx(angle, 0)
    text = qasm.dumps(circuit)
    assert "rx(1.0e-05) q[0];" in text
    assert qasm.loads(text) == circuit
    assert qiskit_circuit(text).data[2].operation.params[0] == 5e-324


def test_registers_of_bits_are_kept_and_renamed_where_the_language_asks():
    circuit = Circuit(2, num_clbits={"alpha": 1, "q": 2, "Big": 1, "cx": 1})
    circuit.measure([0, 1], [0, 2]).measure([1, 0], [3, 4])
    text = qasm.dumps(circuit)
    assert [r.name for r in qasm.loads(text).cregs] == ["alpha", "q_", "c_Big", "cx_"]
    assert [i.clbits for i in qasm.loads(text).instructions] == [(0,), (2,), (3,), (4,)]
    assert qiskit_circuit(text).num_clbits == 5


@pytest.mark.parametrize("num_qubits", [0, 1, 2])
def test_empty_circuits(num_qubits):
    assert qasm.loads(qasm.dumps(Circuit(num_qubits))) == Circuit(num_qubits)
    assert qasm.loads(qasm.dumps(Circuit(num_qubits).barrier())).num_qubits == num_qubits


def test_dumps_refuses_what_is_no_circuit(tmp_path):
    with pytest.raises(QasmError, match="Argument `circuit` must be a Circuit, but is str"):
        qasm.dumps("qreg q[1];")  # type: ignore[arg-type]
    path = tmp_path / "kept.qasm"
    path.write_text("old")
    with pytest.raises(ParameterError):
        qasm.dump(Circuit(1).rx(Parameter("t"), 0), path)
    assert path.read_text() == "old"


def test_a_unitary_of_millions_of_gates_is_refused_before_it_is_expanded():
    with pytest.raises(CircuitError, match="unitary on 10 qubits: .* at most 8 qubits"):
        qasm.dumps(Circuit(10).unitary(np.eye(1 << 10), range(10)))


def test_a_byte_order_mark_is_no_part_of_the_program():
    assert len(qasm.loads("\ufeffOPENQASM 2.0; qreg q[1]; U(0,0,0) q[0];")) == 1
