"""`bin/run`: starts everything, says where it is, keeps it alive, and stops it with Ctrl-C."""

import argparse
import fcntl
import os
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from dotenv import load_dotenv

import config
from embedded import plan, ports
from embedded.child import NotStartedError
from embedded.supervisor import CrashLoopError, Supervisor

PEOPLE = """
  ada@example.com      creator
  max@example.com      manager of Ada's account and one more
  eve@example.com      another creator, who sees nothing of Ada's
  olga@example.com     operator of the deployment
  password             demo-password-1
"""


class RefusedError(Exception):
    """It can't start like this; the message is the one line that says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Run until a signal comes (0) or a part can't be kept alive (1)."""
    options = _parse(arguments)
    try:
        settings = _settings()
        with only_one(options.state):
            wishes = _wishes(options, settings)
            _go_direct()
            todo = plan.make(os.environ, options.state, wishes)
            _tell_others(todo, options.state)
            return _supervise(todo, wishes, options.state)
    except (RefusedError, config.ConfigError) as error:
        print(error, file=sys.stderr)
        return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/run",
        description="Start Huntaze CRM with everything that it needs. What is configured in the environment or in "
        ".env (DATABASE_URL, REDIS_URL, AWS_ENDPOINT_URL, ONLY_FANS_API_BASE_URL) is used; the rest is embedded.",
        epilog="PORT (8000) and HOST (127.0.0.1) say where the web pages are.",
    )
    parser.add_argument(
        "--simulate",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="make the simulated platform misbehave, for example error-rate=0.2, or its fans keep quiet: fans=off; "
        "may be given several times",
    )
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="load no invented people and fans")
    parser.add_argument(
        "--state",
        metavar="FOLDER",
        type=lambda text: Path(text).resolve(),
        default=config.ROOT / "var",
        help="where the data and logs are kept (var)",
    )
    return parser.parse_args(arguments)


def _settings() -> config.Settings:
    """Read the settings just as the application will."""
    if os.environ.get("APP_ENV", "development") == "development":
        load_dotenv(config.ROOT / ".env")
    return config.load(os.environ)


def only_one(state: Path) -> IO[str]:
    """Return a lock on the folder, which the system lets go of however we end; raise RefusedError if another has it."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / "run.lock").open("a+")
    except OSError as error:
        raise RefusedError(f"The folder for data and logs can't be used: {error}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise RefusedError(f"bin/run already runs here (process {holder}); stop that one first.") from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _wishes(options: argparse.Namespace, settings: config.Settings) -> plan.Wishes:
    host = os.environ.get("HOST", "").strip() or ports.LOOPBACK
    if not ports.is_ours(host):
        raise RefusedError(f"This machine can't listen on {host}; choose another: HOST={ports.LOOPBACK} bin/run")
    if not ports.is_free(settings.port, host):
        raise RefusedError(f"Port {settings.port} is in use; choose another: PORT={settings.port + 1} bin/run")
    if options.simulate and os.environ.get("ONLY_FANS_API_BASE_URL", "").strip():
        raise RefusedError("--simulate is for the simulated platform, but ONLY_FANS_API_BASE_URL names another.")
    return plan.Wishes(
        host=host, port=settings.port, simulate=options.simulate, demo=options.demo and not settings.production
    )


def _go_direct() -> None:
    """Keep what stays on this machine away from a proxy, here and in every child."""
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), ports.LOOPBACK, "localhost"]))


def _tell_others(todo: plan.Plan, state: Path) -> None:
    """Write down where the embedded parts are, for a shell that runs commands beside them."""
    lines = [f"{name}={shlex.quote(value)}\n" for name, value in todo.addresses.items()]
    (state / "environment").write_text("".join(lines))


def _supervise(todo: plan.Plan, wishes: plan.Wishes, state: Path) -> int:
    supervisor = Supervisor(state / "log", _say)
    supervisor.heed_signals()
    try:
        _start(supervisor, todo)
        _say(_welcome(todo, wishes, state))
        supervisor.watch()
    except KeyboardInterrupt:
        _say("\nStopping … (Ctrl-C again ends everything at once)")
        return 0
    except (NotStartedError, CrashLoopError) as error:
        _say(f"\n{error}\n\nStopping …")
        return 1
    finally:
        supervisor.stop()
        _say("Stopped.")


def _start(supervisor: Supervisor, todo: plan.Plan) -> None:
    began = time.monotonic()
    _say(f"Starting {', '.join(part.name for part in [*todo.embedded, *todo.product])} …")
    for part in todo.embedded:
        supervisor.launch(part)
    if todo.database:
        # It needs none of the embedded parts: they come up meanwhile.
        supervisor.run(todo.database)
    supervisor.wait()
    for part in todo.product:
        supervisor.launch(part)
    supervisor.wait()
    _say(f"  all        ready after {time.monotonic() - began:.1f} s")


def _welcome(todo: plan.Plan, wishes: plan.Wishes, state: Path) -> str:
    control_page = f"\n  Simulated platform   {todo.control_page}" if todo.control_page else ""
    return (
        f"\nHuntaze CRM:           {todo.url}\n"
        f"{PEOPLE if wishes.demo else ''}{control_page}\n"
        f"  Logs                 {os.path.relpath(state)}/log/*.log\n\n"
        "Ctrl-C stops everything."
    )


def _say(line: str) -> None:
    # The terminal may be gone (SIGHUP), and everything must be stopped all the same.
    with suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
