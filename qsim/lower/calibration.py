"""The constants of the cost model: sensible ones, and those that `qsim calibrate` measured on this machine.

Measured ones are read once in a process, at the first use, from a file in the folder that
QSIM_CACHE_DIR names, so that plans do not change while it runs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import warnings
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from qsim._errors import SerialError
from qsim.ir.json_nodes import Node
from qsim.ir.serial import Kind, add_kind, load

LEAST, MOST = 1e-4, 1e6
"""What a constant may be: anything else in a file is no measurement."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What the parts of a program cost.

    The defaults were measured on one core of a 2-core x86 machine with AVX-512, complex64, but for blocks of 2 and 3
    qubits: `benchmarks/NOTES.md`, "Cost model". All but the last five are nanoseconds per amplitude.

    Attributes:
        gather: a block reached by a bit-permuting gather.
        product_2, product_3, product_4: a block of so many qubits, reached by rotating the bits.
        rotation: rotating the bits to the next window.
        sign, phase: signs, and phases, across windows.
        flip: a step that pairs amplitudes j and j ^ x.
        wide: an operation by itself, with two transposes of the state.
        read: making the initial state, and reading a result off the last one.
        far: the factor on all of these at 20 qubits and more, where states lie outside the nearest caches.
        backward: the backward pass, in forward passes.
        block: microseconds to make the matrix of a block of 4 qubits, a fourth of that for each qubit less.
        step: microseconds for each step, whatever the number of qubits.
        call: microseconds for each run, whatever is run.
    """

    gather: float = 2.0
    product_2: float = 0.6
    product_3: float = 0.55
    product_4: float = 0.6
    rotation: float = 0.25
    sign: float = 1.25
    phase: float = 2.6
    flip: float = 1.7
    wide: float = 4.5
    read: float = 1.5
    far: float = 1.2
    backward: float = 3.3
    block: float = 4.0
    step: float = 0.6
    call: float = 60.0

    def product(self, k: int) -> float:
        """The price of a block of k qubits that is reached by rotating the bits."""
        return getattr(self, product_name(k))


def product_name(k: int) -> str:
    """Which price of `Costs` a block of k qubits in a sweep has."""
    return f"product_{min(max(k, 2), 4)}"


DEFAULT = Costs()
NARROW_VECTORS = Costs(
    gather=3.5,
    product_2=1.35,
    product_3=1.4,
    product_4=2.6,
    rotation=0.11,
    sign=0.57,
    phase=3.4,
    flip=6.2,
    wide=7.6,
    read=0.5,
    far=1.4,
    backward=2.2,
    block=9.8,
    step=1.6,
    call=170.0,
)
"""Those of one core of a 2-core x86 machine with AVX2: products of matrices take twice as long and more."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What measured costs hold for.

    Attributes:
        processor: its model. device: the kind of JAX's default device. jaxlib: the version.
    """

    processor: str
    device: str
    jaxlib: str

    @property
    def file_name(self) -> str:
        """The name of the file for this machine."""
        text = "\n".join((self.processor, self.device, self.jaxlib))
        return f"costs-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"


@dataclass(frozen=True, slots=True)
class Calibration:
    """Costs and the machine they were measured on; `qsim.save` and `qsim.load` know it.

    Example:
        >>> from qsim.ir.serial import from_json, to_json
        >>> from qsim.lower.calibration import Calibration, Costs, Machine
        >>> measured = Calibration(Machine("a processor", "cpu", "0.10.2"), Costs(gather=2.5))
        >>> from_json(to_json(measured)) == measured
        True
    """

    machine: Machine
    costs: Costs = field(default=DEFAULT)


def this_machine() -> Machine:
    """The processor, JAX's default device and jaxlib of this process."""
    model = _said_of_processor("model name") or platform.processor() or platform.machine() or "unknown"
    return Machine(model[:200], _device().device_kind, version("jaxlib"))


@lru_cache(maxsize=1)
def costs() -> Costs:
    """The costs that this process plans and predicts by: measured ones where there are any."""
    folder = os.environ.get("QSIM_CACHE_DIR") or None
    return default_costs() if folder is None else read_costs(Path(folder))


def default_costs() -> Costs:
    """The sensible costs: `NARROW_VECTORS` on processors that do not say that they have AVX-512, as Linux does."""
    if _device().platform != "cpu" or "avx512f" in _said_of_processor("flags").split():
        return DEFAULT
    return NARROW_VECTORS


def read_costs(folder: Path) -> Costs:
    """The costs measured on this machine from its file in `folder`, else the sensible ones.

    Warns:
        UserWarning: a file that cannot be used; it is named, and so is the fix.
    """
    machine = this_machine()
    path = folder / machine.file_name
    if not path.exists():
        return default_costs()
    try:
        found = load(path)
        if not isinstance(found, Calibration):
            raise SerialError(f"{path}: must be a calibration, but is a {type(found).__name__}.")
        if found.machine != machine:
            raise SerialError(f"{path}: is the calibration of another machine, {found.machine}.")
    except SerialError as error:
        warnings.warn(
            f"{error} The cost model's own constants are used instead. Run `qsim calibrate` to write the file anew, "
            "or delete it.",
            stacklevel=2,
        )
        return default_costs()
    return found.costs


def _device() -> Any:
    """JAX's default device."""
    default: Any = jax.config.jax_default_device  # pyright: ignore[reportAttributeAccessIssue]
    return jax.devices(default)[0] if isinstance(default, str) else default or jax.devices()[0]


def _said_of_processor(name: str) -> str:
    """What the system says of the first processor under this name; nothing where it does not."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            found, _, value = line.partition(":")
            if found.strip() == name:
                return value.strip()
    except OSError:
        pass
    return ""


def _read(node: Node) -> Calibration:
    machine = Machine(**{f.name: node.get(f.name).text(200) for f in fields(Machine)})
    values = node.get("costs")
    return Calibration(machine, Costs(**{f.name: values.get(f.name).number(LEAST, MOST) for f in fields(Costs)}))


add_kind(Kind("calibration", Calibration, lambda c: {**asdict(c.machine), "costs": asdict(c.costs)}, _read))
