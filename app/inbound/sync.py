"""Reading an account from the platform: all of it once, and every night what webhooks missed.

A job works for some seconds, page by page, and notes after each how far it came; whoever goes on, after a crash or a
pause, begins there. It leaves half of the team's limit to those who send.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import redis as redis_client
from sqlalchemy import ColumnElement, or_, select, update

from app import jobs
from app.accounts import connection
from app.accounts.connection import Keys, KeyUnreadable
from app.accounts.models import Account
from app.clock import now
from app.db import database_now, on_commit, transaction
from app.extensions import db, redis
from app.gateways import webhooks
from app.gateways.answers import CallFailed, Login
from app.gateways.listing import Listing, Page, wait_asked_for
from app.gateways.webhooks import Address
from app.inbound import filling
from app.inbound.filling import ChatHead
from app.inbound.models import Stage, Synchronisation

log = logging.getLogger(__name__)
RUN = "app.inbound.sync.run"
SLICE_SECONDS = 8.0
LEASE = timedelta(seconds=60)
LEFT_TO_SENDS = 0.5
BREATH, REFUSED, AWAY = timedelta(seconds=15), timedelta(minutes=10), timedelta(seconds=30)
# It asks nobody but the database.
STOPPED = timedelta(minutes=1)
PAUSE_MOST = timedelta(hours=1)
PAGES_OF_A_CHAT = 5
NIGHT = (3, 5)
USUAL = timedelta(days=90)
AGAIN_AFTER, LOOK_BACK = timedelta(hours=20), timedelta(days=3)
FOLLOWING = {Stage.CHATS: Stage.FANS, Stage.FANS: Stage.PAYMENTS, Stage.PAYMENTS: Stage.DONE}


@dataclass(frozen=True, slots=True)
class Reader:
    """What the jobs of this process read with, and where webhooks reach this deployment, if they do."""

    listing: Listing
    keys: Keys
    address: Address | None = None


_make_reader: Callable[[], Reader] | None = None


def bind(make_reader: Callable[[], Reader]) -> None:
    """What the jobs of this process read with, made when the first one runs."""
    global _make_reader  # noqa: PLW0603 - a job can be given nothing but plain arguments
    _make_reader = make_reader


def begin(account_id: int, since: datetime, *, full: bool) -> None:
    """Read the account, its payments since then; one that is being read goes on as it is."""
    with transaction():
        row = _of_account(account_id)
        if row is not None and row.stage != Stage.DONE:
            return
        if row is None:
            row = Synchronisation(account_id=account_id)
            db.session.add(row)
        row.stage, row.cursor, row.full, row.since = Stage.CHATS, None, full, since
        row.chats = row.messages = row.fans = row.payments = row.failures = 0
        row.started_at = row.due_at = database_now()
        row.working_until = row.finished_at = row.error = None
        db.session.flush()
        on_commit(partial(_enqueue, row.id))


def catch_up(account_id: int) -> None:
    """Read what was missed while an account couldn't be reached; all of it if it was never read."""
    row = _of_account(account_id)
    if row is None or row.finished_at is None:
        begin(account_id, now() - USUAL, full=True)
    else:
        begin(account_id, row.finished_at - LOOK_BACK, full=False)


def begin_nightly() -> None:
    """Look after accounts where it is night now and that were read before; those without webhooks most of all."""
    rested = Synchronisation.finished_at < now() - AGAIN_AFTER
    query = select(Account, Synchronisation.finished_at).join(Synchronisation).where(rested)
    for account, finished_at in db.session.execute(query.where(Account.reconnect_since.is_(None))).all():
        if NIGHT[0] <= now().astimezone(ZoneInfo(account.time_zone)).hour < NIGHT[1]:
            begin(account.id, (finished_at or now()) - LOOK_BACK, full=False)


def hand_on_due() -> None:
    """Give what is due and nobody works on to the background, again if need be."""
    with transaction():
        at = database_now()
        taken = update(Synchronisation).where(_open(), Synchronisation.due_at <= at, _free(at))
        for found in db.session.scalars(taken.values(due_at=at + AWAY).returning(Synchronisation.id)).all():
            on_commit(partial(_enqueue, found))


def run(sync_id: int) -> None:
    """Read on for some seconds, unless somebody else is at it: the job of a background worker."""
    if _make_reader is None:
        raise RuntimeError("bind() comes first")
    if not _claim(sync_id):
        return
    reader, ends, due_at = _make_reader(), time.monotonic() + SLICE_SECONDS, None
    while due_at is None and time.monotonic() < ends:
        due_at = step(reader, sync_id)
    with transaction():
        row = db.session.get_one(Synchronisation, sync_id, populate_existing=True)
        row.working_until, row.due_at = None, due_at or database_now()
        if due_at is None and row.stage != Stage.DONE:
            on_commit(partial(_enqueue, sync_id))


def step(reader: Reader, sync_id: int) -> datetime | None:
    """Read one page and note it; when to go on, None: at once."""
    with transaction():
        row = db.session.get_one(Synchronisation, sync_id, populate_existing=True)
        # Counts of a page are written together with its end, or not at all.
        db.session.expunge(row)
        account = db.session.get_one(Account, row.account_id, populate_existing=True)
        stopped = account.reconnect_since is not None
    if row.stage == Stage.DONE or stopped:
        return database_now() + STOPPED
    try:
        login = Login(account.platform_id, reader.keys.decrypt(account.api_key_encrypted))
        if row.stage == Stage.CHATS and row.cursor is None:
            _have_us_told(reader, login)
        page = _read(reader, row, login)
    except KeyUnreadable as error:
        return _put_off(row, str(error), REFUSED)
    except CallFailed as error:
        if error.refused_login:
            connection.require_reconnect(account.id, error.reason)
        asked = timedelta(seconds=wait_asked_for(error))
        return _put_off(row, error.reason, max(asked, min(AWAY * 2 ** min(row.failures, 8), PAUSE_MOST)))
    _note(row, page)
    return database_now() + BREATH if page.left < LEFT_TO_SENDS else None


def _have_us_told(reader: Reader, login: Login) -> None:
    """Whose key it is has its webhooks registered, so that nobody needs to; without them, reading finds it later."""
    if reader.address is None:
        return
    try:
        webhooks.ensure(reader.listing.platform, login.api_key, reader.address)
    except CallFailed as error:
        log.warning("webhooks_not_registered", extra={"reason": error.reason})


def _read(reader: Reader, row: Synchronisation, login: Login) -> Page:
    """Read the next page and write down what is in it."""
    if row.stage == Stage.FANS:
        page = reader.listing.fans(login, row.cursor)
        row.fans += filling.add_fans(row.account_id, page.items)
        return page
    if row.stage == Stage.PAYMENTS:
        page = reader.listing.payments(login, row.since, row.cursor)
        row.payments += filling.add_payments(row.account_id, page.items)
        return page
    page = reader.listing.chats(login, row.cursor)
    left = page.left
    for head in filling.chat_heads(page.items):
        row.chats += 1
        if filling.open_chat(row.account_id, head) or row.full:
            left = min(left, _read_chat(reader.listing, row, login, head))
    return Page(page.items, page.following, left)


def _read_chat(listing: Listing, row: Synchronisation, login: Login, head: ChatHead) -> float:
    """The chat's newest page; later on, back to what is here already. The share of the limit that is left."""
    cursor, theirs, left = None, 0, 1.0
    try:
        for _ in range(1 if row.full else PAGES_OF_A_CHAT):
            page = listing.messages(login, head.fan.platform_id, cursor)
            added, all_new = filling.add_messages(row.account_id, head, page.items, theirs)
            row.messages += added
            theirs += sum(not item.get("isSentByMe") for item in page.items)
            cursor, left = page.following, page.left
            _extend(row.id)
            if cursor is None or not all_new:
                break
    finally:
        if head.unread:
            listing.mark_unread(login, head.fan.platform_id)
    return left


def _note(row: Synchronisation, page: Page) -> None:
    """How far we came, together with the counts that `_read` made."""
    ended = page.following is None or page.following == row.cursor
    stage = FOLLOWING[Stage(row.stage)] if ended else row.stage
    values = {name: getattr(row, name) for name in ("chats", "messages", "fans", "payments")}
    values |= {"stage": stage, "cursor": None if ended else page.following, "failures": 0, "error": None}
    if stage == Stage.DONE:
        values["finished_at"] = database_now()
        log.info("account_synchronised", extra={"accountId": row.account_id})
    with transaction():
        db.session.execute(update(Synchronisation).where(Synchronisation.id == row.id).values(**values))
    _extend(row.id)


def _put_off(row: Synchronisation, reason: str, pause: timedelta) -> datetime:
    log.warning("synchronisation_waits", extra={"accountId": row.account_id, "reason": reason})
    with transaction():
        values = {"failures": Synchronisation.failures + 1, "error": reason[:300]}
        db.session.execute(update(Synchronisation).where(Synchronisation.id == row.id).values(**values))
        return database_now() + pause


def _claim(sync_id: int) -> bool:
    with transaction():
        at = database_now()
        taken = update(Synchronisation).where(Synchronisation.id == sync_id, _open(), _free(at))
        taken = taken.values(working_until=at + LEASE).returning(Synchronisation.id)
        return db.session.scalar(taken) is not None


def _extend(sync_id: int) -> None:
    with transaction():
        until = database_now() + LEASE
        db.session.execute(
            update(Synchronisation).where(Synchronisation.id == sync_id).values(working_until=until),
            execution_options={"synchronize_session": False},
        )


def _open() -> ColumnElement[bool]:
    return Synchronisation.stage != Stage.DONE


def _free(at: datetime) -> ColumnElement[bool]:
    return or_(Synchronisation.working_until.is_(None), Synchronisation.working_until < at)


def _of_account(account_id: int) -> Synchronisation | None:
    return db.session.scalar(select(Synchronisation).where(Synchronisation.account_id == account_id))


def _enqueue(sync_id: int) -> None:
    try:
        jobs.enqueue(redis(), RUN, sync_id)
    except redis_client.RedisError as error:
        log.warning("synchronisation_not_enqueued", extra={"reason": type(error).__name__})
