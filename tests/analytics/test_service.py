"""The roll-ups are always the sum of the transactions: after any changes, in any time zone, on any day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.accounts.models import Account
from app.analytics import counting, service, zones
from app.analytics.models import Revenue
from app.conversations.models import Conversation
from app.db import transaction
from app.earnings import service as earnings
from app.earnings.models import Kind, StaleDay, Transaction
from app.earnings.service import Payment
from app.extensions import db
from app.fans.models import Fan
from tests.analytics.books import pay
from tests.support.cast import Cast

ZONES = (
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kathmandu",
    "Africa/Cairo",
)
Books = dict[str, dict[Any, tuple[int, int, int]]]


def rolled_up() -> Books:
    """What the roll-ups say, by the table's name."""
    found: Books = {}
    for table in counting.ROLL_UPS:
        key = [column.name for column in table.__table__.primary_key]
        rows = db.session.execute(select(table.__table__)).mappings()
        found[table.__tablename__] = {
            tuple(row[name] for name in key): (row["gross_cents"], row["net_cents"], row["payments"]) for row in rows
        }
    return found


def summed() -> Books:
    """What the transactions add up to, counted by Python alone."""
    found: Books = {table.__tablename__: {} for table in counting.ROLL_UPS}
    zone_names = dict(db.session.execute(select(Account.id, Account.time_zone)).all())
    for row in db.session.execute(select(Transaction.__table__)):
        local = row.received_at.astimezone(ZoneInfo(zone_names[row.account_id]))
        day, month = _number(local.date()), _number(local.date().replace(day=1))
        _add(found["revenue"], (row.account_id, int(row.received_at.timestamp() // 900), row.type), row)
        _add(found["revenue_day"], (row.account_id, day, row.type), row)
        _add(found["revenue_month"], (row.account_id, month, row.type), row)
        _add(found["revenue_hour"], (row.account_id, month, local.weekday() * 24 + local.hour), row)
        if row.fan_id is not None:
            _add(found["fan_day"], (row.account_id, day, row.fan_id), row)
            _add(found["fan_month"], (row.account_id, month, row.fan_id), row)
    return found


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _add(books: dict[Any, tuple[int, int, int]], key: Any, row: Any) -> None:
    gross, net, payments = books.get(key, (0, 0, 0))
    books[key] = (gross + row.gross_cents, net + row.net_cents, payments + 1)


moments = st.one_of(
    st.integers(0, 8 * 365 * 86400).map(lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)),
    # Around the days on which the clocks change, and the ends of days everywhere.
    st.builds(
        lambda day, minutes: day + timedelta(minutes=minutes),
        st.sampled_from(
            [
                datetime(2026, month, day, tzinfo=UTC)
                for month, day in ((3, 8), (3, 29), (4, 24), (10, 25), (10, 30), (11, 1))
            ]
        ),
        st.integers(-900, 2300),
    ),
)
payments = st.lists(
    st.tuples(
        st.sampled_from([f"p{number}" for number in range(8)]),
        st.sampled_from(Kind),
        st.integers(0, 50_000),
        moments,
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=20,
)


def _payment(cast: Cast, told: tuple[Any, ...]) -> Payment:
    name, kind, gross, received_at, who, _ = told
    fan_id = cast.fans[who].id if who < 3 else None
    return Payment(name, kind, gross, gross * 4 // 5, received_at, fan_id)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=payments, zone=st.sampled_from(ZONES), moved_to=st.sampled_from(ZONES))
@example(
    told=[("p1", Kind.TIP, 100, datetime(2026, 3, 29, 0, 59, 59, 999_900, tzinfo=UTC), 0, True)],
    zone="Europe/Paris",
    moved_to="Europe/Paris",
)
def test_the_roll_ups_are_the_sum_of_the_transactions(
    cast: Cast, told: list[tuple[Any, ...]], zone: str, moved_to: str
) -> None:
    with transaction():
        for table in (Transaction, StaleDay, *counting.ROLL_UPS):
            db.session.execute(delete(table))
        db.session.execute(update(Account).where(Account.id == cast.account.id).values(time_zone=zone))
    service.rebuild()
    for one in told:
        earnings.record(cast.account.id, [_payment(cast, one)])
        if one[-1]:
            service.roll_up()
            assert rolled_up() == summed()
    service.roll_up()
    assert rolled_up() == summed()
    assert service.roll_up() == 0
    with transaction():
        db.session.execute(update(Account).where(Account.id == cast.account.id).values(time_zone=moved_to))
    service.roll_up()
    assert rolled_up() == summed()
    service.rebuild()
    assert rolled_up() == summed()


@pytest.mark.usefixtures("any_database")
def test_both_databases_count_alike(cast: Cast) -> None:
    cast.account.time_zone = "America/New_York"
    db.session.commit()
    kinds, told = list(Kind), []
    for hour in range(0, 24 * 400, 7):
        at = datetime(2025, 9, 20, tzinfo=UTC) + timedelta(hours=hour, microseconds=999_999 * (hour % 2))
        payment = Payment(f"p{hour}", kinds[hour % 5], hour, hour // 2, at, cast.fans[hour % 3].id)
        told.append(payment)
    earnings.record(cast.account.id, told)
    assert service.roll_up() == 1
    assert rolled_up() == summed()
    earnings.record(cast.account.id, [replace(payment, gross_cents=1, received_at=at - timedelta(days=200))])
    assert service.roll_up() == 1
    assert rolled_up() == summed()


@pytest.mark.usefixtures("any_database")
def test_only_what_changed_is_counted_again(account: Account, fan: Fan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 2)
    pay(account, "2026-11-01 12:00", 100, fan)
    service.roll_up()
    with transaction():
        # A sign: whoever counts this quarter hour again takes it away.
        db.session.execute(update(Revenue).values(payments=77))
    for day in range(3, 9):
        pay(account, f"2026-11-0{day} 12:00", 100, fan)
    service.roll_up()
    counts = dict(db.session.execute(select(Revenue.quarter, Revenue.payments)).all())
    assert sorted(counts.values()) == [1] * 6 + [77]
    assert db.session.scalars(select(StaleDay)).all() == []


@pytest.mark.usefixtures("any_database")
def test_a_fan_who_is_taken_out_leaves_their_money(account: Account, fan: Fan) -> None:
    pay(account, "2026-11-01 12:00", 100, fan)
    service.roll_up()
    with transaction():
        db.session.execute(delete(Conversation).where(Conversation.fan_id == fan.id))
        db.session.execute(delete(Fan).where(Fan.id == fan.id))
    kept = rolled_up()
    assert kept == summed()
    assert [gross for gross, _, _ in kept["revenue"].values()] == [100]
    assert kept["fan_day"] == kept["fan_month"] == {}
    service.rebuild()
    assert rolled_up() == kept


def test_every_day_of_a_zone_begins_where_the_one_before_ends() -> None:
    for name in ("Europe/Paris", "Africa/Cairo", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe"):
        zone = ZoneInfo(name)
        for number in range(400):
            day = date(2025, 9, 1) + timedelta(days=number)
            begin = zones.begins(zone, day)
            assert zones.local_day(zone, zones.moment_of(begin)) == day
            assert zones.local_day(zone, zones.moment_of(begin - 1)) == day - zones.DAY
