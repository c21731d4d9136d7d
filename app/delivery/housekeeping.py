"""The independent tick: whatever an event could have missed is found here, by looking at the database."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from app import jobs
from app.accounts import connection
from app.accounts.connection import Keys, KeyUnreadable, Probe
from app.analytics import service as figures
from app.campaigns import planning
from app.campaigns import service as campaigns
from app.delivery import heartbeat, reading
from app.delivery.relay import Relay
from app.delivery.token_bucket import TokenBucket
from app.gateways.answers import CallFailed
from app.gateways.platform import Platform
from app.imports import service as imports
from app.inbound import service as inbound
from app.inbound import sync
from app.messages import backlog, upkeep

log = logging.getLogger(__name__)
FORGET_DRAFTS = "app.imports.service.forget_drafts"
FORGET_OLD_EVENTS = "app.inbound.service.forget_old"
FORGET_OLD_KEYS = "app.idempotency.forget_old"
ROLL_UP = "app.analytics.service.roll_up"
ROLL_UP_PAUSE = 10
COUNT_TRAFFIC = "app.monitoring.service.roll_up"
COUNT_TRAFFIC_PAUSE = 30
OFTEN, SELDOM, RARELY = 0.5, 5.0, 3600.0
DOWNTIME = timedelta(minutes=30)


class Housekeeping:
    """Repeats each duty at its pace; a duty that fails doesn't keep the others from their turn."""

    def __init__(self, name: str, relay: Relay, bucket: TokenBucket, platform: Platform, keys: Keys) -> None:
        self.name = name
        self.relay = relay
        self.bucket = bucket
        self.platform = platform
        self.keys = keys
        self.paces: dict[float, tuple[Callable[[], object], ...]] = {
            OFTEN: (self.promote_due,),
            SELDOM: (
                self.beat,
                upkeep.recover_leases,
                upkeep.give_up_chores,
                upkeep.expire_unclear,
                campaigns.settle_canceled,
                planning.hand_on_stalled,
                imports.hand_on_stalled,
                inbound.hand_on_left,
                sync.hand_on_due,
                self.rebuild,
                self.roll_up,
                self.count_traffic,
            ),
            RARELY: (self.tidy_up, sync.begin_nightly),
        }
        self.due = dict.fromkeys(self.paces, 0.0)
        self.looked_back = False

    def tick(self) -> None:
        """Do what is due by now; raises the first duty's error after all had their turn."""
        failure: Exception | None = None
        for pace, duties in self.paces.items():
            if time.monotonic() < self.due[pace]:
                continue
            self.due[pace] = time.monotonic() + pace
            for duty in duties:
                try:
                    duty()
                except Exception as error:
                    failure = failure or error
        if failure is not None:
            raise failure

    def look_back(self) -> None:
        """Once, before this worker sends anything: campaigns that a downtime cut off ask before they go on."""
        if self.looked_back:
            return
        silence = heartbeat.silence()
        if silence is not None and silence > DOWNTIME:
            log.warning("downtime", extra={"seconds": round(silence.total_seconds())})
            campaigns.hold_left_over()
        self.looked_back = True

    def promote_due(self) -> None:
        """What was scheduled for now is queued, but for campaigns that are too late for that."""
        campaigns.hold_late()
        upkeep.promote_due()

    def hand_on(self) -> bool:
        """Publish what isn't on SQS, write dead letters; whether rows went without SQS. For a thread of its own."""
        accounts = self.relay.relay_once()
        self.bucket.ready(accounts)
        self.relay.bury_once()
        return bool(accounts)

    def beat(self) -> None:
        """Say that this worker is alive."""
        heartbeat.beat(self.name, "delivery")

    def leave(self) -> None:
        """Say that this worker ends."""
        heartbeat.leave(self.name)

    def rebuild(self) -> None:
        """Accounts that have work are ready, whatever Redis has forgotten."""
        self.bucket.ready(backlog.accounts_with_work())

    def roll_up(self) -> None:
        """Have money that changed counted again, in the background."""
        if figures.accounts_to_roll_up():
            jobs.enqueue_seldom(self.bucket.client, ROLL_UP, ROLL_UP_PAUSE)

    def count_traffic(self) -> None:
        """Have what went out lately counted, in the background."""
        jobs.enqueue_seldom(self.bucket.client, COUNT_TRAFFIC, COUNT_TRAFFIC_PAUSE)

    def tidy_up(self) -> None:
        """Have what is too old dropped, in the background."""
        jobs.enqueue(self.bucket.client, FORGET_OLD_KEYS)
        jobs.enqueue(self.bucket.client, FORGET_DRAFTS)
        jobs.enqueue(self.bucket.client, FORGET_OLD_EVENTS)

    def tell_read(self) -> None:
        """Have the platform know which chats were read here. For a thread of its own."""
        reading.tell_once(self.platform, self.keys)

    def probe(self) -> None:
        """Accounts whose login was refused go on when their key lists them as signed in. For a thread of its own."""
        by_key: dict[str, list[Probe]] = {}
        for probe in connection.claim_probes():
            try:
                by_key.setdefault(self.keys.decrypt(probe.api_key_encrypted), []).append(probe)
            except KeyUnreadable:
                log.error("key_unreadable", extra={"accountId": probe.account_id})
        for api_key, probes in by_key.items():
            try:
                connected = self.platform.connected_accounts(api_key)
            except CallFailed as error:
                log.warning("probe_failed", extra={"reason": error.reason})
                continue
            resumed = [probe.account_id for probe in probes if probe.platform_id in connected]
            if resumed:
                connection.reconnected(resumed)
                log.info("accounts_resumed", extra={"accounts": resumed})
                self.bucket.ready(resumed)
