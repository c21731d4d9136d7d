"""Anybody who signed in may ask how the parts are; load balancers ask without."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from app.delivery import heartbeat
from app.extensions import db
from tests.api.conftest import Caller, moment
from tests.support.apps import MakeApp

PATH = "/api/monitoring/onlyfans"


def test_all_is_well_with_a_worker(as_ada: Caller) -> None:
    heartbeat.beat("worker-1", "delivery")
    response = as_ada.get(PATH)
    answer = response.json
    assert (response.status_code, answer["status"]) == (200, "healthy")
    assert list(answer) == ["status", "timestamp", "components"]
    parts = answer["components"]
    assert list(parts) == ["database", "sqs", "redis", "worker", "rateLimiter", "circuitBreaker"]
    assert parts["database"].keys() == {"status", "latencyMs"}
    assert parts["redis"].keys() == {"status", "latencyMs"}
    assert parts["sqs"] == {"status": "healthy", "queueDepth": 0, "messagesInFlight": 0, "dlqCount": 0}
    assert (parts["worker"]["status"], parts["worker"]["count"]) == ("healthy", 1)
    assert abs(moment(parts["worker"]["lastHeartbeat"]) - datetime.now(UTC)) < timedelta(seconds=30)
    assert parts["rateLimiter"] == {"status": "healthy", "enabled": True}
    assert parts["circuitBreaker"] == {"state": "closed"}


def test_without_a_worker_nothing_is_sent(as_ada: Caller) -> None:
    response = as_ada.get(PATH)
    assert (response.status_code, response.json["status"]) == (503, "unhealthy")
    assert response.json["components"]["worker"] == {"status": "unhealthy", "count": 0, "lastHeartbeat": None}


def test_without_queue_or_while_stopped_it_is_degraded(make_app: MakeApp, as_ada: Caller) -> None:
    heartbeat.beat("worker-1", "delivery")
    away = "http://127.0.0.1:9/1/q"
    app = make_app(RATE_LIMITER_ENABLED="off", SQS_RATE_LIMITER_QUEUE=away, SQS_RATE_LIMITER_DLQ=away)
    response = Caller(app.test_client()).get(PATH, headers=as_ada.headers)
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    parts = response.json["components"]
    assert parts["sqs"] == {"status": "degraded", "queueDepth": None, "messagesInFlight": None, "dlqCount": None}
    assert parts["rateLimiter"] == {"status": "degraded", "enabled": False}


def test_without_redis_nothing_is_sent(make_app: MakeApp, as_ada: Caller) -> None:
    heartbeat.beat("worker-1", "delivery")
    app = make_app(REDIS_URL="redis://127.0.0.1:9")
    response = Caller(app.test_client()).get(PATH, headers=as_ada.headers)
    assert (response.status_code, response.json["status"]) == (503, "unhealthy")
    ready = app.test_client().get("/readyz")
    assert (ready.status_code, ready.json) == (200, {"status": "degraded"})
    parts = response.json["components"]
    assert parts["redis"] == {"status": "unhealthy", "latencyMs": None}
    assert parts["circuitBreaker"] == {"state": None}


def test_load_balancers_ask_whether_it_lives_and_is_ready(nobody: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/healthz", "/readyz"):
        assert nobody.get(path).json == {"status": "ok"}

    def away(*_: object, **__: object) -> None:
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr(db.session, "execute", away)
    assert nobody.get("/healthz").status_code == 200
    response = nobody.get("/readyz")
    assert response.status_code == 503
    assert response.json == {"success": False, "error": "The database can't be reached", "details": []}
