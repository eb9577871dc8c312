"""qsim beside its peers: `python -m benchmarks [names] [--peers ...] [--threads 1|2] [--device cpu|gpu] [--quick]`.

Run from a checkout, in an environment with `pip install -e ".[bench]"`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import shlex
import sys
from pathlib import Path

from benchmarks.data import Scale
from benchmarks.peers import PEERS
from benchmarks.questions import QUESTIONS
from benchmarks.report import as_json, as_markdown, facts, table
from benchmarks.schedule import Outcome, Settings, run_suite

QUICK_SECONDS, QUICK_TIMEOUT = 0.2, 5.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    names = ", ".join(QUESTIONS)
    made = argparse.ArgumentParser(prog="python -m benchmarks", description="qsim beside its peers, in one run.")
    made.add_argument("names", nargs="*", metavar="name", help=f"questions, default all: {names}")
    made.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS), help="default all")
    made.add_argument("--threads", type=int, choices=(1, 2), default=1, help="threads and cores of each process")
    made.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="gpu: for peers on JAX")
    made.add_argument("--quick", action="store_true", help="small workloads, under 5 minutes on 2 cores")
    made.add_argument("--only", metavar="TEXT", help="workloads whose name has this in it")
    made.add_argument("--rounds", type=int, default=2, help="how many times each peer is timed (2)")
    made.add_argument("--timeout", type=float, help="seconds for one workload in one process (600; quick: 5)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write everything there")
    made.add_argument("--plot", type=Path, metavar="FILE.png", help="draw the warm times")
    made.add_argument("--results", type=Path, metavar="FILE.md", help="write RESULTS.md there")
    made.add_argument(
        "--join", type=Path, nargs="+", metavar="FILE", help="run nothing: --results from what --json wrote, in turn"
    )
    return made


def settings_of(options: argparse.Namespace) -> Settings:
    """The options as `Settings`."""
    scale = Scale.QUICK if options.quick else Scale.GPU if options.device == "gpu" else Scale.FULL
    timeout = options.timeout or (QUICK_TIMEOUT if options.quick else 600.0)
    seconds = QUICK_SECONDS if options.quick else 2.0
    return Settings(scale, options.threads, options.device, timeout, seconds, options.rounds)


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write. Returns 1 where answers differ; wrong usage exits with 2."""
    made = parser()
    options = made.parse_args(arguments)
    if options.join:
        if options.names or not options.results:
            made.error("--join takes --results FILE.md, and no questions")
        options.results.write_text(as_markdown([json.loads(path.read_text("utf-8")) for path in options.join]), "utf-8")
        return 0
    unknown = sorted(set(options.names) - set(QUESTIONS))
    if unknown or options.rounds < 1:
        made.error(
            f"no question {unknown[0]!r}; there are {', '.join(QUESTIONS)}" if unknown else "--rounds: 1 or more"
        )
    drawing = importlib.import_module("benchmarks.plot") if options.plot else None  # fails now, not after the run
    settings = settings_of(options)
    chosen = []
    for name in options.names or QUESTIONS:
        found = [w for w in QUESTIONS[name].workloads(settings.scale) if (options.only or "") in w.name]
        if not found:
            print(f"{name}: no workloads here{' by that name' if options.only else ''}\n")
        chosen += [(name, workload) for workload in found]
    given = sys.argv[1:] if arguments is None else arguments
    shown = [Path(word).name if Path(word).is_absolute() else word for word in given]  # no folders of this machine
    command = shlex.join(["python", "-m", "benchmarks", *shown])
    known = facts(command, settings, options.peers)
    for peer, versions in known["peers"].items():
        print(f"{peer}: {'missing: not installed' if versions is None else versions}")
    seen: list[Outcome] = []

    def say(outcome: Outcome) -> None:
        """Print it, and write what there is: a run of hours may be interrupted."""
        seen.append(outcome)
        print(f"\n{table(outcome)}", flush=True)
        if options.json:
            options.json.write_text(json.dumps(as_json(known, seen), indent=1) + "\n", "utf-8")

    outcomes = run_suite(chosen, options.peers, settings, say)
    if options.results:
        options.results.write_text(as_markdown([as_json(known, outcomes)]), "utf-8")
    if drawing:
        drawing.draw(outcomes, options.plot)
    trouble = [row for o in outcomes for row in o.rows if row.note.startswith("answers")]
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main())
