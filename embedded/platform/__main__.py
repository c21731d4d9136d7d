"""Run the simulated platform: `python -m embedded.platform --port 8900 --state var/platform.sqlite3 --api-key …`."""

import argparse
import asyncio
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from embedded.platform import server, switches
from embedded.platform.post import ALL_EVENTS, Webhook
from embedded.platform.simulator import STORED, Simulator
from embedded.platform.store import Memory, Store


def main(arguments: Sequence[str]) -> int:
    """Run until told to end; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        store = Memory() if options.state == ":memory:" else Store(Path(options.state), STORED)
        with closing(store):
            sim = Simulator(store, options.api_key or ["sim-key"])
            switches.apply(sim, options.simulate)
            if options.webhook:
                sim.tell_all_to(Webhook(0, options.webhook, ALL_EVENTS, signing_secret=options.webhook_secret))
            asyncio.run(server.run(sim, options.host, options.port))
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"platform: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m embedded.platform", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8900, help="0: any free port")
    parser.add_argument("--state", default=":memory:", help="an SQLite file; :memory: keeps nothing")
    parser.add_argument("--api-key", action="append", help="may be given several times; default: sim-key")
    parser.add_argument("--webhook", metavar="URL", help="tell everything that happens to this address")
    parser.add_argument("--webhook-secret", metavar="SECRET", help="and sign it with this")
    parser.add_argument("--simulate", action="append", default=[], metavar="NAME=VALUE", help=switches.HELP)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
