"""The command line: `qsim vqe`, `qsim run`, `qsim explain`, `qsim calibrate` and `qsim info`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from qsim._errors import QsimError
from qsim.cli.calibrate import calibrate
from qsim.cli.info import info
from qsim.cli.run import explain_file, run
from qsim.cli.vqe import vqe

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments; those of the process where None.

    Returns:
        The exit status: 0; 1 where `qsim vqe` ends above chemical accuracy; 2 for bad
        input, with one line on standard error; 130 when interrupted.

    Raises:
        SystemExit: by argparse, for `--help` (0) and arguments that cannot be (2).

    Example:
        >>> from qsim.cli import main
        >>> main(["run", "missing.qasm"])
        2
    """
    arguments = parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except (QsimError, OSError) as error:
        print(f"qsim: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("qsim: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The arguments of all commands."""
    top = argparse.ArgumentParser(prog="qsim", description="Differentiable quantum circuits on JAX.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    command = commands.add_parser(
        "vqe", help="the ground state of a molecule", description="Find the ground state of a molecule by VQE."
    )
    command.add_argument("molecule", help="h2, h4, lih, beh2, h2o, or a FILE.json")
    command.add_argument(
        "--ansatz", choices=("uccsd", "hea"), default="uccsd", help="default: uccsd, from Hartree-Fock"
    )
    command.add_argument("--layers", type=positive, default=4, metavar="N", help="layers of hea (default 4)")
    command.add_argument("--steps", type=positive, default=200, metavar="N", help="at most so many (default 200)")
    command.add_argument("--seed", type=natural, default=0, metavar="S", help="for the start of hea (default 0)")
    command.add_argument("--plot", metavar="FILE.png", help="draw the energies into a file (needs matplotlib)")
    command.set_defaults(command=vqe)

    command = commands.add_parser("run", help="run an OpenQASM 2 program", description="Run an OpenQASM 2 program.")
    command.add_argument("file", metavar="FILE.qasm")
    command.add_argument("--shots", type=positive, metavar="N", help="how often to measure (default 1000)")
    command.add_argument("--seed", type=natural, default=0, metavar="S", help="seed of the measurements (default 0)")
    command.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="ZZI",
        help="an expectation value, one letter I, X, Y, Z a qubit; exact without --shots; may be repeated",
    )
    command.set_defaults(command=run)

    command = commands.add_parser("explain", help="what would be run", description="Say what would be run, and why.")
    command.add_argument("file", metavar="FILE.qasm")
    command.add_argument("--measure", action="store_true", help="also run it, and print what it took")
    command.set_defaults(command=explain_file)

    command = commands.add_parser(
        "calibrate",
        help="measure the cost model on this machine",
        description="Measure for about 30 seconds what steps cost on this machine, and keep it in QSIM_CACHE_DIR.",
    )
    command.set_defaults(command=calibrate)

    command = commands.add_parser("info", help="versions and devices", description="Versions, devices, settings.")
    command.set_defaults(command=info)
    return top


def natural(text: str) -> int:
    """An argument that is a whole number, 0 or more."""
    return _whole(text, 0)


def positive(text: str) -> int:
    """An argument that is a whole number, 1 or more."""
    return _whole(text, 1)


def _whole(text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= least):
        raise argparse.ArgumentTypeError(f"must be a whole number from {least} to 999999999, but is {text!r}")
    return int(text)
