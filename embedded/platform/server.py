"""The HTTP program: the door to the platform under /api, the control under /_sim."""

import asyncio
import gc
import signal
from collections.abc import AsyncIterator
from functools import partial

from aiohttp import web

from embedded.platform import control
from embedded.platform.door import Door
from embedded.platform.life import Life
from embedded.platform.simulator import Simulator

LARGEST_UPLOAD = 100 * 1024 * 1024
KEEP_ALIVE_SECONDS = 300.0


def make_app(sim: Simulator) -> web.Application:
    """Return the application."""
    app = web.Application(client_max_size=LARGEST_UPLOAD)
    door = Door(sim)
    app.router.add_route("*", "/api/{path:.*}", door.serve)
    control.add_routes(app, sim, door)
    app.on_shutdown.append(lambda _: door.end_all())
    app.cleanup_ctx.append(partial(_living, sim))
    return app


async def _living(sim: Simulator, _app: web.Application) -> AsyncIterator[None]:
    """Fans live as long as the program listens."""
    life = asyncio.create_task(Life(sim).run())
    yield
    life.cancel()
    sim.post.stop()


async def run(sim: Simulator, host: str, port: int) -> None:
    """Listen until SIGTERM or SIGINT; print one line as soon as calls are taken."""
    ended = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    runner = web.AppRunner(
        make_app(sim),
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=KEEP_ALIVE_SECONDS,
        shutdown_timeout=0.2,
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1024)
    await site.start()
    # A full collection would stop the program while calls arrive, and bend the journal's times.
    gc.set_threshold(20_000, 50, 1_000_000_000)
    print(f"platform: http://{host}:{runner.addresses[0][1]}", flush=True)
    await ended.wait()
    await runner.cleanup()
