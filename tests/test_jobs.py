"""What is asked for in the background waits there once, and is run by its name."""

import redis

from app import jobs
from app.analytics import service

VERB = "app.analytics.service.roll_up"


def test_what_catches_up_with_everything_is_asked_for_seldom(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url, decode_responses=True) as connection:
        assert jobs.enqueue_seldom(connection, VERB, 1)
        assert not jobs.enqueue_seldom(connection, VERB, 1)
        assert jobs.enqueue_seldom(connection, "app.idempotency.forget_old", 1)
        connection.delete(f"{jobs.ASKED_FOR}:{VERB}")
        assert jobs.enqueue_seldom(connection, VERB, 1)
    with jobs.connect(redis_url) as connection:
        waiting = jobs.queue(jobs.INBOUND, connection).jobs
        assert [job.func for job in waiting].count(service.roll_up) == 2
