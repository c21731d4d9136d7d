"""Emptying the queue: tickets are dropped, and come back for every message that is still to be sent."""

from app.accounts import service as accounts
from app.accounts.models import User
from app.delivery.desk import Desk
from app.errors import Unavailable
from app.gateways.sqs import QueueUnavailable
from app.messages import bulk


def purge(desk: Desk, viewer: User | None, *, cancel_queued: bool) -> int:
    """Drop every ticket; with `cancel_queued` also cancel, for everybody, what is queued and can't have arrived.

    How many messages were canceled. `viewer` None: the command line. Raises Unavailable.
    """
    if desk.queue is None:
        raise Unavailable("No queue is configured")
    # Before their tickets go: what is canceled brings none back.
    canceled = bulk.cancel_queued() if cancel_queued else 0
    try:
        desk.queue.purge()
    except QueueUnavailable as error:
        raise Unavailable(f"SQS refuses; it empties a queue once a minute at most. {canceled} canceled") from error
    finally:
        accounts.audit("queue.purged", user=viewer, canceled=canceled)
    return canceled
