"""The courier: makes the one step that an envelope asks for, and says what its end means for the message.

It runs in a thread and touches neither database nor Redis. What answers mean stands in `decide`
and `settle_look_up`, which are pure.
"""

import logging
import random
from dataclasses import dataclass, field, replace
from datetime import timedelta

from app.accounts.connection import Keys, KeyUnreadable
from app.gateways.answers import Answer, CallFailed, ChatMessage, Letter, Login, Verdict, same_text
from app.gateways.platform import Platform
from app.messages.claims import Envelope
from app.messages.models import Step
from app.messages.outcomes import Failed, Later, Result, Sent, Unknown, Uploaded

log = logging.getLogger(__name__)
ATTEMPTS = 4
DELAYS = (1.0, 2.0, 4.0)
SPREAD = 0.25
STILL_RUNNING_DELAY = 10.0
UNREACHED_DELAY = 2.0
CHORE_DELAY, CHORE_DELAY_MOST = 2.0, 60.0
LAST_LOOK_DELAY = 10.0
CLOCK_SKEW = timedelta(minutes=2)
NOT_CONFIRMED = "The platform failed {attempts} times; the message did not arrive"


@dataclass(frozen=True, slots=True)
class Pause:
    """What the account has to do: wait `seconds`, or (None) be connected again, perhaps with its whole key."""

    reason: str
    seconds: float | None = None
    whole_key: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """How a step ended. `verdict` is for the breaker: `clear`, `unclear` or `silent`; `found`: what a look-up read;
    `uploads`: URL → vault id of media that went up."""

    envelope: Envelope
    result: Result
    verdict: str
    timed_out: bool = False
    pause: Pause | None = None
    unreachable_fan: bool = False
    mismatch: bool = False
    found: list[ChatMessage] | None = None
    uploads: dict[str, str] = field(default_factory=dict)


class Courier:
    """Makes calls for envelopes, one at a time; shared by all threads."""

    def __init__(self, platform: Platform, keys: Keys) -> None:
        self.platform = platform
        self.keys = keys

    def deliver(self, envelope: Envelope, probe: bool) -> Report:
        """Make the one call that sends."""
        try:
            login = self._login(envelope)
        except KeyUnreadable as error:
            return _key_unreadable(envelope, error)
        letter = Letter(
            chat=envelope.chat,
            text=envelope.text,
            price_cents=envelope.price_cents,
            media_ids=tuple(envelope.media_ids),
            key=envelope.key,
        )
        answer = self.platform.send(login, letter)
        whole_key = answer.verdict is Verdict.RECONNECT and not self._key_works(login)
        return decide(envelope, answer, probe=probe, whole_key=whole_key)

    def look_up(self, envelope: Envelope) -> Report:
        """Read the chat back to the first unclear attempt: what stands there that may be this message?"""
        try:
            login = self._login(envelope)
        except KeyUnreadable as error:
            return _key_unreadable(envelope, error)
        since = (envelope.first_unclear_at or envelope.claimed_at) - CLOCK_SKEW
        try:
            messages = self.platform.newest_messages(login, envelope.chat, since)
        except CallFailed as error:
            return _look_up_failed(envelope, error)
        if envelope.chat_unread:
            self._set_back_to_unread(login, envelope)
        found = [message for message in messages if is_ours(envelope, message)]
        return Report(envelope, settle_look_up(envelope, []), "silent", found=found)

    def upload(self, envelope: Envelope, known: dict[str, str]) -> Report:
        """Have the platform fetch the media that aren't in the vault yet (`known`: URL → vault id)."""
        uploads: dict[str, str] = {}
        for attachment in envelope.attachments:
            url = attachment["url"]
            try:
                if url not in known and url not in uploads:
                    uploads[url] = self.platform.upload(self._login(envelope), url)
            except KeyUnreadable as error:
                return _key_unreadable(envelope, error)
            except CallFailed as error:
                return replace(_upload_failed(envelope, error), uploads=uploads)
        vault = known | uploads
        ids = [vault[attachment["url"]] for attachment in envelope.attachments]
        result = Uploaded([int(media) if media.isdigit() else media for media in ids])
        return Report(envelope, result, "silent", uploads=uploads)

    def _set_back_to_unread(self, login: Login, envelope: Envelope) -> None:
        try:
            self.platform.mark_unread(login, envelope.chat)
        except CallFailed as error:
            log.warning("chat_left_read", extra={"messageId": envelope.public_id, "reason": error.reason})

    def _login(self, envelope: Envelope) -> Login:
        return Login(account=envelope.platform_account, api_key=self.keys.decrypt(envelope.api_key_encrypted))

    def _key_works(self, login: Login) -> bool:
        try:
            return self.platform.key_works(login.api_key)
        except CallFailed:
            return True


def decide(envelope: Envelope, answer: Answer, *, probe: bool = False, whole_key: bool = False) -> Report:
    """What the end of a call that sends means; an unclear end of a probe uses up no attempt."""
    reason, code, status = answer.reason, answer.code, answer.status_code
    match answer.verdict:
        case Verdict.SENT:
            return Report(envelope, Sent(answer.message_id or "", status), "clear")
        case Verdict.REFUSED:
            return Report(envelope, Failed(reason, code, status), "clear", unreachable_fan=answer.unreachable_fan)
        case Verdict.MISMATCH:
            end = Unknown if envelope.first_unclear_at else Failed
            return Report(envelope, end(reason, code, status), "clear", mismatch=True)
        case Verdict.UNCLEAR:
            unclear = Later(
                Step.LOOK_UP,
                _pause_before_look(envelope.attempts),
                reason,
                code,
                status,
                counted=not probe,
                unclear=True,
            )
            return Report(envelope, unclear, "unclear", timed_out=answer.timed_out)
        case _:
            return _not_now(envelope, answer, whole_key)


def _not_now(envelope: Envelope, answer: Answer, whole_key: bool) -> Report:
    """This call did nothing, and no attempt is used: again when its cause is gone."""

    def again(delay: float, step: Step = Step.SEND, *, unclear: bool = False, new_key: bool = False) -> Later:
        reason, code, status = answer.reason, answer.code, answer.status_code
        return Later(step, delay, reason, code, status, counted=False, unclear=unclear, new_key=new_key)

    match answer.verdict:
        case Verdict.RATE_LIMITED:
            pause = Pause(f"The platform asked for a pause: {answer.reason}", answer.wait)
            return Report(envelope, again(answer.wait), "clear", pause=pause)
        case Verdict.RECONNECT:
            pause = Pause(f"The platform refused the login: {answer.reason}", whole_key=whole_key)
            # A new key gives up the old one's protection: what may have arrived under that is looked up first.
            step = Step.LOOK_UP if envelope.first_unclear_at else Step.SEND
            return Report(envelope, again(0, step, new_key=True), "clear", pause=pause)
        case Verdict.STILL_RUNNING:
            # An earlier call hasn't ended yet: it may still arrive, and end with an error that isn't stored.
            return Report(envelope, again(STILL_RUNNING_DELAY, Step.LOOK_UP, unclear=True), "clear")
        case _:
            return Report(envelope, again(_spread(UNREACHED_DELAY)), "unclear")


def settle_look_up(envelope: Envelope, ours: list[ChatMessage]) -> Result:
    """What a look-up that found `ours` (already free of other rows' messages) means."""
    if ours:
        return Sent(ours[-1].id)
    if envelope.attempts >= ATTEMPTS:
        return Failed(NOT_CONFIRMED.format(attempts=envelope.attempts), "NOT_CONFIRMED")
    return Later(Step.SEND, 0.0, "The platform did not confirm the message; it is tried again")


def _pause_before_look(attempts: int) -> float:
    """Seconds from an unclear end to the look: the next attempt's pause comes first, so what arrives in it is found."""
    if attempts >= ATTEMPTS:
        return LAST_LOOK_DELAY
    return _spread(DELAYS[max(0, attempts - 1)])


def is_ours(envelope: Envelope, message: ChatMessage) -> bool:
    """Whether a message of the chat has this envelope's text, price and number of media, and was sent by us."""
    return (
        message.sent_by_us
        and message.price_cents == envelope.price_cents
        and message.media == len(envelope.media_ids)
        and same_text(envelope.text, message.text)
    )


def _key_unreadable(envelope: Envelope, error: KeyUnreadable) -> Report:
    """No call was made, and none can be until somebody enters the key again."""
    result = Later(Step(envelope.step), 0.0, str(error), "KEY_UNREADABLE", counted=False)
    return Report(envelope, result, "silent", pause=Pause(str(error)))


def _look_up_failed(envelope: Envelope, error: CallFailed) -> Report:
    waited = 0.0
    if envelope.unreadable_since is not None:
        waited = (envelope.claimed_at - envelope.unreadable_since).total_seconds()
    delay = _spread(min(max(CHORE_DELAY, waited), CHORE_DELAY_MOST))
    result = Later(Step.LOOK_UP, delay, error.reason, counted=False, unclear=True, unreadable=True)
    pause = Pause(f"The platform refused the login: {error.reason}") if error.refused_login else None
    return Report(envelope, result, "silent" if error.refused_login or error.final else "unclear", pause=pause)


def _upload_failed(envelope: Envelope, error: CallFailed) -> Report:
    reason = f"The platform could not take the media: {error.reason}"
    if error.final:
        return Report(envelope, Failed(reason, "MEDIA_REFUSED"), "silent")
    pause = Pause(f"The platform refused the login: {error.reason}") if error.refused_login else None
    result = Later(Step.UPLOAD, _spread(CHORE_DELAY * 5), reason, unreadable=pause is None)
    # It says nothing of sending: one URL that the platform chokes on must not stop an account.
    return Report(envelope, result, "silent", pause=pause)


def _spread(seconds: float) -> float:
    """Never earlier, up to a quarter later, so that not everybody retries at the same moment."""
    return seconds * (1 + random.uniform(0, SPREAD))  # noqa: S311 - no secret
