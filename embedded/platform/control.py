"""What tests and people do behind the platform's back, under /_sim: faults, knobs, the journal, fans' messages."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from embedded.platform import faults, scene, shapes
from embedded.platform.door import Door
from embedded.platform.pages import whole_number
from embedded.platform.simulator import Simulator

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PAGE = Path(__file__).with_name("control.html")
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
PAGE_LIMIT = 1_000
SHOWN_ENTRIES = 30
SHOWN_ACCOUNTS = 15


class Control:
    """The endpoints; each answers JSON."""

    def __init__(self, sim: Simulator, door: Door) -> None:
        self.sim = sim
        self.door = door

    async def page(self, _request: web.Request) -> web.Response:
        """Show the control page."""
        return web.Response(text=PAGE.read_text(), content_type="text/html", headers=PAGE_HEADERS)

    def changing(self, change: Callable[[Simulator, Mapping[str, object]], dict[str, object]]) -> Handler:
        """Return the endpoint that changes the scene as its JSON body says."""

        async def changed(request: web.Request) -> web.Response:
            return _json(change(self.sim, await _body(request)), status=201)

        return changed

    async def simulated(self, _request: web.Request) -> web.Response:
        """Say what is simulated now."""
        return _json(self.sim.simulated())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Put a rule in force."""
        rule = self.sim.faults.add(await _body(request))
        return _json(faults.shown(rule), status=201)

    async def remove_fault(self, request: web.Request) -> web.Response:
        """Take a rule out of force."""
        if not self.sim.faults.remove(int(request.match_info["id"])):
            raise web.HTTPNotFound
        return _json({"success": True})

    async def remove_faults(self, _request: web.Request) -> web.Response:
        """Take every rule out of force."""
        self.sim.faults.clear()
        return _json({"success": True})

    async def settings(self, request: web.Request) -> web.Response:
        """Turn knobs."""
        self.sim.settings.change(await _body(request))
        return _json(asdict(self.sim.settings))

    async def journal(self, request: web.Request) -> web.Response:
        """Answer a page of the journal, oldest first; `next` is the `after` of the next page, or null."""
        after, limit = _whole(request, "after", 0), min(_whole(request, "limit", PAGE_LIMIT), PAGE_LIMIT)
        page = self.sim.journal.page(request.query.get("account"), after, limit)
        following = page[-1].seq if page and len(page) == limit else None
        return _json({"entries": [asdict(entry) for entry in page], "next": following})

    async def deliveries(self, request: web.Request) -> web.Response:
        """Answer the messages that really were delivered, in order of delivery."""
        found = self.sim.journal.deliveries(request.query.get("account"))
        return _json({"deliveries": [shapes.delivery(entry) for entry in found]})

    async def summary(self, request: web.Request) -> web.Response:
        """Answer each account's figures; `window` in seconds."""
        window = float(request.query.get("window", "60"))
        if not window > 0:
            raise ValueError("window: more than 0 seconds")
        wanted = request.query.get("account")
        accounts = [wanted] if wanted is not None else sorted(filter(None, self.sim.journal.tallies))
        figures: dict[str, object] = {}
        for account in accounts:
            figures[account] = self.sim.journal.summary(account, window)
            await asyncio.sleep(0)  # calls that arrive meanwhile are not to wait for all of it
        return _json({"window": window, "accounts": figures})

    async def status(self, _request: web.Request) -> web.Response:
        """Answer what the control page shows."""
        recent = [asdict(entry) for entry in self.sim.journal.newest(SHOWN_ENTRIES)]
        accounts = [self.sim.journal.counters(account) for account in self.sim.journal.most_recent(SHOWN_ACCOUNTS)]
        return _json({**self.sim.simulated(), "accounts": accounts, "recent": recent})

    async def reset(self, _request: web.Request) -> web.Response:
        """Forget everything, and drop the calls that wait."""
        await self.door.end_all()
        self.sim.reset()
        return _json({"success": True})


def add_routes(app: web.Application, sim: Simulator, door: Door) -> None:
    """Put the endpoints under /_sim."""
    control = Control(sim, door)
    routes: Mapping[tuple[str, str], Handler] = {
        ("GET", "/faults"): control.simulated,
        ("POST", "/faults"): control.add_fault,
        ("DELETE", "/faults"): control.remove_faults,
        ("DELETE", r"/faults/{id:\d+}"): control.remove_fault,
        ("GET", "/settings"): control.simulated,
        ("POST", "/settings"): control.settings,
        ("GET", "/journal"): control.journal,
        ("GET", "/deliveries"): control.deliveries,
        ("GET", "/summary"): control.summary,
        ("GET", "/status"): control.status,
        ("POST", "/reset"): control.reset,
        ("POST", "/accounts"): control.changing(scene.set_account),
        ("POST", "/keys"): control.changing(scene.set_key),
        ("POST", "/fans"): control.changing(scene.set_fan),
        ("POST", "/messages"): control.changing(scene.add_message),
        ("POST", "/transactions"): control.changing(scene.add_transaction),
        ("GET", ""): control.page,
    }
    app.router.add_get("/", _to_the_page)
    for (method, path), handler in routes.items():
        app.router.add_route(method, f"/_sim{path}", _guarded(handler))


async def _to_the_page(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound("/_sim")


def _guarded(handler: Handler) -> Handler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        if not all(_is_loopback(place) for place in (request.remote or "", _host(request), _origin(request))):
            return _json({"error": "Only for this machine: ask 127.0.0.1 or localhost."}, status=403)
        try:
            return await handler(request)
        except ValueError as wrong:
            return _json({"error": str(wrong)}, status=400)

    return guarded


def _whole(request: web.Request, name: str, default: int) -> int:
    number = whole_number(request.query.get(name, str(default)))
    if number is None:
        raise ValueError(f"{name}: a whole number from 0 on")
    return number


def _host(request: web.Request) -> str:
    return urlsplit(f"//{request.host}").hostname or ""


def _origin(request: web.Request) -> str:
    origin = request.headers.get("Origin")
    return "localhost" if origin is None else urlsplit(origin).hostname or ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


async def _body(request: web.Request) -> dict[str, object]:
    body = json.loads(await request.read() or b"{}")
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")
    return body


def _json(value: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type="application/json")
