"""Money received is written down once, corrected when its source says so, and makes fans worth what they paid."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.models import Account
from app.earnings import queries, service
from app.earnings.models import Kind, StaleDay, Transaction
from app.earnings.service import Payment
from app.errors import NotFound
from app.extensions import db
from app.fans.models import Fan
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def tip(fan: Fan) -> Payment:
    """Tom tips ten dollars."""
    return Payment("tip-1", Kind.TIP, 1000, 800, NOON, fan.id)


def stale_days() -> list[date]:
    """The days that wait to be counted, in order."""
    return list(db.session.scalars(select(StaleDay.day).order_by(StaleDay.day)))


def everything() -> list[tuple[Any, ...]]:
    """Every transaction, but for its id."""
    query = select(Transaction.account_id, Transaction.fan_id, Transaction.platform_id, Transaction.type)
    query = query.add_columns(Transaction.gross_cents, Transaction.net_cents, Transaction.received_at)
    return [tuple(row) for row in db.session.execute(query.order_by(Transaction.platform_id))]


def test_a_payment_is_written_down_once(account: Account, tip: Payment, fan: Fan) -> None:
    assert service.record(account.id, [tip, tip]) == 1
    assert service.record(account.id, [tip]) == 0
    assert everything() == [(account.id, fan.id, "tip-1", "tip", 1000, 800, NOON)]
    assert stale_days() == [NOON.date()]
    assert fan.value_cents == 1000


def test_the_same_platform_id_on_another_account_is_another_payment(cast: Cast, tip: Payment) -> None:
    service.record(cast.account.id, [tip])
    assert service.record(cast.eves_account.id, [replace(tip, fan_id=None)]) == 1
    assert len(everything()) == 2


def test_a_correction_marks_the_day_that_it_leaves_and_the_one_that_it_reaches(
    account: Account, tip: Payment, fan: Fan
) -> None:
    service.record(account.id, [tip])
    db.session.query(StaleDay).delete()
    later = replace(tip, gross_cents=700, net_cents=560, received_at=datetime(2026, 11, 3, tzinfo=UTC))
    assert service.record(account.id, [later]) == 1
    assert stale_days() == [date(2026, 11, 1), date(2026, 11, 3)]
    assert everything() == [(account.id, fan.id, "tip-1", "tip", 700, 560, later.received_at)]
    assert fan.value_cents == 700


def test_a_correction_that_names_nobody_leaves_who_is_known(account: Account, tip: Payment, fan: Fan) -> None:
    service.record(account.id, [tip])
    assert service.record(account.id, [replace(tip, fan_id=None)]) == 0
    assert everything()[0][1] == fan.id


def test_a_payment_can_turn_out_to_be_somebody_elses(account: Account, tip: Payment, cast: Cast) -> None:
    service.record(account.id, [tip])
    service.record(account.id, [replace(tip, fan_id=cast.fans[1].id)])
    assert [fan.value_cents for fan in cast.fans[:2]] == [0, 1000]


def test_an_imported_value_stays_until_more_was_paid(account: Account, tip: Payment, fan: Fan) -> None:
    fan.value_cents = 1500
    db.session.commit()
    service.record(account.id, [tip])
    assert fan.value_cents == 1500
    service.record(account.id, [replace(tip, platform_id="tip-2")])
    assert fan.value_cents == 2000


def test_many_payments_go_in_at_once(account: Account, tip: Payment) -> None:
    many = [replace(tip, platform_id=f"tip-{number}") for number in range(1203)]
    assert service.record(account.id, many) == 1203
    assert service.record(account.id, many) == 0
    assert db.session.execute(select(func.count()).select_from(Transaction)).scalar_one() == 1203


def test_lines_are_read_in_order_with_names_and_only_by_who_may(
    account: Account, tip: Payment, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "AT_ONCE", 2)
    service.record(account.id, [replace(tip, platform_id=f"tip-{number}") for number in range(5)])
    service.record(account.id, [replace(tip, platform_id="late", received_at=datetime(2026, 11, 2, tzinfo=UTC))])
    found = list(queries.lines(cast.max, account.id, NOON, datetime(2026, 11, 2, tzinfo=UTC)))
    assert [line.platform_id for line in found] == [f"tip-{number}" for number in range(5)]
    assert (found[0].fan_name, found[0].gross_cents, found[0].received_at) == ("Tom Tester", 1000, NOON)
    for stranger in (cast.eve, cast.olga):
        with pytest.raises(NotFound):
            queries.lines(stranger, account.id, NOON, NOON)
