"""Delivery: the limit and its use, many accounts at once, the limits lifted beside the bare SDK, and latency."""

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from onlyfansapi import OnlyFansAPI
from sqlalchemy import func, select

from app.extensions import db
from app.messages.models import Message, Status
from bench import seed
from bench.rig import Rig, cpu_seconds, percentile, running
from embedded import platform_process, ports

THREADS = 48
BARE = "acct_bare"


def one_account(seconds: float = 90) -> dict[str, object]:
    """One account with a backlog, window 10 s, calls of about 0.3 s: worst window and share of the limit used."""
    window, limit = 10.0, 10
    settings = {"RATE_LIMIT_WINDOW_SECONDS": str(window), "RATE_LIMIT_MESSAGES": str(limit)}
    with running(None, "--simulate", "latency=0.2", "--simulate", "jitter=0.2", **settings) as rig:
        seed.backlog(rig.app, 1, 400, 100)
        with rig.process("worker.py"):
            time.sleep(seconds)
        summary = rig.platform(f"summary?window={window}")["accounts"]["acct_bench_1"]
        calls = rig.calls()
    durations = [call["end"] - call["at"] for call in calls if call["end"]]
    starts = [call["at"] for call in calls]
    # The same slot's next call: a window and a call later at best. Whole cycles only, or bursts would bias the mean.
    cycles = [later - earlier for earlier, later in zip(starts, starts[limit:], strict=False)]
    return {
        "calls": len(calls),
        "worst window": summary["worst_window"],
        "limit": limit,
        "smallest gap s": round(summary["smallest_gap"], 3),
        "mean call s": round(statistics.mean(durations), 3),
        "share of the limit used": round((window + statistics.mean(durations)) / statistics.mean(cycles), 4),
    }


def many_accounts(accounts: int = 1000, messages: int = 30, window: float = 40.0) -> dict[str, object]:
    """`accounts` × `messages`, the limit spread evenly (gap = window ÷ 10): time against what the limits alone take."""
    gap = window / 10
    settings = {"RATE_LIMIT_WINDOW_SECONDS": str(window), "RATE_LIMIT_MIN_GAP_SECONDS": str(gap)}
    with running(None, "--simulate", "latency=0.05", **settings) as rig:
        seed.backlog(rig.app, accounts, messages, messages)
        least = (messages - 1) * gap
        figures = _drain(rig, accounts * messages, least * 1.5 + 60)
        summary = rig.platform(f"summary?window={window}")["accounts"]
    return figures | {
        "limits alone take s": round(least, 1),
        "ratio": round(float(str(figures["seconds"])) / least, 3),
        "worst window": max(account["worst_window"] for account in summary.values()),
        "smallest gap s": round(min(account["smallest_gap"] for account in summary.values()), 3),
    }


def limits_lifted(accounts: int = 200, messages: int = 50) -> dict[str, object]:
    """No limit but the platform: one worker's messages/s beside the bare SDK from as many threads, in the same run."""
    settings = {
        "RATE_LIMIT_MESSAGES": "1000",
        "RATE_LIMIT_WINDOW_SECONDS": "0.1",
        "RATE_LIMIT_MIN_GAP_SECONDS": "0",
        "DELIVERY_MAX_IN_FLIGHT": str(THREADS),
    }
    with running(None, **settings) as rig:
        bare_before = _bare_sdk(rig, accounts * messages // 2)
        seed.backlog(rig.app, accounts, messages, messages)
        figures = _drain(rig, accounts * messages, 300)
        bare_after = _bare_sdk(rig, accounts * messages // 2)
    bare = (bare_before + bare_after) / 2
    return figures | {
        "bare SDK calls/s": round(bare),
        "share of the bare SDK": round(float(str(figures["messages/s"])) / bare, 3),
    }


def latency(messages: int = 60) -> dict[str, object]:
    """An idle system: from the answer 202 to the call's arrival at the platform, ms."""
    with running() as rig:
        with rig.app.app_context():
            seed.user()
        seed.backlog(rig.app, messages, 0, 1)
        port = ports.free()
        web = ("-m", "gunicorn", "--threads", "8", "--bind", f"127.0.0.1:{port}", "app:create_app()")
        with rig.process(*web), rig.process("worker.py"):
            answered = _post_one_each(f"http://127.0.0.1:{port}", messages)
            time.sleep(5)
        arrived = {call["account"]: call["at"] for call in rig.calls()}
    waits = [(arrived[account] - at) * 1000 for account, at in answered.items() if account in arrived]
    return {
        "messages": len(waits),
        "p50 ms": round(percentile(waits, 0.5)),
        "p95 ms": round(percentile(waits, 0.95)),
        "max ms": round(max(waits)),
    }


def _drain(rig: Rig, total: int, most: float) -> dict[str, object]:
    """Run one worker until all is sent; the first call to the last arrival, CPU and Redis calls a message."""
    calls_before = rig.script_calls()
    with rig.process("worker.py") as pid:
        ends = time.monotonic() + most
        while time.monotonic() < ends and _sent(rig) < total:
            time.sleep(1)
        cpu = cpu_seconds(pid)
        scripts = rig.script_calls() - calls_before
    sent = _sent(rig)
    arrivals = [call["at"] for call in rig.calls() if call["account"] != BARE]
    seconds = arrivals[-1] - arrivals[0]
    return {
        "messages": sent,
        "seconds": round(seconds, 1),
        "messages/s": round(sent / seconds, 1),
        "CPU ms a message": round(cpu / sent * 1000, 2),
        "Redis calls a message": round(scripts / sent, 3),
    }


def _sent(rig: Rig) -> int:
    with rig.app.app_context():
        query = select(func.count()).select_from(Message).where(Message.status == Status.SENT)
        return db.session.execute(query).scalar_one()


def _bare_sdk(rig: Rig, calls: int) -> float:
    """Calls/s of the SDK alone, one shared client, THREADS threads, same bodies and keys."""
    http = httpx.Client(limits=httpx.Limits(max_connections=THREADS, max_keepalive_connections=THREADS))
    client = OnlyFansAPI(
        api_key=platform_process.KEY, base_url=rig.platform_url, max_retries=0, http_client=http, timeout=20
    )

    run = time.monotonic_ns()

    def send(number: int) -> None:
        client.chats.messages.with_raw_response.send(
            str(number % 1000), account=BARE, text=f"Hello number {number}", idempotency_key=f"{run}-{number}"
        )

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, range(200)))
        started = time.monotonic()
        list(pool.map(send, range(200, 200 + calls)))
        return calls / (time.monotonic() - started)


def _post_one_each(base: str, messages: int) -> dict[str, float]:
    """One message for each account, half a second apart; platform account → when the 202 came."""
    with httpx.Client(base_url=base, timeout=30) as client:
        _until(lambda: client.get("/healthz").status_code == 200)
        _until(lambda: client.get("/api/onlyfans/messages/send").json()["active"])
        body = {"email": seed.EMAIL, "password": seed.PASSWORD}
        token = client.post("/api/auth/token", json=body).json()["accessToken"]
        client.headers["Authorization"] = f"Bearer {token}"
        answered = {}
        for number in range(1, messages + 1):
            message = {"accountId": number, "recipientId": f"{number}", "content": "Hello", "priority": "high"}
            answer = client.post("/api/onlyfans/messages/send", json=message)
            answer.raise_for_status()
            answered[f"acct_bench_{number}"] = time.time()
            time.sleep(0.5)
        return answered


def _until(ready: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if ready():
                return
        except (httpx.HTTPError, ValueError, KeyError):
            threading.Event().wait(0.1)
        threading.Event().wait(0.2)
    raise TimeoutError("a part of the benchmark did not become ready")
