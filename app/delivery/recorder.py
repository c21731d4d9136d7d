"""Writes down what couriers report: the message's state, pauses of its account, fans that can't be reached."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import DataError, IntegrityError

from app.accounts import connection
from app.db import transaction
from app.delivery.courier import Pause, Report, settle_look_up
from app.fans import service as fans
from app.messages import media, outcomes
from app.messages.outcomes import Failed, Result, Sent, Unknown, Uploaded

log = logging.getLogger(__name__)
UNWRITABLE = (IntegrityError, DataError, ValueError)
REFUSALS_IN_A_ROW = 3
ID_TAKEN = Unknown("The platform named a message that belongs to another one", "ID_TAKEN")
UNSTORABLE = Unknown("The platform's answer could not be stored", "UNSTORABLE")
REFUSALS = "The platform refused messages to three fans in a row; look at the account, then resume it"


@dataclass(frozen=True, slots=True)
class Settled:
    """What a report came to mean, and when that was written down, by the database's clock."""

    report: Report
    at: datetime


def record(reports: Sequence[Report]) -> list[Settled]:
    """Write all of it down, in order; raises SQLAlchemyError when the database is away: it may then be called again."""
    try:
        settled = _record(reports)
    except UNWRITABLE:
        # One of them can't be written; the others must not wait for it.
        settled = [_record_alone(report) for report in reports]
    for one in settled:
        _log(one.report)
    return settled


def _record(reports: Sequence[Report]) -> list[Settled]:
    with transaction():
        settled = [_with_found(report) for report in reports]
        for report in settled:
            media.keep(report.envelope, report.uploads)
        at = outcomes.record([(report.envelope, report.result) for report in settled])
        for report in settled:
            _follow_up(report)
        connection.delivered(
            {
                report.envelope.account_id
                for report in settled
                if isinstance(report.result, Sent) and report.envelope.refused_before
            }
        )
    return [Settled(report, at) for report in settled]


def _record_alone(report: Report) -> Settled:
    try:
        return _record([report])[0]
    except IntegrityError:
        return _record([replace(report, result=ID_TAKEN, found=None)])[0]
    except UNWRITABLE:
        log.exception("report_unwritable", extra={"messageId": report.envelope.public_id})
        return _record([replace(report, result=UNSTORABLE, found=None, pause=None, uploads={})])[0]


def _with_found(report: Report) -> Report:
    """A look-up's findings, less those that belong to other rows, decide."""
    if not report.found:
        return report
    envelope = report.envelope
    taken = outcomes.taken_platform_ids(
        envelope.account_id, [message.id for message in report.found], but=envelope.message_id
    )
    ours = [message for message in report.found if message.id not in taken]
    return replace(report, result=settle_look_up(envelope, ours))


def _follow_up(report: Report) -> None:
    envelope, result = report.envelope, report.result
    if report.pause is not None:
        _pause(envelope.account_id, report.pause)
    if report.unreachable_fan:
        fans.mark_unreachable([envelope.fan_id])
    if isinstance(result, Uploaded) and envelope.campaign_id is not None:
        media.share_with_campaign(envelope.campaign_id, result.media_ids)
    if (
        isinstance(result, Failed)
        and result.status_code in {403, 404}
        and outcomes.refused_in_a_row(envelope.account_id, REFUSALS_IN_A_ROW)
    ):
        connection.require_reconnect(envelope.account_id, REFUSALS, probe=False)


def _pause(account_id: int, pause: Pause) -> None:
    if pause.seconds is None:
        connection.require_reconnect(account_id, pause.reason, whole_key=pause.whole_key)
    else:
        connection.pause(account_id, pause.seconds, pause.reason)


def _log(report: Report) -> None:
    envelope, result = report.envelope, report.result
    facts = {
        "messageId": envelope.public_id,
        "accountId": envelope.account_id,
        "step": envelope.step,
        "attempts": envelope.attempts,
        "statusCode": getattr(result, "status_code", None),
        "code": getattr(result, "code", ""),
    }
    log.info(_event(result), extra=facts)
    if report.pause is not None:
        log.error("account_paused", extra=facts | {"seconds": report.pause.seconds})
    if report.mismatch:
        log.error("idempotency_key_mismatch", extra=facts)


def _event(result: Result) -> str:
    return f"message_{type(result).__name__.lower()}"
