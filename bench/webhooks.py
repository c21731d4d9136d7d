"""Webhooks: how fast they are taken and worked off, and when browsers see them."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from random import Random

import httpx

from bench import databases, seed, told
from bench.polls import open_page, sign_in
from bench.rig import Rig, percentile, running
from bench.serving import Question, Server, load, served

CONNECTIONS, SECONDS = 8, 6.0
ACCOUNTS, FANS = 4, 500
WARM_UP, EACH = 50, 1500
LOOKS, LOOK_EVERY, PATIENCE = 20, 0.02, 10.0


def webhooks() -> dict[str, object]:
    """Events accepted over 8 connections, alone and beside a worker; events applied; from an event to the browser."""
    figures: dict[str, object] = {}
    for kind, database in databases.KINDS.items():
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huntaze-bench-")))
            directory.chmod(0o755)
            url = stack.enter_context(database(directory))
            rig = stack.enter_context(running(url, WEBHOOK_SECRET=told.SECRET))
            seed.backlog(rig.app, ACCOUNTS, 0, FANS)
            figures |= {f"{kind}: {name}": figure for name, figure in _measure(rig).items()}
    return figures


def _measure(rig: Rig) -> dict[str, object]:
    numbers, random = count(), Random(7)
    with served(rig, "app:create_app()") as server:
        load(server, _question(numbers, random, WARM_UP), None)
        alone = load(server, _question(numbers, random), SECONDS)
        with rig.process("worker.py"):
            applied = told.worked_off(rig)
            beside = load(server, _question(numbers, random), SECONDS)
            left = told.waiting(rig)
            told.worked_off(rig)
            seen = _seen(server, numbers)
    return {
        "accepted": alone,
        "applied": f"{applied:.0f}/s",
        "accepted beside a worker": beside,
        "still waiting then": left,
        "seen by a poll after": f"p50 {percentile(seen, 0.5):.0f} p95 {percentile(seen, 0.95):.0f} ms",
    }


def _question(numbers: Iterator[int], random: Random, each: int = EACH) -> Question:
    def asked() -> str:
        number, account = next(numbers), random.randrange(ACCOUNTS) + 1
        event = told.event(number, account * 1_000_000 + random.randrange(FANS), random, told.OFTEN)
        return told.post(f"acct_bench_{account}", event, f"evt_{number:040x}")

    return Question("webhooks", [[asked() for _ in range(each)] for _ in range(CONNECTIONS)])


def _seen(server: Server, numbers: Iterator[int]) -> list[float]:
    """Ms from posting a fan's word to the first poll that shows it, for a page that polls all the time."""
    found = []
    with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as browser:
        sign_in(browser)
        for _ in range(LOOKS):
            address, _cookies = open_page(browser, "/messages/onlyfans/1000000")
            event = told.event(next(numbers), 1_000_000, Random(0), {"messages.received": 1})
            request = told.post("acct_bench_1", event, f"evt_{next(numbers):040x}")
            began = time.perf_counter()
            _post(browser, request)
            headers = {"HX-Request": "true", "X-Poll": "1"}
            while browser.get(address, headers=headers).status_code == httpx.codes.NO_CONTENT:
                if time.perf_counter() - began > PATIENCE:
                    raise TimeoutError("the poll sees nothing")
                time.sleep(LOOK_EVERY)
            found.append((time.perf_counter() - began) * 1000)
    return found


def _post(browser: httpx.Client, request: str) -> None:
    head, _, body = request.partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    browser.post(told.PATH, headers=headers, content=body).raise_for_status()
