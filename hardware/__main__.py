"""`python -m hardware check vendor@device` and `python -m hardware info vendor@device`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

import jax

from hardware.budget import budget, temporary_budget
from hardware.device import Device
from hardware.errors import DeviceError
from qsim.backends import Backend, find_backend
from qsim.errors import QsimError
from qsim.ir.target import Target
from qsim.testing import check_backend

__all__ = ["main"]

MAX_LISTED = 400
"""Edges that are printed at most."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments; those of the process where None.

    Returns:
        The exit status: 0; 1 where a device does something else than it should; 2 for a device that is
        not there or refuses, with one line on standard error; 130 when interrupted.

    Raises:
        SystemExit: by argparse, for `--help` (0) and arguments that cannot be (2).

    Example:
        >>> from hardware.__main__ import main
        >>> main(["info", "local@line3"])
        device   local@line3
        qubits   3
        edges    2: 0-1 1-2
        natives  cz rz sx x
        facts    of no date, made up
        0
    """
    arguments = parser().parse_args(argv)
    logging.getLogger("jax").setLevel(logging.CRITICAL)  # it logs tracebacks of what a device refuses
    try:
        return arguments.command(arguments)
    except AssertionError as failure:
        print(f"{arguments.device}: failed: {_line(failure)}", file=sys.stderr)
        return 1
    except jax.errors.JaxRuntimeError as error:  # what a device raised inside a compiled program, its traceback first
        print(f"hardware: error: {str(error).strip().splitlines()[-1]}", file=sys.stderr)
        return 2
    except (QsimError, OSError) as error:
        print(f"hardware: error: {_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hardware: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The arguments of both commands."""
    top = argparse.ArgumentParser(prog="python -m hardware", description="Devices that execute(on=...) can use.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    command = commands.add_parser("check", help="run the conformance kit on a device")
    command.add_argument("device", metavar="VENDOR@DEVICE")
    command.add_argument("--shots", type=_positive, default=2000, metavar="N", help="of every run (default 2000)")
    command.add_argument(
        "--tolerance",
        type=float,
        metavar="X",
        help="the largest difference from exact values (default 8 / sqrt(shots); a noisy device needs more)",
    )
    command.add_argument("--max-shots", type=_positive, metavar="N", help="the budget, which a paid device needs")
    command.add_argument("--no-gradients", action="store_true", help="leave out gradients, which take most runs")
    command.set_defaults(command=check)
    command = commands.add_parser("info", help="print what is known of a device")
    command.add_argument("device", metavar="VENDOR@DEVICE")
    command.set_defaults(command=info)
    return top


def check(arguments: argparse.Namespace) -> int:
    """Run the conformance kit; what it asserts comes out as AssertionError."""
    backend = find_backend(arguments.device)
    shots = arguments.shots if isinstance(backend, Device) else None
    tolerance = arguments.tolerance
    if tolerance is None:
        tolerance = 1e-4 if shots is None else 8 * shots**-0.5
    size = backend.target.num_qubits
    if size is not None and size < 2:
        raise DeviceError(f"The conformance kit needs 2 qubits, but `{backend.name}` has {size}.")
    with temporary_budget(max_shots=arguments.max_shots):
        check_backend(
            backend,
            num_qubits=3 if size is None else min(3, size),
            shots=shots,
            atol=tolerance,
            gradient=not arguments.no_gradients,
        )
        used = budget()
    checked = "values, composed results, batches, jit, vmap, samples, counts, jobs, refusals"
    print(f"{arguments.device}: passed: {checked}" + ("" if arguments.no_gradients else ", gradients"))
    if shots is not None:
        print(f"{used.submissions} jobs, {used.shots} shots, within {tolerance:.3g} of the exact values")
    return 0


def info(arguments: argparse.Namespace) -> int:
    """Print qubits, edges, natives and the date of the facts."""
    backend = find_backend(arguments.device)
    lines = {"device": arguments.device, **_facts(backend)}
    width = max(map(len, lines))
    for name, value in lines.items():
        print(f"{name:{width}}  {value}")
    return 0


def _facts(backend: Backend) -> dict[str, str]:
    target = backend.target
    size = target.num_qubits
    lines = {"qubits": "any number" if size is None else str(size)}
    if size is not None and len(target.usable_qubits) < size:
        lines["qubits"] += f", of which {len(target.usable_qubits)} are usable"
    lines["edges"] = _edges(target)
    lines["natives"] = _natives(target)
    source = backend.facts.source if isinstance(backend, Device) else None
    lines["facts"] = f"of {target.date or 'no date'}" + ("" if source is None else f", {source}")
    if isinstance(backend, Device) and backend.paid:
        lines["paid"] = "yes: runs need a budget"
    return lines


def _edges(target: Target) -> str:
    if target.edges is None:
        return "every pair"
    pairs = sorted({(min(pair), max(pair)) for pair in target.edge_set})
    shown = " ".join(f"{a}-{b}" for a, b in pairs[:MAX_LISTED])
    return f"{len(pairs)}: {shown}" + (" ..." if len(pairs) > MAX_LISTED else "")


def _natives(target: Target) -> str:
    if target.natives is None and not target.local:
        return "every gate"
    names = {*(target.natives or ()), *(name for table in target.local.values() for name in table)}
    return " ".join(sorted(names))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 999999999, but is {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
