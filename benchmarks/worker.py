"""A process that measures one peer: `python -m benchmarks.worker PEER THREADS`, requests on stdin, replies on stdout.

The peer is imported once. Each request is answered by a fork of that process, in which nothing
has run yet: a fresh process with the imports done, which is what "first call" means here.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from benchmarks.data import Scale, Workload
from benchmarks.machine import memory, pin
from benchmarks.peers import PEERS
from benchmarks.peers.base import Unsupported
from benchmarks.questions import QUESTIONS

MIN_REPEATS = 3
MAX_REPEATS = 200
STEP = 1e-3  # how far parameters move between two calls, so that no peer can answer from memory


def find(question: str, name: str, scale: Scale) -> Workload:
    """The workload of that name."""
    return next(w for w in QUESTIONS[question].workloads(scale) if w.name == name)


def measure(module: Any, workload: Workload, cache: str, seconds: float) -> dict[str, Any]:
    """Run a workload in this process, which must be fresh.

    Args:
        module: the peer's. cache: its folder for compiled programs.
        seconds: how long to repeat the warm call, 0 for not at all.

    Returns:
        "first": seconds from the neutral data to the first result, "build": those before the first
        call, "warm": seconds of the repeated calls, "memory": peak bytes above the imports,
        "answer"; or "cannot": why not.
    """
    if workload.task not in module.TASKS:
        return {"cannot": f"{workload.task.value}: not offered"}
    module.use_cache(cache)
    before = memory("VmRSS")
    begin = time.perf_counter()
    try:
        runner = module.TASKS[workload.task](workload)
    except Unsupported as error:
        return {"cannot": str(error)}
    build = time.perf_counter() - begin
    result = runner.call(workload.theta)
    first = time.perf_counter() - begin
    peak = memory("VmHWM") - before
    warm = _repeat(runner.call, workload, seconds) if seconds else []
    peak = max(peak, memory("VmHWM") - before)
    if warm:
        result = runner.call(workload.theta)  # where a peer uses its state again, at the place that is compared
    return {"first": first, "build": build, "warm": warm, "memory": peak, "answer": runner.answer(result)}


def _repeat(call: Callable[[Any], Any], workload: Workload, seconds: float) -> list[float]:
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < MIN_REPEATS or (time.perf_counter() - begin < seconds and len(times) < MAX_REPEATS):
        theta = workload.theta + STEP * (len(times) + 1)
        start = time.perf_counter()
        call(theta)
        times.append(time.perf_counter() - start)
    return times


def in_fork(work: Callable[[], dict[str, Any]], timeout: float) -> dict[str, Any]:
    """What `work` returns in a fork of this process, or {"timeout": seconds} or {"failed": why}."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            reply = work()
        except BaseException as error:
            reply = {"failed": f"{type(error).__name__}: {str(error)[:300]}"}
            traceback.print_exc()
        with os.fdopen(writing, "w") as pipe:
            json.dump(reply, pipe)
        os._exit(0)
    os.close(writing)
    deadline, text = time.monotonic() + timeout, b""
    try:
        while True:
            if not select.select([reading], [], [], max(0.0, deadline - time.monotonic()))[0]:
                return {"timeout": timeout}
            chunk = os.read(reading, 1 << 16)
            if not chunk:
                break
            text += chunk
    finally:
        os.close(reading)
        if not text:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"failed": f"the process ended by signal {status & 127}, without a word"}


def serve(peer: str, threads: int) -> None:
    """Answer requests until stdin ends."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what peers print does not get between the replies
    pin(threads)
    module = importlib.import_module(f"benchmarks.peers.{PEERS[peer].module}")
    # else the garbage collector of each fork copies all pages of the imports, which a fresh process need not
    gc.collect()
    gc.freeze()
    print(json.dumps({"ready": True}), file=replies, flush=True)
    for line in sys.stdin:
        ask = json.loads(line)
        workload = find(ask["question"], ask["workload"], Scale(ask["scale"]))
        work = lambda w=workload, a=ask: measure(module, w, a["cache"], a["seconds"])  # noqa: E731
        print(json.dumps(in_fork(work, ask["timeout"])), file=replies, flush=True)


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
