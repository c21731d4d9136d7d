"""Sending a message, and how sending stands."""

from datetime import datetime
from functools import partial

from flask import Blueprint, current_app

from app.accounts import queries as accounts
from app.accounts.models import Account, User
from app.api.contract import contract, settings
from app.api.once import Once, Result
from app.api.schemas.base import ForAccount
from app.api.schemas.messages import (
    Accepted,
    Configuration,
    Deployment,
    Queue,
    QueueStatus,
    RateLimit,
    SendRequest,
)
from app.clock import now
from app.delivery.desk import Desk
from app.errors import Invalid, Problem
from app.messages import lists, queries, service
from app.messages.models import Message, Status

blueprint = Blueprint("api_messages", __name__, url_prefix="/api/onlyfans/messages")
NO_ACCOUNT = "There is no such account, or it isn't yours"
ON_THE_WAY = (Status.SCHEDULED, Status.QUEUED)


@blueprint.post("/send")
@contract("Send one message", answers={202: Accepted}, refusals={404: NO_ACCOUNT})
def send_message(viewer: User, query: ForAccount, body: SendRequest, once: Once) -> Accepted:
    """Queue one message for one fan. It is delivered once, within the platform's limits."""
    account_id = account_named(query.account_id, body.account_id)
    send = partial(service.send_to_recipient, viewer, account_id, body.recipient_id, body.draft())
    return accepted(once(send, partial(service.find, viewer)))


@blueprint.get("/send")
@contract("Can this deployment send?", answers={200: Deployment}, bearer=False)
def check_deployment() -> Deployment:
    """Whether everything that sending needs is set up, switched on and alive. Says nothing secret."""
    return Deployment(**_readiness())


@blueprint.get("/status")
@contract("Queue status", answers={200: QueueStatus}, refusals={404: NO_ACCOUNT})
def queue_status(viewer: User, query: ForAccount) -> QueueStatus:
    """How sending stands: the deployment, your accounts' messages, and the limit of the account."""
    counts = queries.counts(viewer)
    latency, last_sent_at = queries.recent_latency(viewer)
    return QueueStatus(
        timestamp=now(),
        configuration=Configuration(**_readiness(), queue_url=settings().sqs_queue_url, region=settings().aws_region),
        queue=Queue(
            healthy=desk().queue_depths() is not None,
            messages_queued=counts["queued"],
            messages_processing=counts["sending"],
            messages_failed=lists.failed_ever(viewer),
            average_latency=latency,
            dead_letter_count=counts["failed"],
            last_processed_at=last_sent_at,
        ),
        rate_limit=_rate_limit(_one_account(viewer, query.account_id)),
    )


def desk() -> Desk:
    """What delivery says and does for doors."""
    found: Desk = current_app.extensions["desk"]
    return found


def accepted(result: Result[Message]) -> Accepted:
    """Hand a message that this request made to the queue, and answer how it stands."""
    message = result.row
    sqs_id = message.sqs_message_id
    if result.fresh and message.status == Status.QUEUED:
        sqs_id = desk().publish([message.id]).get(message.id)
    estimate: datetime | None = desk().estimate(message) if message.status in ON_THE_WAY else None
    return Accepted.of(message, estimate, sqs_id)


def account_named(in_query: int | None, in_body: int | None) -> int | None:
    """The account that a request names in one of both places; raises Invalid for two different ones."""
    if in_query is not None and in_body is not None and in_query != in_body:
        raise Invalid([Problem("accountId", "The query and the body name two different accounts")])
    return in_body if in_body is not None else in_query


def _readiness() -> dict[str, bool]:
    configured, enabled = settings().configured, desk().enabled()
    return {"configured": configured, "enabled": enabled, "active": configured and enabled and desk().active()}


def _one_account(viewer: User, account_id: int | None) -> Account | None:
    """The account to speak of: the named one or the only one; None for somebody who has none or several."""
    if account_id is not None:
        return accounts.account(viewer, account_id)
    found = accounts.visible(viewer)
    return found[0] if len(found) == 1 else None


def _rate_limit(account: Account | None) -> RateLimit:
    limit = settings().rate_limit
    window = int(limit.window) if limit.window == int(limit.window) else limit.window
    allowance = desk().allowance(account.id) if account is not None else None
    if allowance is None:
        return RateLimit(limit=limit.messages, window_seconds=window, remaining=None, reset_at=None)
    return RateLimit(
        limit=allowance.limit, window_seconds=window, remaining=allowance.remaining, reset_at=allowance.reset_at
    )
