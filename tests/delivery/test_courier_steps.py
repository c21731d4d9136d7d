"""The courier on a platform that fails as told: what it calls, with what, and what it reports."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from app.accounts.connection import Keys
from app.clock import now
from app.delivery.courier import Courier, Report
from app.gateways.answers import CallFailed, ChatMessage, Login
from app.messages.models import Step
from app.messages.outcomes import Failed, Later, Sent, Uploaded
from tests.delivery.envelopes import CLAIMED, envelope
from tests.support.fake_platform import End, FakePlatform

SUNSET, BEACH, FOREST = (f"https://cdn.example.com/{name}.jpg" for name in ("sunset", "beach", "forest"))


class Platform(FakePlatform):
    """Notes who called and since when chats were read; `trouble` is raised by what isn't a send."""

    def __init__(self) -> None:
        super().__init__()
        self.logins: list[Login] = []
        self.since: list[datetime] = []
        self.trouble: CallFailed | None = None

    def newest_messages(self, login: Login, chat: str, since: datetime) -> list[ChatMessage]:
        """Raise the trouble, or read."""
        self.logins.append(login)
        self.since.append(since)
        if self.trouble:
            raise self.trouble
        return super().newest_messages(login, chat, since)

    def mark_unread(self, login: Login, chat: str) -> None:
        """Note it, then perhaps fail."""
        super().mark_unread(login, chat)
        if chat == "stubborn":
            raise CallFailed("no")

    def key_works(self, api_key: str) -> bool:
        """Raise the trouble, or tell."""
        if self.trouble:
            raise self.trouble
        return super().key_works(api_key)


@pytest.fixture
def platform() -> Platform:
    """A platform that does what it is told."""
    return Platform()


@pytest.fixture
def keys() -> Keys:
    """Keys of a deployment of its own."""
    return Keys(Fernet.generate_key().decode(), "deployment-key")


@pytest.fixture
def courier(platform: Platform, keys: Keys) -> Courier:
    """A courier to the platform."""
    return Courier(platform, keys)


def _later(report: Report) -> Later:
    assert isinstance(report.result, Later)
    return report.result


def test_a_letter_is_the_same_at_every_attempt(courier: Courier, platform: Platform) -> None:
    platform.ends.extend([End.LOST, End.SENT])
    asked = envelope(price_cents=999, media_ids=[701, "ofapi"])
    for attempts in (1, 2):
        report = courier.deliver(replace(asked, attempts=attempts), probe=False)
    first, second = platform.sends
    assert first == second
    assert (first.key, first.chat, first.price_cents, first.media_ids) == ("m" * 32, "7", 999, (701, "ofapi"))
    assert isinstance(report.result, Sent)


def test_a_new_generation_is_another_key(courier: Courier, platform: Platform) -> None:
    courier.deliver(envelope(key_generation=2), probe=False)
    assert platform.sends[0].key == "m" * 32 + "-2"


@pytest.mark.parametrize(
    ("good", "trouble", "whole"), [(True, False, False), (False, False, True), (True, True, False)]
)
def test_a_refused_login_is_the_whole_keys_only_when_that_is_refused_too(
    courier: Courier, platform: Platform, good: bool, trouble: bool, whole: bool
) -> None:
    platform.ends.append(End.SIGNED_OUT)
    platform.key_is_good = good
    platform.trouble = CallFailed("nobody can tell") if trouble else None
    report = courier.deliver(envelope(), probe=False)
    assert report.pause is not None
    assert report.pause.whole_key is whole


def test_an_account_calls_with_its_own_key_else_with_the_deployments(
    courier: Courier, platform: Platform, keys: Keys
) -> None:
    courier.look_up(envelope(api_key_encrypted=keys.encrypt("own-key")))
    courier.look_up(envelope())
    assert platform.logins == [Login("acct_a", "own-key"), Login("acct_a", "deployment-key")]


def test_a_look_up_reads_back_to_the_first_unclear_attempt(courier: Courier, platform: Platform) -> None:
    moment = now()
    platform.ends.append(End.LOST_AFTER)
    courier.deliver(envelope(), probe=False)
    report = courier.look_up(envelope(first_unclear_at=moment, attempts=1))
    assert platform.since == [moment - timedelta(minutes=2)]
    assert report.found == [delivery.message for delivery in platform.deliveries]
    assert report.verdict == "silent"


def test_a_look_up_leaves_out_what_is_not_ours(courier: Courier, platform: Platform) -> None:
    courier.deliver(envelope(public_id="o" * 32, text="Something else"), probe=False)
    assert courier.look_up(envelope(first_unclear_at=now())).found == []


@pytest.mark.parametrize(("unread", "marked"), [(True, ["7"]), (False, [])])
def test_a_chat_that_was_unread_is_set_back(
    courier: Courier, platform: Platform, unread: bool, marked: list[str]
) -> None:
    courier.look_up(envelope(first_unclear_at=now(), chat_unread=unread))
    assert platform.marked_unread == marked


def test_a_chat_that_can_not_be_set_back_spoils_no_look_up(courier: Courier, platform: Platform) -> None:
    report = courier.look_up(envelope(chat="stubborn", first_unclear_at=now(), chat_unread=True))
    assert (platform.marked_unread, report.found, report.verdict) == (["stubborn"], [], "silent")


@pytest.mark.parametrize(
    ("trouble", "verdict", "pauses"),
    [
        (CallFailed("down"), "unclear", False),
        (CallFailed("not yours", final=True), "silent", False),
        (CallFailed("sign in", refused_login=True), "silent", True),
    ],
)
def test_a_chat_that_can_not_be_read_uses_no_attempt(
    courier: Courier, platform: Platform, trouble: CallFailed, verdict: str, pauses: bool
) -> None:
    platform.trouble = trouble
    report = courier.look_up(envelope(first_unclear_at=now(), chat_unread=True))
    later = _later(report)
    assert (later.step, later.counted, later.unclear, later.unreadable) == (Step.LOOK_UP, False, True, True)
    assert (report.verdict, report.pause is not None, report.found) == (verdict, pauses, None)
    assert platform.marked_unread == []


@pytest.mark.parametrize(("waited", "least", "most"), [(None, 2, 2.5), (1, 2, 2.5), (20, 20, 25), (600, 60, 75)])
def test_an_unreadable_chat_is_asked_less_and_less_often(
    courier: Courier, platform: Platform, waited: float | None, least: float, most: float
) -> None:
    platform.trouble = CallFailed("down")
    since = None if waited is None else CLAIMED - timedelta(seconds=waited)
    assert least <= _later(courier.look_up(envelope(unreadable_since=since))).delay <= most


def _with_media(*urls: str) -> dict[str, object]:
    return {"step": Step.UPLOAD, "attachments": [{"type": "image", "url": url} for url in urls], "attempts": 0}


def test_media_go_up_once_and_known_ones_not_at_all(courier: Courier, platform: Platform) -> None:
    report = courier.upload(envelope(**_with_media(SUNSET, BEACH, BEACH)), {SUNSET: "55"})
    assert platform.uploaded == [BEACH]
    assert report.result == Uploaded([55, 701, 701])
    assert (report.uploads, report.verdict) == ({BEACH: "701"}, "silent")


def test_known_media_alone_call_nobody(courier: Courier, platform: Platform) -> None:
    report = courier.upload(envelope(**_with_media(SUNSET, BEACH)), {SUNSET: "55", BEACH: "vault-x"})
    assert platform.uploaded == []
    assert (report.result, report.verdict, report.uploads) == (Uploaded([55, "vault-x"]), "silent", {})


def test_an_upload_that_fails_half_way_keeps_what_is_up(courier: Courier, platform: Platform) -> None:
    platform.refused_uploads[BEACH] = CallFailed("busy")
    asked = envelope(**_with_media(SUNSET, BEACH, FOREST))
    report = courier.upload(asked, {})
    later = _later(report)
    assert (report.uploads, report.verdict, report.pause) == ({SUNSET: "701"}, "silent", None)
    assert (later.step, later.unclear, later.unreadable) == (Step.UPLOAD, False, True)
    assert later.delay >= 10
    platform.refused_uploads.clear()
    again = courier.upload(asked, report.uploads)
    assert platform.uploaded == [SUNSET, BEACH, FOREST]
    assert again.result == Uploaded([701, 702, 703])


def test_media_that_are_refused_fail_the_message(courier: Courier, platform: Platform) -> None:
    platform.refused_uploads[BEACH] = CallFailed("too large", final=True)
    report = courier.upload(envelope(**_with_media(SUNSET, BEACH)), {})
    assert report.result == Failed("The platform could not take the media: too large", "MEDIA_REFUSED")
    assert (report.uploads, report.verdict) == ({SUNSET: "701"}, "silent")


def test_an_upload_with_a_refused_login_pauses_the_account(courier: Courier, platform: Platform) -> None:
    platform.refused_uploads[SUNSET] = CallFailed("sign in", refused_login=True)
    report = courier.upload(envelope(**_with_media(SUNSET)), {})
    assert _later(report).step == Step.UPLOAD
    assert report.pause is not None
    assert (report.pause.seconds, report.pause.whole_key, report.verdict) == (None, False, "silent")
