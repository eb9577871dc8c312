"""The global defaults: two slots, read at the boundary by `Circuit.execute`, `circuit()` and the command line.

`execute` and `submit` never look here. What is stored is a name or an object, as given;
`qsim.backends.registry` resolves it.
"""

from __future__ import annotations

import os
from typing import Any

_slots: dict[str, Any] = {"backend": None, "transpiler": None}


def set_backend(backend: Any) -> None:
    """Set what `circuit()` and the command line run on, where nothing else is said.

    Args:
        backend: what `execute(on=...)` takes: a name such as "cpu", "numpy" or
            "vendor@device", or a backend; None goes back to the environment variable
            QSIM_BACKEND, and without it to the local simulator.

    Example:
        >>> import qsim
        >>> qsim.set_backend("numpy")
        >>> qsim.set_backend(None)
    """
    _slots["backend"] = backend


def set_transpiler(transpiler: Any) -> None:
    """Set the transpiler of `circuit()` and the command line, where nothing else is said.

    Args:
        transpiler: a callable `(Circuit, Target) -> Circuit`, or a name in the entry-point
            group `qsim.transpilers`; None leaves the choice to the backend.

    Example:
        >>> import qsim
        >>> qsim.set_transpiler("default")
        >>> qsim.set_transpiler(None)
    """
    _slots["transpiler"] = transpiler


def default_backend() -> Any:
    """What `set_backend` stored, else the value of QSIM_BACKEND, else None."""
    stored = _slots["backend"]
    return stored if stored is not None else os.environ.get("QSIM_BACKEND") or None


def default_transpiler() -> Any:
    """What `set_transpiler` stored, else None."""
    return _slots["transpiler"]
