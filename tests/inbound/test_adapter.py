"""The adapter turns every spelling of the platform's into one of ours, and refuses the rest by name."""

from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.earnings.models import Kind
from app.inbound import adapter
from app.inbound.adapter import Person, Unreadable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    "id",
    "text",
    "fromUser",
    "toUser",
    "price",
    "createdAt",
    "created_at",
    "user",
    "fan",
    "amount",
    "type",
    "media",
)
NEAR_MISSES = st.dictionaries(st.sampled_from(NAMES), JSON | st.just("message") | st.just({"id": 7}), max_size=8)
READERS = (
    lambda value: adapter.webhook_message(value, by_us=True),
    lambda value: adapter.webhook_message(value, by_us=False),
    lambda value: adapter.listed_message(value, Person("7")),
    adapter.payment,
    adapter.subscriber,
    adapter.who,
    adapter.unlocked,
    adapter.message_id,
)
MOMENTS = st.integers(1_000_000_000, 3_000_000_000).map(lambda at: datetime.fromtimestamp(at, UTC))


@given(JSON | NEAR_MISSES)
def test_whatever_comes_is_read_or_refused_and_never_breaks(value: Any) -> None:
    for read in READERS:
        with suppress(Unreadable):
            read(value)
    assert adapter.told_at(value, datetime.now(UTC)).tzinfo is UTC


@given(st.integers(1, 10**18))
def test_ids_are_the_same_as_numbers_and_as_text(number: int) -> None:
    assert adapter.identifier(number) == adapter.identifier(str(number)) == str(number)


@pytest.mark.parametrize("value", [None, True, 0, -5, "", " ", "a b", 1.5, [], {}, "x" * 65])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        adapter.identifier(value)


@given(st.integers(0, 10_000_000))
def test_dollars_become_cents_without_loss_however_they_are_written(amount: int) -> None:
    dollars = Decimal(amount) / 100
    for written in (float(dollars), str(dollars), f"${dollars}", f"${dollars:,.2f}"):
        assert adapter.cents(written) == amount


@pytest.mark.parametrize("value", [None, True, "", "much", float("nan"), float("inf"), "1e99", [], 10**12])
def test_what_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        adapter.cents(value)


@given(MOMENTS)
def test_a_time_without_a_zone_is_utc(moment: datetime) -> None:
    naive = moment.replace(tzinfo=None).isoformat()
    for written in (naive.replace("T", " "), f"{naive}+00:00", f"{naive}.000000Z"):
        assert adapter.moment(written) == moment


@pytest.mark.parametrize("value", [None, 1700000000, "", "yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31"])
def test_what_is_no_time_is_refused(value: object) -> None:
    with pytest.raises(Unreadable):
        adapter.moment(value)


def test_the_fan_of_a_message_is_whoever_is_not_the_creator() -> None:
    told = {"id": 5000000000001, "text": "<p>Hi &amp; bye<br>you</p>", "createdAt": "2026-11-01T12:00:00+00:00"}
    told |= {"fromUser": {"id": 7, "name": "Tom", "username": "@Tom_T"}, "price": 9.99, "media": [{"type": "photo"}]}
    received = adapter.webhook_message(told, by_us=False)
    assert received.fan == Person("7", "Tom", "tom_t")
    assert (received.text, received.markup) == ("Hi & bye\nyou", told["text"])
    assert (received.price_cents, received.media, received.platform_id) == (999, ("image",), "5000000000001")
    sent = adapter.webhook_message({**told, "fromUser": {"id": 99}, "toUser": {"id": 8}}, by_us=True)
    assert (sent.fan.platform_id, sent.by_us) == ("8", True)


def test_both_shapes_of_a_payment_are_one() -> None:
    live = {"id": "a1b2", "created_at": "2026-06-10 20:59:47", "type": "message", "amount": 17, "net_amount": 13.6}
    listed = {
        "id": "a1b2",
        "createdAt": "2026-06-10T20:59:47+00:00",
        "type": "chat_messages",
        "amount": 17,
        "net": 13.6,
    }
    payer = {"id": "7", "name": "Tom"}
    found = adapter.payment({**live, "fan": payer})
    assert found == adapter.payment({**listed, "user": {**payer, "id": 7}})
    assert (found.type, found.gross_cents, found.net_cents) == (Kind.MESSAGE, 1700, 1360)


def test_a_bought_message_is_found_in_its_link_and_a_missing_buyer_too() -> None:
    link = '<a href="https://onlyfans.com/my/chats/chat/7?firstId=5000000000001">message</a>'
    told = {"type": "paided_message", "user_id": "99", "replacePairs": {"{MESSAGE}": link, "{AMOUNT}": "$12.00"}}
    assert adapter.unlocked(told) == (Person("7"), "5000000000001")
    assert adapter.unlocked({**told, "user": {"id": 8}})[0] == Person("8")


def test_the_creator_is_never_taken_for_the_fan() -> None:
    with pytest.raises(Unreadable):
        adapter.subscriber({"user_id": "99", "type": "subscribed"})
