"""Inner loops: machine code where numba is installed and there is enough to do, plain Python elsewhere."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

try:
    import numba
except ImportError:
    numba = None

__all__ = ["Loop", "compile_from_now_on", "compiled", "inner", "is_compiled"]

F = TypeVar("F", bound=Callable[..., object])

CACHE_VARIABLE = "QSIM_CACHE_DIR"

ALLOWANCE = 250_000
"""How many steps may run as plain Python, in one process, before machine code is made: it takes seconds to make."""

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Of numba. Loops allocate nothing: that, and what is counted for it, would take half of the time to compile."""

is_compiled = numba is not None
"""True where the loops can be machine code; searches are then given many more trials."""


class Loop:
    """A loop that can be called from Python: `loop(*arguments, work=steps)`.

    It gives the same as plain Python and as machine code. That is made once in a process, when more
    steps are to be done than `ALLOWANCE`; with QSIM_CACHE_DIR at once, and kept there.

    Args:
        function: of numbers, arrays and named tuples of them; it may call functions that are `inner`.
    """

    __slots__ = ("_machine", "_plain")
    steps_done = 0

    def __init__(self, function: Callable[..., Any]) -> None:
        self._plain: Any = None if numba else function
        self._machine: Any = _machine_code(function) if numba else None

    def __call__(self, *arguments: Any, work: int) -> Any:
        """What the function gives; `work` is about how many steps of some microseconds each it takes in Python."""
        if self._machine is None:
            return _run_plain(self._plain, arguments)
        if getattr(self._machine, "signatures", ()) or os.environ.get(CACHE_VARIABLE):
            return self._machine(*arguments)
        if Loop.steps_done + work > ALLOWANCE:
            Loop.steps_done = ALLOWANCE
            return self._machine(*arguments)
        Loop.steps_done += work
        if self._plain is None:
            self._plain = _plain(self._machine)
        return _run_plain(self._plain, arguments)


def compiled(function: Callable[..., Any]) -> Loop:
    """Make a function a `Loop`."""
    return Loop(function)


def inner(function: F) -> F:
    """A function that loops alone call: without a way in from Python, which takes longest to compile."""
    if numba is None:
        return function
    return numba.njit(function, **OPTIONS, no_cpython_wrapper=True, no_cfunc_wrapper=True)  # type: ignore[return-value]


def compile_from_now_on() -> None:
    """Make machine code of every loop when it is next used, however little there is to do."""
    Loop.steps_done = ALLOWANCE


def _run_plain(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The result, found with lists for one-dimensional arrays: Python reads those several times faster."""
    lists: list[tuple[np.ndarray, list[Any]]] = []

    def listed(argument: Any) -> Any:
        if isinstance(argument, tuple):
            return type(argument)(*map(listed, argument))
        if not isinstance(argument, np.ndarray) or argument.ndim != 1:
            return argument
        lists.append((argument, argument.tolist()))
        return lists[-1][1]

    result = function(*map(listed, arguments))
    for array, values in lists:
        if array.flags.writeable and len(array):
            array[:] = values
    return result


def _plain(function: Any) -> Any:
    """A function as it was before numba, calling others as they were."""
    source = getattr(function, "py_func", function)
    called = {n: source.__globals__.get(n) for n in source.__code__.co_names}
    others = {n: _plain(f) for n, f in called.items() if hasattr(f, "py_func")}
    return FunctionType(source.__code__, {**source.__globals__, **others}, source.__name__)


def _machine_code(function: Callable[..., Any]) -> Any:
    """What compiles at its first call; kept on disk only where QSIM_CACHE_DIR says so."""
    assert numba is not None
    folder = os.environ.get(CACHE_VARIABLE)
    if not folder:
        return numba.njit(function, **OPTIONS)
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = os.path.join(folder, "numba", _sources())  # type: ignore[attr-defined]
    try:
        return numba.njit(function, **OPTIONS, cache=True)
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


def _sources() -> str:
    """A name that changes with any source of a loop: numba looks at the file of the outermost function alone."""
    package = Path(__file__).parents[1]
    files = sorted([*package.glob("routing/*.py"), *package.glob("layout/*.py")])
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()[:16]
