"""The JSON API with a million messages in the database: latencies and rates at 16 connections, beside a bare route.

BENCH_DATABASE names one kind of database, where both together take too long.
"""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import httpx

from bench import crowd, databases
from bench.crowd import Crowd
from bench.rig import ROOT, Rig, running
from bench.serving import Question, Run, Server, load, served
from embedded import ports

CONNECTIONS = 16
ROUNDS = 6
SECONDS = 2.0
WARM_UP = 2.0


def api() -> dict[str, object]:
    """Reads and send through gunicorn on SQLite and PostgreSQL, 16 connections; in turns with a bare route."""
    figures: dict[str, object] = {}
    for kind, database in databases.chosen().items():
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huntaze-bench-")))
            directory.chmod(0o755)
            url = stack.enter_context(database(directory))
            rig = stack.enter_context(running(url, **_standing_queue(stack)))
            began = time.monotonic()
            callers = crowd.fill(rig.app)
            figures[f"{kind} filled in s"] = round(time.monotonic() - began)
            figures |= _measure(kind, rig, callers, directory)
    return figures


def _measure(kind: str, rig: Rig, callers: Crowd, directory: Path) -> dict[str, object]:
    figures: dict[str, object] = {}
    asked = _questions(callers)
    bodies = directory / "bodies"
    bodies.mkdir()
    with ExitStack() as stack:
        product = stack.enter_context(served(rig, "app:create_app()"))
        anew = stack.enter_context(served(rig, "bench.forgetful:create_app()"))
        for question in asked:
            (bodies / question.name).write_bytes(_one_answer(product, question))
        bare = stack.enter_context(served(rig, "bench.bare:create_app()", BENCH_BODIES=str(bodies)))
        for question in asked:
            figures[f"{kind} {question.name}"] = _in_turns(product, question, bare)
            if question.kept:
                figures[f"{kind} {question.name}, nothing kept"] = _in_turns(anew, question, bare)
    return figures


def _in_turns(server: Server, question: Question, bare: Server) -> str:
    """The product and the bare route one after the other, ROUNDS times: what disturbs the machine meets both."""
    plain = Question(question.name, [[_request("GET", f"/{question.name}")]] * CONNECTIONS)
    load(server, question, WARM_UP)
    rounds = [(load(server, question, SECONDS), load(bare, plain, SECONDS)) for _ in range(ROUNDS)]
    shares = sorted(run.rate / beside.rate for run, beside in rounds)
    whole = Run.of([run for run, _ in rounds])
    rates = sorted(beside.rate for _, beside in rounds)
    return (
        f"{whole}; share of the bare route {median(shares):.2f} ({shares[0]:.2f} to {shares[-1]:.2f}; "
        f"it answered {rates[0]:.0f} to {rates[-1]:.0f}/s)"
    )


def _questions(callers: Crowd) -> list[Question]:
    tokens = callers.creators
    own = range(1, CONNECTIONS + 1)
    inbox = "/api/crm/conversations"
    threads = [[f"{inbox}/{thread}/messages" for thread in crowd.busy_conversations(account)] for account in own]
    return [
        Question("conversations", [[_request("GET", inbox, token)] for token in tokens], kept=True),
        Question(
            "messages",
            [[_request("GET", path, t) for path in paths] for t, paths in zip(tokens, threads, strict=True)],
            kept=True,
        ),
        Question("conversations-of-200-accounts", [[_request("GET", inbox, callers.manager)]] * CONNECTIONS),
        Question(
            "send", [[_send(token, account, n) for n in range(100)] for token, account in zip(tokens, own, strict=True)]
        ),
    ]


def _send(token: str, account: int, number: int) -> str:
    recipient = (account - 1) * crowd.FANS_EACH + number % crowd.FANS_EACH + 1
    body = {"recipientId": str(recipient), "content": f"Thank you for being here! Number {number}"}
    return _request("POST", "/api/onlyfans/messages/send", token, json.dumps(body))


def _request(method: str, path: str, token: str = "", body: str = "") -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", body])


def _one_answer(server: Server, question: Question) -> bytes:
    method, path, _ = question.connections[0][0].split(" ", 2)
    head, _, body = question.connections[0][0].partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    answer = httpx.request(method, f"http://127.0.0.1:{server.port}{path}", headers=headers, content=body)
    answer.raise_for_status()
    return answer.content


def _standing_queue(stack: ExitStack) -> dict[str, str]:
    """Start the stand-in for SQS; the settings that lead to it."""
    port = ports.free()
    child = subprocess.Popen([sys.executable, "-m", "bench.standing_queue", str(port)], cwd=ROOT)
    stack.callback(child.wait, 10)
    stack.callback(child.terminate)
    return {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "SQS_RATE_LIMITER_QUEUE": f"http://127.0.0.1:{port}/000000000000/queue",
        "SQS_RATE_LIMITER_DLQ": f"http://127.0.0.1:{port}/000000000000/dead-letters",
    }
