"""The intake: tickets from SQS → the row knows, its account is marked ready, the ticket is deleted.

Tickets never wait in SQS for a slot: the database holds the line. One that nobody can understand goes to the dead
letters with its reason; one of a message that isn't known here is another system's, and becomes a row.
"""

import logging
from collections.abc import Sequence

import redis
from sqlalchemy.exc import IntegrityError

from app.accounts import queries as accounts
from app.db import transaction
from app.delivery import tickets
from app.delivery.relay import Relay
from app.delivery.tickets import BadTicket, Ticket
from app.delivery.token_bucket import TokenBucket
from app.errors import HuntazeError
from app.gateways.sqs import Queue, QueueUnavailable, Received
from app.messages import handover
from app.messages import service as messages

log = logging.getLogger(__name__)


class Intake:
    """Drains the queue. Raises SQLAlchemyError when the database is away: the tickets then come again by themselves."""

    def __init__(self, queue: Queue, relay: Relay, bucket: TokenBucket) -> None:
        self.queue = queue
        self.relay = relay
        self.bucket = bucket

    def receive_once(self, wait: int) -> bool:
        """Take in up to ten tickets, waiting `wait` seconds for the first; whether there was any."""
        try:
            received = self.queue.receive(wait)
        except QueueUnavailable:
            self.relay.note(reachable=False)
            raise
        self.relay.note(reachable=True)
        if received:
            self._take_in(received)
        return bool(received)

    def _take_in(self, received: Sequence[Received]) -> None:
        understood = [(item, ticket) for item in received if (ticket := self._read(item)) is not None]
        account_of = handover.mark_received([ticket.message_id for _, ticket in understood])
        for item, ticket in understood:
            if ticket.message_id not in account_of:
                account_of |= self._accept(item, ticket)
        self._mark_ready(sorted(set(account_of.values())))
        self.queue.delete([item.handle for item, ticket in understood if ticket.message_id in account_of])

    def _read(self, item: Received) -> Ticket | None:
        try:
            return tickets.read(item.body)
        except BadTicket as error:
            self._bury(item, str(error))
            return None

    def _mark_ready(self, account_ids: list[int]) -> None:
        try:
            self.bucket.ready(account_ids)
        except redis.RedisError:
            log.warning("redis_away", extra={"accounts": len(account_ids)})

    def _accept(self, item: Received, ticket: Ticket) -> dict[str, int]:
        """Another system's message, checked like a request: message id → account id, nothing when it was refused."""
        try:
            with transaction():
                user = accounts.user(ticket.user_id)
                if user is None:
                    raise BadTicket("userId: nobody has this id")
                messages.send_to_recipient(
                    user, ticket.account_id, ticket.recipient_id, ticket.draft(), public_id=ticket.message_id
                )
        except IntegrityError:
            log.info("ticket_twice", extra={"messageId": ticket.message_id})
        except (BadTicket, HuntazeError) as error:
            self._bury(item, str(error))
            return {}
        return handover.mark_received([ticket.message_id])

    def _bury(self, item: Received, reason: str) -> None:
        """Into the dead letters and off the queue; if they don't take it, it stays and comes again."""
        log.error("ticket_refused", extra={"reason": reason[:200]})
        dead = self.relay.dead_letters
        try:
            if dead is None or dead.send([tickets.dead(item.body, reason)]):
                self.queue.delete([item.handle])
        except QueueUnavailable:
            log.warning("dead_letters_unreachable")
