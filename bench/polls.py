"""What open browsers cost: polls that find nothing, polls that find a message, and the first page."""

import gzip
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from flask import Flask
from sqlalchemy import insert, select, update

from app.clock import now
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.extensions import db
from app.messages.models import Message
from bench import rig, seed
from bench.rig import Rig
from embedded import ports

CONNECTIONS = 64
SECONDS = 8.0
CONVERSATIONS = 10_000
MESSAGES = 1_000_000
AT_ONCE = 20_000
POLL_EVERY = 5.0
STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')
LIVE = re.compile(r'hx-get="(/messages/onlyfans/live[^"]+)"')
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def polls() -> dict[str, object]:
    """Polls of one web process by 64 connections beside an empty Flask route, and the first page."""
    with rig.running(WEB_CONCURRENCY="1") as parts:
        conversation_id = _fill(parts.app)
        with _web(parts, "bench.empty:app", "/empty") as (pid, url):
            empty, empty_ms = _load(pid, f"{url}/empty")
        with (
            _web(parts, "app:create_app()", "/healthz") as (pid, url),
            httpx.Client(base_url=url, timeout=60) as browser,
        ):
            sign_in(browser)
            address, cookies = open_page(browser, f"/messages/onlyfans/{conversation_id}")
            unchanged, unchanged_ms = _load(pid, url + address, cookies)
            weight, page_ms = _first_page(browser, f"/messages/onlyfans/{conversation_id}")
            _say_something(parts.app, conversation_id)
            news, news_ms = _load(pid, url + address, cookies)
    return {
        "empty route": f"{empty:.0f}/s, {empty_ms:.2f} ms of CPU",
        "poll without news": f"{unchanged:.0f}/s, {unchanged_ms:.2f} ms of CPU",
        "of the empty route": f"{unchanged / empty:.2f} by rate, {empty_ms / unchanged_ms:.2f} by CPU",
        "open browsers a core": round(1000 / unchanged_ms * POLL_EVERY),
        "poll with a message": f"{news:.0f}/s, {news_ms:.1f} ms of CPU",
        "first page": f"{weight / 1000:.0f} kB compressed with its CSS and JS, {page_ms:.0f} ms",
    }


def _fill(app: Flask) -> int:
    """Make 10,000 conversations and 1,000,000 messages, many of them in the conversation whose id this is."""
    seed.backlog(app, 1, 0, CONVERSATIONS)
    moment = now()
    with app.app_context():
        found = list(db.session.execute(select(Conversation.id, Conversation.fan_id, Conversation.account_id)))
        newest = [
            {"id": c.id, "last_message": "Hi", "last_message_at": moment - timedelta(seconds=n)}
            for n, c in enumerate(found)
        ]
        db.session.execute(update(Conversation), newest)
        for start in range(0, MESSAGES, AT_ONCE):
            db.session.execute(insert(Message), [_row(found, n, moment) for n in range(start, start + AT_ONCE)])
        db.session.commit()
        first: int = found[0].id
        return first


def _row(found: list[Any], number: int, moment: Any) -> dict[str, object]:
    conversation = found[0 if number % 100 == 0 else number % len(found)]
    at = moment - timedelta(seconds=number)
    return {
        "public_id": f"msg_{number:032x}",
        "account_id": conversation.account_id,
        "conversation_id": conversation.id,
        "fan_id": conversation.fan_id,
        "direction": "in",
        "status": "received",
        "text": f"Hello number {number}",
        "created_at": at,
        "due_at": at,
    }


def _say_something(app: Flask, conversation_id: int) -> None:
    with app.app_context():
        conversation = db.session.get_one(Conversation, conversation_id)
        row = {"account_id": conversation.account_id, "conversation_id": conversation_id, "fan_id": conversation.fan_id}
        spoken = {"direction": "in", "status": "received", "text": "New", "public_id": f"msg_{secrets.token_hex(16)}"}
        db.session.execute(insert(Message), [row | spoken])
        conversations.touch(conversation_id, "New", now(), "in")


@contextmanager
def _web(parts: Rig, application: str, ready: str) -> Iterator[tuple[int, str]]:
    """One gunicorn worker with `application`: its manager's pid and its URL."""
    port = ports.free()
    arguments = ("-m", "gunicorn", "--config", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}", application)
    url = f"http://127.0.0.1:{port}"
    with parts.process(*arguments) as pid:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            try:
                if httpx.get(url + ready, timeout=5).status_code < 500:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        yield pid, url


def sign_in(browser: httpx.Client) -> None:
    """Sign the one user in; raises RuntimeError."""
    token = TOKEN.search(browser.get("/login").text)
    data = {"email": seed.EMAIL, "password": seed.PASSWORD, "csrf_token": token[1] if token else ""}
    if browser.post("/login", data=data).status_code != 302:
        raise RuntimeError("signing in failed")


def open_page(browser: httpx.Client, page: str) -> tuple[str, str]:
    """The address that the page polls, and the cookies that it polls with."""
    found = LIVE.search(browser.get(page).text)
    if found is None:
        raise RuntimeError("the page polls nothing")
    return found[1].replace("&amp;", "&"), "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def _first_page(browser: httpx.Client, page: str) -> tuple[int, float]:
    """Bytes of the page with what it loads, compressed, and the milliseconds that the page itself takes."""
    began = time.perf_counter()
    text = browser.get(page).text
    milliseconds = (time.perf_counter() - began) * 1000
    loaded = [browser.get(address.replace("&amp;", "&")).content for address in sorted(set(STATIC.findall(text)))]
    return sum(len(gzip.compress(body)) for body in (text.encode(), *loaded)), milliseconds


def _load(pid: int, address: str, cookies: str = "") -> tuple[float, float]:
    """Ask for `address` on 64 connections for some seconds: requests a second, and ms of the server's CPU for one."""
    parts = urlsplit(address)
    lines = (
        f"GET {parts.path}?{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        "HX-Request: true",
        "X-Poll: 1",
        f"Cookie: {cookies}",
    )
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    ends = time.monotonic() + SECONDS
    counts: list[int] = []
    cpu = rig.cpu_seconds(pid)
    began = time.monotonic()
    asking = [
        threading.Thread(target=_ask, args=(parts.hostname, parts.port, request, ends, counts))
        for _ in range(CONNECTIONS)
    ]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(SECONDS + 60)
    done = sum(counts)
    return done / (time.monotonic() - began), (rig.cpu_seconds(pid) - cpu) / max(done, 1) * 1000


def _ask(host: str, port: int, request: bytes, ends: float, counts: list[int]) -> None:
    done = 0
    while time.monotonic() < ends:
        with socket.create_connection((host, port), timeout=30) as connection:
            done += _ask_again(connection, request, ends)
    counts.append(done)


def _ask_again(connection: socket.socket, request: bytes, ends: float) -> int:
    """Until the time is over or the server closes: how many answers came."""
    done = 0
    while time.monotonic() < ends:
        connection.sendall(request)
        answer = connection.recv(65536)
        while b"\r\n\r\n" not in answer:
            more = connection.recv(65536)
            if not more:
                return done
            answer += more
        head, _, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        missing = int(length[1]) - len(body) if length else 0
        while missing > 0:
            missing -= len(connection.recv(65536)) or missing
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
            raise RuntimeError(head.split(b"\r\n")[0].decode())
        done += 1
        if b"Connection: close" in head:
            return done
    return done
