"""Calls to AWS: how many a message takes, alone and in a campaign, how many an idle worker makes, and their cost."""

import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.conversations.models import Conversation
from app.extensions import db
from app.gateways.alarms import ALARMS
from app.gateways.metrics import Metric
from app.messages import service
from app.messages.models import Message, Priority, Status
from app.messages.rules import Draft
from bench import seed
from bench.rig import Rig, running

ACCOUNTS, FANS = 20, 10
PAUSE = 0.25
CALM = 5.0
# us-east-1, US dollars, without the free tier.
SQS_CALL, METRIC_CALL, METRIC, ALARM, DASHBOARD = 0.40 / 1e6, 0.01 / 1e3, 0.30, 0.10, 3.00
# Of the dead letters, one is a metric with a dimension; of the alarms, one looks at two metrics.
METRICS, ALARMED = len(Metric) + 1, len(ALARMS) + 1
DAYS, MINUTES = 30, 30 * 24 * 60


def aws_calls(messages: int = 200, idle_seconds: float = 65) -> dict[str, object]:
    """Calls to SQS and CloudWatch for each message and each idle minute, as the endpoint recorded them; $ a month."""
    limits = {"RATE_LIMIT_MESSAGES": "1000", "RATE_LIMIT_WINDOW_SECONDS": "1", "RATE_LIMIT_MIN_GAP_SECONDS": "0"}
    with _recorded() as record, running(None, **limits) as rig:
        seed.backlog(rig.app, ACCOUNTS, 0, FANS)
        with rig.process("worker.py"):
            time.sleep(CALM)
            idle = _calls(record, lambda: time.sleep(idle_seconds))
            single = _calls(record, lambda: _send(rig, messages, publish=True))
            campaign = _calls(record, lambda: _send(rig, messages, publish=False))
    idle_minute = sum(idle.values()) * 60 / idle_seconds
    one, many = (sum(calls.values()) / messages for calls in (single, campaign))
    return {
        "idle worker, calls a minute": round(idle_minute, 1),
        "of them": dict(idle),
        "one by one, calls a message": round(one, 2),
        "of them ": dict(single),
        "campaign, calls a message": round(many, 2),
        "of them  ": dict(campaign),
    } | {f"{daily:,} a day, $ a month": _dollars(daily, one, idle_minute) for daily in (10_000, 100_000, 1_000_000)}


def _dollars(daily: int, calls: float, idle_minute: float) -> str:
    """All one by one, with one worker and two web processes."""
    sqs = (daily * DAYS * calls + idle_minute * MINUTES) * SQS_CALL
    watch = METRICS * METRIC + ALARMED * ALARM + DASHBOARD + 3 * MINUTES * METRIC_CALL
    return f"{sqs + watch:.2f} (SQS {sqs:.2f}, CloudWatch {watch:.2f})"


@contextmanager
def _recorded() -> Iterator[Path]:
    """Have the endpoint that is started meanwhile write every request down."""
    with tempfile.TemporaryDirectory() as directory:
        record = Path(directory, "requests")
        os.environ |= {"MOTO_ENABLE_RECORDING": "1", "MOTO_RECORDER_FILEPATH": str(record)}
        yield record
        del os.environ["MOTO_ENABLE_RECORDING"]


def _calls(record: Path, work: Callable[[], object]) -> Counter[str]:
    before = _count(record)
    work()
    return _count(record) - before


def _count(record: Path) -> Counter[str]:
    lines = record.read_text().splitlines()
    return Counter(json.loads(line)["headers"].get("X-Amz-Target", "?").rpartition(".")[2] for line in lines)


def _send(rig: Rig, messages: int, publish: bool) -> None:
    """Write messages and wait until they are sent: published by their door one by one, or left to the relay."""
    with rig.app.app_context():
        sent_before = _sent()
        owner = seed.user()
        conversation_ids = list(db.session.scalars(select(Conversation.id).order_by(Conversation.id)))
        for number in range(messages):
            priority = Priority.HIGH if publish else Priority.LOW
            draft = Draft(text=f"Hello number {number}", priority=priority)
            message = service.send(owner, conversation_ids[number % len(conversation_ids)], draft)
            if publish:
                rig.app.extensions["desk"].publish([message.id])
                time.sleep(PAUSE)
        ends = time.monotonic() + 120
        while _sent() < sent_before + messages and time.monotonic() < ends:
            db.session.rollback()
            time.sleep(0.5)
    time.sleep(CALM)


def _sent() -> int:
    query = select(func.count()).select_from(Message).where(Message.status == Status.SENT)
    return db.session.execute(query).scalar_one()
