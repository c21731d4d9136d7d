"""The JSON API with a million messages in the database: latencies and rates at 16 connections, beside a bare route."""

import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import httpx

from bench import crowd, databases
from bench.crowd import Crowd
from bench.rig import ROOT, Rig, running
from bench.serving import Question, Server, load, served
from embedded import ports

CONNECTIONS = 16
SECONDS = 5.0
WARM_UP = 2.0


def api() -> dict[str, object]:
    """Reads and send through gunicorn on SQLite and PostgreSQL, 16 connections; the bare route around each."""
    figures: dict[str, object] = {}
    for kind, database in databases.KINDS.items():
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
    with served(rig, "app:create_app()") as product:
        asked = _questions(callers)
        bodies = directory / "bodies"
        bodies.mkdir()
        for question in asked:
            (bodies / question.name).write_bytes(_one_answer(product, question))
        with served(rig, "bench.bare:create_app()", BENCH_BODIES=str(bodies)) as bare:
            for question in asked:
                plain = Question(question.name, [[_request("GET", f"/{question.name}")]] * CONNECTIONS)
                load(product, question, WARM_UP)
                before, run, after = (
                    load(server, what, SECONDS) for server, what in ((bare, plain), (product, question), (bare, plain))
                )
                rate = (before.rate + after.rate) / 2
                figures[f"{kind} {question.name}"] = run
                figures[f"{kind} {question.name}, bare"] = f"{after}; share {run.rate / rate:.2f}"
    return figures


def _questions(callers: Crowd) -> list[Question]:
    tokens = callers.creators
    own = range(1, CONNECTIONS + 1)
    inbox = "/api/crm/conversations"
    threads = [[f"{inbox}/{thread}/messages" for thread in crowd.busy_conversations(account)] for account in own]
    return [
        Question("conversations", [[_request("GET", inbox, token)] for token in tokens]),
        Question(
            "messages", [[_request("GET", path, t) for path in paths] for t, paths in zip(tokens, threads, strict=True)]
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
