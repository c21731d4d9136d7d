"""The way in for every call under /api: reads the request, writes it in the journal, sends the answer or drops it."""

import asyncio
import json
import socket
import struct

from aiohttp import web

from embedded.platform import clock, routes, shapes
from embedded.platform.answers import Answer
from embedded.platform.faults import Stage
from embedded.platform.routes import Route
from embedded.platform.simulator import Call, Simulator
from embedded.platform.visit import Visit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Door:
    """Serves every call under /api."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self._going_on: set[asyncio.Task[Answer | None]] = set()
        self._turn = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Serve one call; its arrival is now."""
        call, route = self._arrive(request)
        turn, left = self._turn, True
        try:
            call.payload = await self._read(request, call)
            answer = await self._answer(Visit(self.sim, call, route)) if turn == self._turn else None
            response = _drop(request) if answer is None else await self._respond(request, call, answer, route)
            left = False
            return response
        finally:
            if call.entry is not None and turn == self._turn:
                self.sim.journal.close(call.entry, clock.now(), left)

    async def end_all(self) -> None:
        """Drop every call that waits for something; what is forgotten next must hear no more of them."""
        self._turn += 1
        waiting = list(self._going_on)
        for task in waiting:
            task.cancel()
        if waiting:
            await asyncio.wait(waiting, timeout=1)

    def _arrive(self, request: web.Request) -> tuple[Call, Route | None]:
        at = clock.now()
        headers, path = request.headers, request.path
        found = routes.match(request.method, path)
        route, params = found if found is not None else (None, {})
        call = Call(
            kind=route.kind if route else "unknown",
            params=params,
            query=dict(request.query) if request.query_string else {},
            url=f"http://{request.host}{path}",
            api_key=headers.get("Authorization", "").removeprefix("Bearer "),
            at=at,
            idempotency_key=headers.get("Idempotency-Key"),
        )
        self.sim.journal.count(call.account, call.kind)
        if call.kind == "send":
            retries = headers.get("x-stainless-retry-count", "")
            retry_count = int(retries) if retries.isdecimal() else None
            call.entry = self.sim.journal.begin(call.account, call.chat, at, call.idempotency_key, retry_count)
        return call, route

    async def _read(self, request: web.Request, call: Call) -> dict[str, object] | None:
        try:
            payload = await _payload(request)
        except BaseException as error:
            if call.entry is not None:
                too_large = isinstance(error, web.HTTPException)
                self.sim.journal.settle(call.entry, "refused" if too_large else "dropped", 413 if too_large else None)
            raise
        if call.entry is not None and payload:
            text, price = payload.get("text"), payload.get("price")
            call.entry.text = text if isinstance(text, str) else None
            call.entry.price = price if isinstance(price, int | float) else None
        return payload

    async def _answer(self, visit: Visit) -> Answer | None:
        if not self.sim.faults:
            return await visit.serve()
        task = asyncio.create_task(visit.serve())
        self._going_on.add(task)
        task.add_done_callback(self._going_on.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                return None
            visit.left.set()
            raise

    async def _respond(
        self, request: web.Request, call: Call, answer: Answer, route: Route | None
    ) -> web.StreamResponse:
        used = route.credits if route and answer.status < 300 and not answer.replayed else 0
        meter, limit = self.sim.meter, self.sim.settings.team_limit
        meter.charge(used)
        body = answer.body
        if answer.enveloped and isinstance(body, dict):
            body = {**body, "_meta": meter.meta(used, limit)}
        content_type = "text/html" if isinstance(body, str) else "application/json"
        headers = {**meter.headers(used, limit), "Content-Type": content_type, **answer.headers}
        raw = shapes.to_bytes(body)
        rule = self.sim.faults.draw(Stage.ANSWER, call)
        if rule is None:
            return web.Response(status=answer.status, body=raw, headers=headers)
        response = web.StreamResponse(status=answer.status, headers=headers)
        return await _trickle(request, response, raw, rule.number("interval"))


async def _payload(request: web.Request) -> dict[str, object] | None:
    if not request.can_read_body:
        return {}
    try:
        if request.content_type in ("multipart/form-data", "application/x-www-form-urlencoded"):
            return dict(await request.post())
        payload = json.loads(await request.read())
    except (ValueError, RecursionError):
        return None
    return payload if isinstance(payload, dict) else None


async def _trickle(
    request: web.Request, response: web.StreamResponse, raw: bytes, interval: float
) -> web.StreamResponse:
    response.content_length = len(raw)
    await response.prepare(request)
    for at in range(len(raw)):
        await response.write(raw[at : at + 1])
        await asyncio.sleep(interval)
    return response


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        connection: socket.socket = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response()
