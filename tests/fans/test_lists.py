"""The table of fans: filtered, in order, page by page forwards and back, never a fan twice or none."""

import secrets
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import delete

from app.accounts.models import Account, User
from app.clock import now
from app.db import transaction
from app.errors import NotFound
from app.extensions import db
from app.fans import lists, service
from app.fans.lists import Wanted
from app.fans.models import Fan
from app.messages import erasure
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
SORTS = ("name", "-name", "valueCents", "-valueCents", "lastSeenAt", "-lastSeenAt", "createdAt", "-createdAt")


def names(viewer: User, account: Account, **wishes: object) -> list[str]:
    """The names of the fans that are wanted."""
    return [fan.name for fan in lists.every(viewer, account.id, Wanted(**wishes))]  # type: ignore[arg-type]


def test_every_wish_narrows_the_list(ada: User, account: Account, cast: Cast) -> None:
    tom, uma, vic, _ = cast.fans
    service.change(ada, tom.id, {"tags": ["vip"], "tier": "Gold", "value_cents": 500, "email": "tom@example.com"})
    service.change(ada, uma.id, {"status": "expired", "value_cents": 900, "last_seen_at": now() - timedelta(days=3)})
    service.change(ada, vic.id, {"tags": ["vip plus"], "last_seen_at": now() - timedelta(days=40)})
    assert names(ada, account) == ["Nameless Nora", "Tom Tester", "Uma Umbrella", "Vic Vapour"]
    assert names(ada, account, search="TOM@ex") == names(ada, account, tag="vip") == ["Tom Tester"]
    assert names(ada, account, search="@uma_") == names(ada, account, status="expired") == ["Uma Umbrella"]
    assert names(ada, account, tier="Gold") == ["Tom Tester"]
    assert names(ada, account, spent_from=500, spent_to=899) == ["Tom Tester"]
    assert names(ada, account, seen=7) == ["Uma Umbrella"]
    assert names(ada, account, seen=-30) == ["Nameless Nora", "Tom Tester", "Vic Vapour"]
    assert names(ada, account, sort="-lastSeenAt")[:2] == ["Uma Umbrella", "Vic Vapour"]
    assert lists.stretch(ada, account.id, Wanted(seen=-30), 1).total == 3
    assert lists.ids(ada, account.id, Wanted(tag="vip"), 5) == [tom.id]


FANS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 3), st.one_of(st.none(), st.integers(0, 2))), max_size=14
)


@given(fans=FANS, sort=st.sampled_from(SORTS), size=st.integers(1, 5))
@hypothesis(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_forwards_and_back_are_the_whole_list_in_order(
    cast: Cast, fans: list[tuple[str, int, int | None]], sort: str, size: int
) -> None:
    account_id, wanted = cast.beas_account.id, Wanted(sort=sort)
    base = now()
    with transaction():
        db.session.execute(delete(Fan).where(Fan.account_id == account_id))
        for name, value, seen in fans:
            at = None if seen is None else base - timedelta(days=seen)
            db.session.add(Fan(account_id=account_id, name=name, value_cents=value, last_seen_at=at))
    whole = [fan.id for fan in lists.every(cast.bea, account_id, wanted)]
    assert sorted(whole) == sorted({*whole})
    assert len(whole) == len(fans)
    pages, place = [], None
    while True:
        page = lists.stretch(cast.bea, account_id, wanted, size, after=place)
        pages.append([fan.id for fan in page.rows])
        assert (page.before is None) == (place is None or not page.rows)
        place = page.after
        if place is None:
            break
    assert [one for page_ids in pages for one in page_ids] == whole
    back, place = [], page.before
    while place is not None:
        page = lists.stretch(cast.bea, account_id, wanted, size, before=place)
        back = [fan.id for fan in page.rows] + back
        place = page.before
    assert back == whole[: len(whole) - len(pages[-1])]


def test_as_many_and_as_long_tags_as_there_may_be_are_kept_and_found(ada: User, account: Account, cast: Cast) -> None:
    # Of letters that no compression makes fewer: an index takes only 2,704 bytes of them.
    tags = [secrets.token_hex(12) + "Щё" * 13 for _ in range(service.MOST_TAGS)]
    service.change(ada, cast.fans[0].id, {"tags": tags})
    found = lists.stretch(ada, account.id, Wanted(tag=tags[-1]), 10)
    assert [fan.id for fan in found.rows] == [cast.fans[0].id]
    assert lists.stretch(ada, account.id, Wanted(tag=tags[-1][:-1]), 10).rows == []


def test_a_tag_is_put_on_and_taken_off_many(ada: User, account: Account, cast: Cast) -> None:
    tom, uma, *_ = cast.fans
    foreign = cast.eves_conversation.fan_id
    assert service.tag(ada, account.id, [tom.id, uma.id, foreign, 10**9], "vip", put_on=True) == 2
    assert service.tag(ada, account.id, [tom.id], "vip", put_on=True) == 0
    assert names(ada, account, tag="vip") == ["Tom Tester", "Uma Umbrella"]
    assert db.session.get_one(Fan, foreign).tags == []
    assert service.tag(ada, account.id, [tom.id], "vip", put_on=False) == 1
    assert names(ada, account, tag="vip") == ["Uma Umbrella"]
    service.change(ada, tom.id, {"tags": [f"t{n}" for n in range(service.MOST_TAGS)]})
    assert service.tag(ada, account.id, [tom.id], "vip", put_on=True) == 0
    with pytest.raises(NotFound):
        service.tag(cast.eve, account.id, [tom.id], "vip", put_on=True)


def test_who_was_taken_out_is_in_no_list(ada: User, account: Account, cast: Cast) -> None:
    erasure.remove_fan(ada, cast.fans[0].id)
    assert "Removed fan" not in names(ada, account)
    assert lists.stretch(ada, account.id, Wanted(), 1).total == 3


def test_a_foreign_account_has_no_list(cast: Cast) -> None:
    for read in (lists.every,):
        with pytest.raises(NotFound):
            read(cast.eve, cast.account.id, Wanted())
    with pytest.raises(NotFound):
        lists.stretch(cast.eve, cast.account.id, Wanted(), 5)


def test_very_many_are_counted_up_to_a_bound(ada: User, account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "COUNTED", 2)
    monkeypatch.setattr(lists, "FEW", 1)
    assert lists.stretch(ada, account.id, Wanted(), 1).total == 3
    assert lists.stretch(ada, account.id, Wanted(status="active"), 1).total == 3
    assert lists.stretch(ada, account.id, Wanted(search="uma"), 1).total == 1
