"""Differentiable quantum circuits as single compiled JAX programs."""

from __future__ import annotations

from qsim import draw, errors, interop, library, primitives, qasm, results
from qsim._defaults import set_backend, set_transpiler
from qsim._execute import execute, execute_with_defaults, explain, submit
from qsim.draw.terminal import terminal_text as _terminal_text
from qsim.ir import circuit as _circuit
from qsim.ir import gates, ops
from qsim.ir.circuit import Circuit
from qsim.ir.layout import Layout, Padding
from qsim.ir.parameter import Parameter, ParameterVector
from qsim.ir.pauli import I, PauliSum, X, Y, Z
from qsim.ir.serial import load, save
from qsim.ir.target import Target
from qsim.lower import pytrees as _pytrees  # noqa: F401  registers Circuit and PauliSum as pytrees

__all__ = [
    "Circuit",
    "I",
    "Layout",
    "Padding",
    "Parameter",
    "ParameterVector",
    "PauliSum",
    "Target",
    "X",
    "Y",
    "Z",
    "draw",
    "errors",
    "execute",
    "explain",
    "gates",
    "interop",
    "library",
    "load",
    "ops",
    "primitives",
    "qasm",
    "results",
    "save",
    "set_backend",
    "set_transpiler",
    "submit",
]

_circuit.hooks.execute = execute_with_defaults
_circuit.hooks.text, _circuit.hooks.html = _terminal_text, draw.html
