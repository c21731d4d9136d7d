"""`flask analytics rebuild` counts everything again, with the same result."""

import pytest
from sqlalchemy import select, update

from app.analytics import service
from app.analytics.models import FanDay, Revenue
from app.db import transaction
from app.extensions import db
from tests.analytics.books import pay
from tests.support.apps import RunCli
from tests.support.cast import Cast


def _counted() -> list[tuple[object, ...]]:
    return [tuple(row) for table in (Revenue, FanDay) for row in db.session.execute(select(table.__table__))]


@pytest.mark.usefixtures("any_database")
def test_it_counts_everything_again(run_cli: RunCli, cast: Cast) -> None:
    for day in range(1, 6):
        pay(cast.account, f"2026-11-0{day} 12:00", day * 100, cast.fans[0])
    service.roll_up()
    right = _counted()
    with transaction():
        db.session.execute(update(Revenue).values(gross_cents=1))
        db.session.execute(update(FanDay).values(net_cents=1))
    result = run_cli("analytics", "rebuild")
    assert (result.exit_code, result.output) == (0, "The figures of 3 accounts were counted again.\n")
    assert _counted() == right


def test_it_explains_itself(run_cli: RunCli) -> None:
    assert len(run_cli("analytics", "rebuild", "--help").output) > 300
