"""A file of fans is taken in once, by whoever comes first, through crashes and races, and changes nothing twice."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from rq import Queue
from sqlalchemy import func, select, update

from app import jobs
from app.accounts.models import Account, User
from app.clock import now
from app.db import transaction
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.imports import queries, service
from app.imports.models import Import, ImportFile, RejectedRow, Status
from tests.imports.files import HEADER, counts, fan_of, load, many
from tests.support.cast import Cast
from tests.support.queries import count_queries

pytestmark = pytest.mark.usefixtures("any_database")


@pytest.fixture
def waiting(app: Flask) -> Iterator[Queue]:
    """The background queue, which nobody works off here."""
    with jobs.connect(app.extensions["settings"].redis_url) as connection:
        yield jobs.queue(jobs.BACKGROUND, connection)


def test_new_fans_are_inserted_and_known_ones_brought_up_to_date(ada: User, account: Account, cast: Cast) -> None:
    text = HEADER + "@Tom_Tester,Tommy,tom@example.com,Gold,$50,2026-11-01\nnew.one,,,,,\n,Only Named,,,5,\n"
    found = load(ada, text)
    assert (found.status, found.total_rows, counts(found)) == (Status.COMPLETED, 3, (2, 1, 0, 0))
    tom = fan_of("tom_tester")
    assert (tom.id, tom.name, tom.email, tom.tier, tom.value_cents) == (
        cast.fans[0].id, "Tommy", "tom@example.com", "Gold", 5000,
    )  # fmt: skip
    assert tom.last_seen_at == datetime(2026, 11, 1, tzinfo=UTC)
    new = fan_of("new.one")
    assert (new.account_id, new.name, new.platform_id, new.tags, new.status) == (
        account.id,
        "new.one",
        None,
        [],
        "active",
    )
    named = db.session.scalars(select(Fan).where(Fan.name == "Only Named")).one()
    assert (named.handle, named.value_cents) == (None, 500)


def test_only_who_is_renamed_looks_different_in_their_conversation(ada: User, cast: Cast) -> None:
    before = [conversation.version for conversation in cast.conversations]
    load(ada, HEADER + "tom_tester,Tommy,,,,\numa_umbrella,Uma Umbrella,,Gold,,\n")
    assert fan_of("uma_umbrella").tier == "Gold"
    after = [conversation.version for conversation in cast.conversations]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 0, 0, 0]


def test_the_same_file_twice_changes_nothing(ada: User) -> None:
    text = many(30) + "tom_tester,Tom,,,1,\n,Only Named,,,5,2026-10-01\nTOM_TESTER,Twice,,,,\n"
    first = load(ada, text)
    assert counts(first) == (28, 1, 0, 4)
    before = db.session.execute(select(Fan.__table__).order_by(Fan.id)).all()
    again = load(ada, text)
    assert counts(again) == (0, 0, 29, 4)
    assert db.session.execute(select(Fan.__table__).order_by(Fan.id)).all() == before


def test_what_a_row_does_not_say_stays(ada: User) -> None:
    load(ada, HEADER + "tom_tester,Tom,tom@example.com,Gold,5,2026-10-02\n")
    assert counts(load(ada, HEADER + "tom_tester,,,,,\n")) == (0, 0, 1, 0)
    assert counts(load(ada, HEADER + "tom_tester,,,,,2026-10-01\n")) == (0, 0, 1, 0)
    tom = fan_of("tom_tester")
    assert (tom.name, tom.email, tom.tier, tom.value_cents) == ("Tom", "tom@example.com", "Gold", 500)
    assert tom.last_seen_at == datetime(2026, 10, 2, tzinfo=UTC)


def test_a_fan_is_worth_what_was_imported_or_paid_whichever_is_more(ada: User, cast: Cast) -> None:
    fan = cast.fans[0]
    with transaction():
        db.session.add_all(
            Transaction(
                account_id=fan.account_id, fan_id=fan.id, platform_id=f"t{n}", type="tip",
                gross_cents=600, net_cents=480, received_at=now(),
            )
            for n in range(2)
        )  # fmt: skip
    for said, worth in (("5", 1200), ("20", 2000), ("15", 1500)):
        load(ada, f"username,total spent\ntom_tester,{said}\n")
        assert fan_of("tom_tester").value_cents == worth


def test_a_name_that_two_fans_have_is_a_bad_row(ada: User, account: Account) -> None:
    with transaction():
        db.session.add_all(Fan(account_id=account.id, name=name) for name in ("Twin", "Twin", "Single"))
        db.session.add(Fan(account_id=account.id, name="Single", handle="other"))
    found = load(ada, "display name,email\nTwin,a@example.com\nSingle,b@example.com\ntwin,\n")
    assert counts(found) == (1, 1, 0, 1)
    (fault,) = queries.faults(found.id, 10)
    assert (fault.line, fault.field) == (2, "displayName")
    single = select(Fan.email).where(Fan.name == "Single", Fan.handle.is_(None))
    assert db.session.scalars(single).one() == "b@example.com"


def test_bad_rows_are_kept_with_their_cells(ada: User) -> None:
    found = load(ada, HEADER + "ok,,,,,\nnot ok,Ä,nobody,,,\n")
    assert [(fault.line, fault.field) for fault in queries.faults(found.id, 10)] == [(3, "username"), (3, "email")]
    assert (found.rejected, found.faults) == (1, 2)
    assert [row.cells for row in queries.all_rejected(found.id)] == [["not ok", "Ä", "nobody", "", "", ""]]


def test_too_many_bad_rows_are_counted_and_not_all_kept(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 3)
    monkeypatch.setattr(service, "REJECTED_KEPT", 4)
    found = load(ada, "username\n" + "".join(f"not ok {n}\n" for n in range(8)))
    assert found.rejected == found.faults == 8
    assert [row.line for row in queries.all_rejected(found.id)] == [2, 3, 4, 5]


def test_a_file_that_is_done_is_forgotten(ada: User) -> None:
    load(ada, many(3))
    assert db.session.scalar(select(func.count()).select_from(ImportFile)) == 0


def test_a_batch_takes_a_few_statements_however_long(ada: User) -> None:
    load(ada, many(400))
    text = many(800).replace("Gold", "Silver")
    with count_queries() as statements:
        assert counts(load(ada, text)) == (360, 360, 0, 80)
    assert len(statements) < 30


def test_a_long_file_is_left_to_the_background(ada: User, waiting: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 5)
    found = load(ada, many(6))
    assert (found.status, found.rows_done) == (Status.PROCESSING, 0)
    (job,) = waiting.jobs
    assert (job.func_name, job.args) == (service.RUN, [found.id])
    service.run(found.id)
    db.session.refresh(found)
    assert (found.status, counts(found)) == (Status.COMPLETED, (5, 0, 0, 1))


class Killed(BaseException):
    """What a kill looks like from inside."""


def test_what_a_killed_worker_left_is_done_once(ada: User, waiting: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 5)
    monkeypatch.setattr(service, "BATCH", 7)
    found = load(ada, many(40))
    real, calls = service._count, []

    def die_after_writing(import_id: int, outcome: service.Outcome) -> None:
        calls.append(outcome)
        if len(calls) == 3:
            raise Killed
        real(import_id, outcome)

    monkeypatch.setattr(service, "_count", die_after_writing)
    with pytest.raises(Killed):
        service.run(found.id)
    service.run(found.id)
    assert len(calls) == 3, "its lease keeps others away"
    assert service.hand_on_stalled() == 0
    pass_time(found.id)
    waiting.empty()
    assert service.hand_on_stalled() == 1
    assert [job.args for job in waiting.jobs] == [[found.id]]
    assert service.hand_on_stalled() == 0
    service.run(found.id)
    db.session.refresh(found)
    assert (found.status, found.rows_done, counts(found)) == (Status.COMPLETED, 40, (36, 0, 0, 4))
    assert db.session.scalar(select(func.count()).select_from(Fan).where(Fan.handle.startswith("many"))) == 36


def pass_time(import_id: int) -> None:
    """More than a lease ago: that is when it was last worked on."""
    with transaction():
        ago = now() - timedelta(minutes=2)
        db.session.execute(update(Import).where(Import.id == import_id).values(queued_at=ago, working_until=ago))


def test_an_import_that_never_gets_on_is_given_up(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 0)
    found = load(ada, many(5))

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(service, "merge", die)
    for _ in range(service.MOST_CLAIMS):
        with pytest.raises(Killed):
            service.run(found.id)
        pass_time(found.id)
    service.run(found.id)
    db.session.refresh(found)
    assert found.status == Status.FAILED


def test_workers_at_once_take_every_row_once(app: Flask, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 5)
    monkeypatch.setattr(service, "BATCH", 5)
    # Without its lease only the progress is left to keep workers apart.
    monkeypatch.setattr(service, "LEASE", timedelta(seconds=-60))
    import_id = load(ada, many(60)).id
    db.session.remove()

    def work() -> None:
        with app.app_context():
            service.run(import_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    found = db.session.get_one(Import, import_id)
    assert (found.status, counts(found)) == (Status.COMPLETED, (54, 0, 0, 6))
    assert db.session.scalar(select(func.count()).select_from(RejectedRow)) == 6


def test_somebody_who_writes_the_same_fan_down_meanwhile_is_met(ada: User, account: Account) -> None:
    early = Fan.__table__.insert().values(account_id=account.id, handle="many1", name="Early", notes="")
    if db.engine.dialect.name == "sqlite":
        # It lets nobody write in between, so they can only come before.
        with transaction():
            db.session.execute(early)
        assert counts(load(ada, many(3))) == (1, 1, 0, 1)
        return
    db.session.rollback()
    with db.engine.connect() as other:
        other.execute(early)
        # Our insert waits for theirs, which isn't to be seen yet.
        threading.Timer(0.3, other.commit).start()
        assert counts(load(ada, many(3))) == (1, 1, 0, 1)
    assert db.session.scalars(select(Fan.name).where(Fan.handle == "many1")).all() == ["Many 1"]
