"""The product's gunicorn under load: keep-alive connections that ask, and what they saw."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

import httpx

from bench.rig import ROOT, Rig, cpu_seconds, percentile
from embedded import ports


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: for each of the connections its requests, one after the other; `kept` when answers are."""

    name: str
    connections: list[list[str]]
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """A gunicorn with the product's own settings, on loopback."""

    port: int
    pid: int


@dataclass(frozen=True, slots=True)
class Run:
    """What one stretch of load gave: ms of each answer, answers a second, CPU ms an answer, refusals."""

    latencies: list[float]
    rate: float
    cpu: float
    refused: int

    @classmethod
    def of(cls, runs: list["Run"]) -> "Run":
        """Several stretches of the same load, taken together; the rate is their median."""
        rate, cpu = (median(values) for values in zip(*((run.rate, run.cpu) for run in runs), strict=True))
        return cls([one for run in runs for one in run.latencies], rate, cpu, sum(run.refused for run in runs))

    def __str__(self) -> str:
        p50, p95, p99 = (percentile(self.latencies, share) for share in (0.5, 0.95, 0.99))
        refused = f", {self.refused} refused" if self.refused else ""
        return f"p50 {p50:.0f} p95 {p95:.0f} p99 {p99:.0f} ms, {self.rate:.0f}/s, {self.cpu:.2f} ms CPU each{refused}"


@contextmanager
def served(rig: Rig, application: str, **settings: str) -> Iterator[Server]:
    """Serve `application` until the block ends; `settings` are environment variables."""
    port = ports.free()
    rig.environment.update(settings)
    options = ("--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}")
    with rig.process("-m", "gunicorn", *options, application) as pid:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.TransportError:
                time.sleep(0.2)
        yield Server(port, pid)


def load(server: Server, question: Question, seconds: float | None) -> Run:
    """Ask for that long, or everything once (None); the generator's CPU, in a process of its own, doesn't count."""
    plan = {"port": server.port, "seconds": seconds, "connections": question.connections}
    before, began = cpu_seconds(server.pid), time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=json.dumps(plan),
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        check=True,
    )
    seen = json.loads(done.stdout)
    seconds = seconds or time.monotonic() - began
    cpu = (cpu_seconds(server.pid) - before) / seen["answered"] * 1000
    return Run([one * 1000 for one in seen["seconds"]], len(seen["seconds"]) / seconds, cpu, seen["refused"])
