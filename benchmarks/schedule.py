"""Peers in turn: a round that checks, then rounds that time, each measurement in a fresh process.

The first round gives the first call with an empty cache, and the answers. Whoever disagrees,
fails or runs out of time is out of the later rounds, A B A B, whose first calls find the cache
of the first round, and whose repeated calls are the warm ones.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.answers import disagreements
from benchmarks.data import Scale, Workload
from benchmarks.machine import environment
from benchmarks.peers import PEERS

ROOT = Path(__file__).resolve().parents[1]
OURS = "qsim"
NOT_DONE = "not done in"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to measure.

    Attributes:
        scale: how large the workloads are. threads: cores and threads of each process.
        device: "cpu" or "gpu". timeout: seconds a process may take for one workload.
        seconds: how long the warm call is repeated in each round. rounds: how many times each peer is timed.
    """

    scale: Scale = Scale.FULL
    threads: int = 1
    device: str = "cpu"
    timeout: float = 600.0
    seconds: float = 2.0
    rounds: int = 2


@dataclass(slots=True)
class Row:
    """One peer on one workload.

    Attributes:
        peer: its name. note: why there are no times, "" where there are.
        first: seconds of the first call in a fresh process. second: with the cache kept, median.
        warm: seconds, median. memory: peak bytes above the imports, of the first process.
        build: the part of `first` before the first run. samples: how many calls `warm` is the median of.
    """

    peer: str
    note: str = ""
    first: float | None = None
    second: float | None = None
    warm: float | None = None
    memory: float | None = None
    build: float | None = None
    samples: int = 0

    def minus_warm(self, time: float | None) -> float | None:
        """What a first call takes beyond one warm run, in seconds."""
        return None if time is None or self.warm is None else time - self.warm


@dataclass(slots=True)
class Outcome:
    """All peers on one workload.

    Attributes:
        question, workload: its names. task: what one call computes.
        checked: whether two peers or more answered the same.
        rows: one per peer, in the order asked.
    """

    question: str
    workload: str
    task: str
    checked: bool
    rows: list[Row] = field(default_factory=list)

    def ratios(self, row: Row) -> dict[str, float | None]:
        """peer / ours in each column, None where one of them is missing."""
        ours = next((r for r in self.rows if r.peer == OURS), None)
        found: dict[str, float | None] = {}
        for column in ("first", "second", "warm", "memory"):
            theirs, own = getattr(row, column), getattr(ours, column) if ours else None
            found[column] = theirs / own if theirs is not None and own else None
        return found


class Late:
    """Who ran out of time where, so that nobody waits for the same again at a larger size."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Workload, str, str]] = []

    def add(self, question: str, workload: Workload, outcome: Outcome) -> None:
        """Remember the peers that were not done."""
        self.found += [(question, workload, r.peer, r.note) for r in outcome.rows if r.note.startswith(NOT_DONE)]

    def of(self, question: str, workload: Workload) -> dict[str, str]:
        """Why a peer is not tried: it was not done with that question and task, no more qubits, gates and samples."""
        return {
            peer: f"not tried: {note} for {smaller.name}"
            for asked, smaller, peer, note in self.found
            if asked == question and smaller.task == workload.task and _no_larger(smaller, workload)
        }


def _no_larger(one: Workload, other: Workload) -> bool:
    """Whether `one` asks for no more than `other` in any respect."""
    sizes = [(w.num_qubits, len(w.gates), len(w.features), len(w.observable)) for w in (one, other)]
    return all(a <= b for a, b in zip(*sizes, strict=True))


class Server:
    """The process of one peer; see `worker`."""

    def __init__(self, peer: str, settings: Settings):
        self.peer, self.settings = peer, settings
        self.process: subprocess.Popen[str] | None = None
        self.log = tempfile.TemporaryFile("w+")

    def start(self) -> str:
        """Import the peer; "" or why that failed."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", self.peer, str(self.settings.threads)],
            cwd=ROOT,
            env=environment(self.settings.threads, self.settings.device),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        return self._read().get("failed", "")

    def ask(self, question: str, workload: str, cache: str, seconds: float) -> dict[str, Any]:
        """One measurement in a fresh process."""
        assert self.process is not None and self.process.stdin is not None
        request = {"question": question, "workload": workload, "scale": self.settings.scale.value}
        request |= {"cache": cache, "seconds": seconds, "timeout": self.settings.timeout}
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError as error:
            return {"failed": f"its process is gone: {error}"}
        return self._read()

    def stop(self) -> None:
        """End the process."""
        if self.process is not None and self.process.stdin is not None:
            self.process.communicate()
        self.log.close()

    def _read(self) -> dict[str, Any]:
        assert self.process is not None and self.process.stdout is not None
        line = self.process.stdout.readline()
        if line:
            return json.loads(line)
        self.log.seek(0)
        words = [text.strip() for text in self.log.readlines() if text.strip()]
        return {"failed": words[-1][:300] if words else "its process ended without a word"}


def note_of(reply: dict[str, Any]) -> str:
    """Why a reply has no times, in words; "" where it has."""
    if "timeout" in reply:
        return f"{NOT_DONE} {reply['timeout']:g} s"
    if "cannot" in reply:
        return f"cannot: {reply['cannot']}"
    return f"failed: {reply['failed']}" if "failed" in reply else ""


def run_workload(
    question: str, workload: Workload, servers: dict[str, Server], missing: dict[str, str], settings: Settings
) -> Outcome:
    """Check, then time, all peers on one workload; those in `missing` are not tried."""
    servers = {peer: server for peer, server in servers.items() if peer not in missing}
    caches = {peer: tempfile.mkdtemp(prefix="benchmark-cache-") for peer in servers}
    rows = {peer: Row(peer, note) for peer, note in missing.items()}
    try:
        replies = {p: s.ask(question, workload.name, caches[p], 0.0) for p, s in servers.items()}
        for peer, reply in replies.items():
            rows[peer] = Row(peer, note_of(reply))
        answers = {peer: reply["answer"] for peer, reply in replies.items() if "answer" in reply}
        wrong = disagreements(workload, answers)
        for peer, words in wrong.items():
            rows[peer].note = f"answers differ: {words}"
        timed = [peer for peer in answers if peer not in wrong]
        again: dict[str, list[dict[str, Any]]] = {peer: [] for peer in timed}
        for _ in range(settings.rounds):
            for peer in timed:
                if not rows[peer].note:
                    again[peer].append(servers[peer].ask(question, workload.name, caches[peer], settings.seconds))
                    rows[peer].note = note_of(again[peer][-1])
        for peer in timed:
            later = disagreements(workload, {"first": answers[peer]} | _answers(again[peer]))
            if later and not rows[peer].note:
                rows[peer].note = f"answers change: {next(iter(later.values()))}"
            _fill(rows[peer], replies[peer], again[peer])
    finally:
        for folder in caches.values():
            shutil.rmtree(folder, ignore_errors=True)
    order = [peer for peer in PEERS if peer in rows]
    return Outcome(question, workload.name, workload.task.value, len(timed) > 1, [rows[p] for p in order])


def _answers(replies: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {str(k): reply["answer"] for k, reply in enumerate(replies) if "answer" in reply}


def _fill(row: Row, fresh: dict[str, Any], again: Sequence[dict[str, Any]]) -> None:
    """The numbers of a peer that answered; a note, where there is one, says which are missing."""
    row.first, row.build, row.memory = fresh["first"], fresh["build"], fresh["memory"]
    done = [reply for reply in again if "warm" in reply]
    warm = [t for reply in done for t in reply["warm"]]
    if warm:
        row.second, row.warm = statistics.median(r["first"] for r in done), statistics.median(warm)
        row.samples = len(warm)


def run_suite(
    chosen: Sequence[tuple[str, Workload]],
    peers: Sequence[str],
    settings: Settings,
    say: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Run the workloads one after the other.

    Args:
        chosen: (question, workload). peers: names, missing ones too.
        settings: how. say: called with each outcome as it is known.
    """
    servers: dict[str, Server] = {}
    missing: dict[str, str] = {}
    try:
        for peer in peers:
            if PEERS[peer].versions() is None:
                missing[peer] = "missing: not installed"
            elif settings.device == "gpu" and not PEERS[peer].on_gpu:
                missing[peer] = "missing: not used on a GPU here"
            else:
                server = Server(peer, settings)
                trouble = server.start()
                if trouble:
                    missing[peer] = f"missing: cannot be imported: {trouble}"
                    server.stop()
                else:
                    servers[peer] = server
        outcomes = []
        late = Late()
        for question, workload in chosen:
            skipped = missing | late.of(question, workload)
            outcomes.append(run_workload(question, workload, servers, skipped, settings))
            late.add(question, workload, outcomes[-1])
            say(outcomes[-1])
        return outcomes
    finally:
        for server in servers.values():
            server.stop()
