"""The real gateway against the simulated platform: what reaches its door, and how every bad end is understood."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.gateways.answers import CallFailed, Letter, Login, Verdict
from app.gateways.platform import OnlyFansPlatform
from embedded import ports
from embedded.platform_process import KEY
from tests.embedded.platform.sim import Json, Sim

LOGIN = Login("acct_a", KEY)
LETTER = Letter(chat="7", text="Hi <you>\n& me", price_cents=0, media_ids=(), key="k" * 32)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
URL = "https://cdn.example.com/pictures/sunset.jpg"
Make = Callable[..., OnlyFansPlatform]


@pytest.fixture
def sim(platform: str) -> Iterator[Sim]:
    """The platform's control, and its door by plain HTTP."""
    sim = Sim(platform)
    yield sim
    sim.close()


@pytest.fixture
def make() -> Iterator[Make]:
    """`make(url, timeout=1)`: a gateway; its connections end with the test."""
    made: list[OnlyFansPlatform] = []

    def gateway(url: str, timeout: float = 10) -> OnlyFansPlatform:
        made.append(OnlyFansPlatform(url, timeout))
        return made[-1]

    yield gateway
    for one in made:
        one.http.close()


@pytest.fixture
def gateway(make: Make, platform: str) -> OnlyFansPlatform:
    """A gateway to the simulated platform with time enough."""
    return make(platform)


def _only_entry(sim: Sim) -> Json:
    (entry,) = sim.entries()
    return entry


def test_key_and_body_arrive_as_they_were_given(sim: Sim, gateway: OnlyFansPlatform) -> None:
    answer = gateway.send(LOGIN, LETTER)
    entry = _only_entry(sim)
    assert (answer.verdict, answer.message_id) == (Verdict.SENT, str(entry["message_id"]))
    assert (entry["account"], entry["chat"], entry["text"]) == ("acct_a", "7", LETTER.text)
    assert (entry["key"], entry["retry_count"]) == (LETTER.key, 0)
    assert not entry["price"]


@pytest.mark.parametrize(("cents", "dollars"), [(300, 3), (999, 9.99), (1010, 10.1), (20_000, 200)])
def test_a_price_in_cents_arrives_in_dollars(sim: Sim, gateway: OnlyFansPlatform, cents: int, dollars: float) -> None:
    medium = int(gateway.upload(LOGIN, URL))
    letter = Letter(chat="7", text="Look", price_cents=cents, media_ids=(medium,), key="p" * 32)
    assert gateway.send(LOGIN, letter).verdict is Verdict.SENT
    assert _only_entry(sim)["price"] == dollars
    (shown,) = gateway.newest_messages(LOGIN, "7", LONG_AGO)
    assert (shown.price_cents, shown.media, shown.sent_by_us, shown.text) == (cents, 1, True, "Look")


def test_the_same_letter_again_is_replayed_and_another_is_a_mismatch(sim: Sim, gateway: OnlyFansPlatform) -> None:
    first, again = gateway.send(LOGIN, LETTER), gateway.send(LOGIN, LETTER)
    assert (again.verdict, again.message_id) == (Verdict.SENT, first.message_id)
    other = Letter(chat="7", text="Other", price_cents=0, media_ids=(), key=LETTER.key)
    assert gateway.send(LOGIN, other).verdict is Verdict.MISMATCH
    assert len(sim.deliveries()) == 1


@pytest.mark.parametrize(
    ("kind", "wish", "verdict"),
    [
        ("status", {"status": 500}, Verdict.UNCLEAR),
        ("status", {"status": 408, "code": "X"}, Verdict.UNCLEAR),
        ("status_after_delivery", {"status": 500}, Verdict.UNCLEAR),
        ("html_502", {}, Verdict.UNCLEAR),
        ("reset", {}, Verdict.UNCLEAR),
        ("reset_after_delivery", {}, Verdict.UNCLEAR),
        ("redirect", {"status": 302}, Verdict.UNCLEAR),
        ("redirect", {"status": 307}, Verdict.UNCLEAR),
        ("no_id", {}, Verdict.UNCLEAR),
        ("no_id", {"error": True}, Verdict.UNCLEAR),
        ("no_id_after_delivery", {}, Verdict.UNCLEAR),
        ("rate_limited", {"header_retry_after": "0"}, Verdict.RATE_LIMITED),
        ("conflict", {}, Verdict.STILL_RUNNING),
        ("mismatch", {}, Verdict.MISMATCH),
        ("unauthorized", {}, Verdict.RECONNECT),
        ("unauthorized", {"account": "acct_a"}, Verdict.RECONNECT),
        ("payment_required", {}, Verdict.RECONNECT),
        ("unreachable_fan", {}, Verdict.REFUSED),
    ],
)
def test_every_bad_end_is_one_request(
    sim: Sim, gateway: OnlyFansPlatform, kind: str, wish: dict[str, object], verdict: Verdict
) -> None:
    sim.fault(kind, **wish)
    answer = gateway.send(LOGIN, LETTER)
    assert answer.verdict is verdict
    assert not answer.timed_out
    assert answer.unreachable_fan == (kind == "unreachable_fan")
    assert _only_entry(sim)["retry_count"] == 0
    assert sim.ask("/faults")["faults"][0]["fired"] == 1
    assert set(sim.summary()["kinds"]) == {"send"}


@pytest.mark.parametrize(("header", "body", "wait"), [("0", 30, 30), ("120", None, 120), ("5", 200, 200)])
def test_a_429_says_how_long_to_wait(
    sim: Sim, gateway: OnlyFansPlatform, header: str, body: int | None, wait: float
) -> None:
    sim.fault("rate_limited", header_retry_after=header, body_retry_after=body)
    assert gateway.send(LOGIN, LETTER).wait == wait


@pytest.mark.parametrize("kind", ["hang", "hang_after_delivery", "trickle"])
def test_a_call_ends_after_its_time_in_all(sim: Sim, make: Make, kind: str) -> None:
    gateway = make(sim.url, timeout=0.6)
    sim.fault(kind)
    began = time.monotonic()
    answer = gateway.send(LOGIN, LETTER)
    took = time.monotonic() - began
    assert (answer.verdict, answer.timed_out) == (Verdict.UNCLEAR, True)
    assert 0.5 < took < 2.5
    assert _only_entry(sim)["retry_count"] == 0


def test_after_a_call_without_an_answer_the_next_one_works(sim: Sim, make: Make) -> None:
    gateway = make(sim.url, timeout=0.6)
    sim.fault("trickle", times=4)
    other = Letter(chat="8", text="Next", price_cents=0, media_ids=(), key="n" * 32)
    for number in range(4):
        gateway.send(LOGIN, Letter(chat=str(number), text="x", price_cents=0, media_ids=(), key=f"{number}" * 32))
    assert gateway.send(LOGIN, other).verdict is Verdict.SENT


def test_nobody_listening_means_that_nothing_left(make: Make) -> None:
    gateway = make(f"http://127.0.0.1:{ports.free()}", timeout=2)
    answer = gateway.send(LOGIN, LETTER)
    assert (answer.verdict, answer.timed_out) == (Verdict.UNREACHED, False)
    with pytest.raises(CallFailed) as failed:
        gateway.newest_messages(LOGIN, "7", LONG_AGO)
    assert not failed.value.final
    with pytest.raises(CallFailed):
        gateway.key_works(KEY)


def test_a_chat_is_read_back_over_short_pages(sim: Sim, gateway: OnlyFansPlatform) -> None:
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    for number in range(230):
        at = (start + timedelta(seconds=number)).timestamp()
        sender = "creator" if number % 2 else "fan"
        sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": str(number), "from": sender, "at": at})
    everything = gateway.newest_messages(LOGIN, "7", start)
    assert [message.text for message in everything] == [str(number) for number in reversed(range(230))]
    assert [message.sent_by_us for message in everything[:2]] == [True, False]
    assert sim.summary()["kinds"]["list_messages"] >= 3
    newer = gateway.newest_messages(LOGIN, "7", start + timedelta(seconds=225))
    assert [message.text for message in newer] == ["229", "228", "227", "226", "225"]


def test_a_chat_that_can_not_be_read_says_why(sim: Sim, gateway: OnlyFansPlatform) -> None:
    sim.fault("status", call="list_messages", status=500, times=1)
    sim.fault("status", call="list_messages", status=403, code="FORBIDDEN", message="Not yours", times=1)
    sim.fault("unauthorized", call="list_messages", times=1)
    ends = []
    for _ in range(3):
        with pytest.raises(CallFailed) as failed:
            gateway.newest_messages(LOGIN, "7", LONG_AGO)
        ends.append((failed.value.final, failed.value.refused_login))
    assert sorted(ends) == [(False, False), (False, True), (True, False)]
    assert gateway.newest_messages(LOGIN, "7", LONG_AGO) == []


def test_a_chat_that_was_read_is_set_back_to_unread(sim: Sim, gateway: OnlyFansPlatform) -> None:
    sim.tell("/messages", {"account": "acct_a", "chat": "7", "text": "Hi", "from": "fan"})

    def unread() -> int:
        chats = sim.http.get("/api/acct_a/chats").json()["data"]
        return int(chats[0]["unreadMessagesCount"])

    gateway.newest_messages(LOGIN, "7", LONG_AGO)
    assert unread() == 0
    gateway.mark_unread(LOGIN, "7")
    assert unread() == 1
    gateway.mark_read(LOGIN, "7")
    assert unread() == 0


def test_media_go_into_the_vault(sim: Sim, gateway: OnlyFansPlatform) -> None:
    first, second = gateway.upload(LOGIN, URL), gateway.upload(LOGIN, URL)
    assert first.isdigit()
    assert first != second
    assert sim.summary()["calls"] == 0
    sim.fault("status", call="vault", status=422, message="Too large", times=1)
    with pytest.raises(CallFailed) as refused:
        gateway.upload(LOGIN, URL)
    assert refused.value.final
    sim.fault("status", call="vault", status=500, times=1)
    with pytest.raises(CallFailed) as broken:
        gateway.upload(LOGIN, URL)
    assert not broken.value.final


def test_a_key_works_or_does_not(sim: Sim, gateway: OnlyFansPlatform) -> None:
    assert gateway.key_works(KEY)
    assert not gateway.key_works("somebody-elses-key")
    sim.fault("status", call="whoami", status=500)
    with pytest.raises(CallFailed):
        gateway.key_works(KEY)


def test_signed_in_accounts_are_the_connected_ones(sim: Sim, gateway: OnlyFansPlatform) -> None:
    sim.tell("/accounts", {"id": "acct_a"})
    sim.tell("/accounts", {"id": "acct_b", "is_authenticated": False})
    assert gateway.connected_accounts(KEY) == {"acct_a"}
    with pytest.raises(CallFailed) as refused:
        gateway.connected_accounts("somebody-elses-key")
    assert refused.value.refused_login
