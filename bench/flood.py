"""A flood of webhooks leaves behind what the same events leave in order, or the benchmark fails."""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random

from sqlalchemy import select

from app.accounts.models import Account
from app.db import transaction
from app.extensions import db
from app.inbound import service
from app.inbound.service import Told
from bench import databases, seed, told
from bench.rig import Rig, running
from bench.serving import Question, Run, load, served
from tests.inbound.told import state

CONNECTIONS, EVENTS, FANS, FORGED = 8, 10_000, 200, 0.05
MIX = told.OFTEN | told.SELDOM
IN_ORDER, FLOODED = "acct_in_order", "acct_flooded"


def flood() -> dict[str, object]:
    """10,000 events, doubled, shuffled and 5 % forged, against the same in order: the same state, or it fails."""
    figures: dict[str, object] = {}
    for kind, database in databases.KINDS.items():
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="huntaze-bench-")))
            directory.chmod(0o755)
            url = stack.enter_context(database(directory))
            rig = stack.enter_context(running(url, WEBHOOK_SECRET=told.SECRET))
            figures[kind] = _flood(rig)
    return figures


def _flood(rig: Rig) -> str:
    random = Random(7)
    story = [told.event(number, 7000 + random.randrange(FANS), random, MIX) for number in range(EVENTS)]
    _accounts(rig)
    with rig.app.app_context():
        for number, event in enumerate(story):
            service.accept(Told(event.name, IN_ORDER, event.payload, f"evt_in_order_{number}"))
        while service.work_off_batch():
            pass
    began = time.monotonic()
    with served(rig, "app:create_app()") as server, rig.process("worker.py"):
        run = load(server, Question("flood", _deliveries(story, random)), None)
        told.worked_off(rig)
    _compare(rig, run)
    return f"{len(run.latencies)} posted, {run.refused} refused, the same state after {time.monotonic() - began:.0f} s"


def _deliveries(story: list[told.Event], random: Random) -> list[list[str]]:
    """Each event twice and some that somebody else signed, in no order, for each of the connections."""
    posts = [told.post(FLOODED, event, f"evt_{number:040x}") for number, event in enumerate(story)] * 2
    for number in range(int(EVENTS * FORGED)):
        event = told.event(EVENTS + number, 7000, random, MIX)
        posts.append(told.post(FLOODED, event, f"evt_forged_{number}", secret="guessed"))
    random.shuffle(posts)
    return [posts[place::CONNECTIONS] for place in range(CONNECTIONS)]


def _accounts(rig: Rig) -> None:
    with rig.app.app_context(), transaction():
        owner_id = seed.user().id
        for name in (IN_ORDER, FLOODED):
            db.session.add(Account(platform_id=name, owner_id=owner_id, display_name=name))


def _compare(rig: Rig, run: Run) -> None:
    """Raises RuntimeError unless both accounts' people see the same, and forgeries alone were refused."""
    with rig.app.app_context():
        query = select(Account).where(Account.platform_id.in_([IN_ORDER, FLOODED])).order_by(Account.id)
        seen = [state(account) for account in db.session.scalars(query)]
    if seen[0] != seen[1]:
        parts = [part for part in seen[0] if seen[0][part] != seen[1][part]]
        raise RuntimeError(f"the flood ended differently: {', '.join(parts)}")
    if run.refused != int(EVENTS * FORGED):
        raise RuntimeError(f"{run.refused} were refused")
