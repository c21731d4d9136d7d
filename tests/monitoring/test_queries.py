"""Charts are made of the traffic of one's own accounts."""

from datetime import timedelta
from itertools import pairwise

import pytest

from app.db import database_now
from app.extensions import db
from app.monitoring import queries
from app.monitoring.histogram import step_of
from app.monitoring.models import Traffic
from app.monitoring.service import bucket_of
from tests.support.cast import Cast


def _add(scope: int, minutes_ago: float, sent: int, errors: int = 0, took_ms: float = 1000) -> None:
    begins_at = bucket_of(database_now() - timedelta(minutes=minutes_ago))
    counts = {"sent": sent, "failed": 1, "attempts": sent + errors, "errors": errors}
    db.session.add(Traffic(scope=scope, begins_at=begins_at, latencies={str(step_of(took_ms)): sent}, **counts))
    db.session.commit()


def test_everybody_sees_the_sums_of_their_accounts(cast: Cast, any_database: str) -> None:
    _add(cast.account.id, 20, 8, errors=2)
    _add(cast.beas_account.id, 20, 2, took_ms=60_000)
    _add(cast.eves_account.id, 20, 5)
    _add(Traffic.EVERYBODY, 20, 15)
    sums = {
        user.name: sum(point.sent for point in queries.traffic(user, 1))
        for user in (cast.ada, cast.max, cast.eve, cast.olga)
    }
    assert sums == {"Ada Example": 8, "Max Example": 10, "Eve Example": 5, "Olga Example": 15}
    point = next(point for point in queries.traffic(cast.max, 1) if point.sent)
    assert point.error_rate == pytest.approx(2 / 12)
    assert point.latency[0] == pytest.approx(1000, rel=0.06)
    assert point.latency[1] == point.latency[2] == pytest.approx(60_000, rel=0.06)


def test_steps_lie_side_by_side_to_this_moment(cast: Cast) -> None:
    _add(cast.account.id, 0, 3)
    _add(cast.account.id, 100, 4)
    for hours, minutes in queries.STEPS.items():
        points = queries.traffic(cast.ada, hours)
        assert len(points) == hours * 60 // minutes
        gaps = {after.begins_at - before.begins_at for before, after in pairwise(points)}
        assert gaps == {timedelta(minutes=minutes)}
        assert points[-1].begins_at <= database_now() < points[-1].begins_at + timedelta(minutes=minutes)
        assert sum(point.sent for point in points) == (3 if hours == 1 else 7)
        assert points[0].error_rate is None
        assert points[0].latency == (None, None, None)
