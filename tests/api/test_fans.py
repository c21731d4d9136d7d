"""A program keeps the fans of an account: lists, writes down, changes, takes out."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.accounts.models import AuditEvent
from app.conversations.models import Conversation
from app.earnings.models import Transaction
from app.extensions import db
from app.fans.models import Fan
from app.messages import service
from app.messages.models import Attempt, Message, Status
from app.messages.rules import Draft
from tests.api.conftest import Caller, SignIn, moment
from tests.support.cast import Cast
from tests.support.queries import count_queries

FANS = "/api/crm/fans"
NEW: dict[str, Any] = {
    "name": "Wanda Winter",
    "handle": "@Wanda.W",
    "platformId": "3001",
    "email": "wanda@example.org",
    "avatar": "https://cdn.example.com/w.png",
    "tier": "gold",
    "status": "expired",
    "tags": ["vip", "vip", " may "],
    "notes": "Two\nlines",
    "valueCents": 12345,
    "lastSeenAt": "2026-10-01T10:00:00+02:00",
}


def create(caller: Caller, **fields: Any) -> dict[str, Any]:
    """A fan who was written down."""
    response = caller.post(FANS, fields)
    assert response.status_code == 201, response.json
    found: dict[str, Any] = response.json["fan"]
    return found


def test_a_fan_is_written_down_in_the_promised_shape(as_ada: Caller, cast: Cast) -> None:
    fan = create(as_ada, **NEW)
    assert datetime.now(UTC) - moment(fan["createdAt"]) < timedelta(minutes=1)
    assert fan == {
        "id": fan["id"],
        "userId": cast.ada.id,
        "accountId": cast.account.id,
        "platform": "onlyfans",
        "platformId": "3001",
        "name": "Wanda Winter",
        "handle": "wanda.w",
        "email": "wanda@example.org",
        "avatar": "https://cdn.example.com/w.png",
        "tier": "gold",
        "status": "expired",
        "tags": ["vip", "may"],
        "notes": "Two\nlines",
        "valueCents": 12345,
        "lastSeenAt": "2026-10-01T08:00:00Z",
        "createdAt": fan["createdAt"],
        "updatedAt": fan["updatedAt"],
    }
    assert as_ada.get(f"{FANS}/{fan['id']}").json == {"fan": fan}


def test_a_handle_or_an_id_is_name_enough(as_ada: Caller, cast: Cast) -> None:
    assert create(as_ada, handle="only.handle")["name"] == "only.handle"
    assert create(as_ada, platformId="4001")["name"] == "4001"
    response = as_ada.post(FANS, {"notes": "who?"})
    assert response.json["details"] == [{"field": "name", "message": "Name is required, or a handle or a platform ID"}]


def test_all_faults_are_told_at_once(as_ada: Caller) -> None:
    wrong = {
        "name": "two\nlines",
        "handle": "white space",
        "platformId": "a/b",
        "email": "nobody",
        "avatar": "http://x.example.com",
        "tier": " ",
        "status": "gone",
        "tags": ["", 5],
        "notes": "\x00",
        "valueCents": -1,
        "lastSeenAt": "yesterday",
        "platform": "onlyfans",
    }
    details = {one["field"]: one["message"] for one in as_ada.post(FANS, wrong).json["details"]}
    assert details.pop("tags[0]") == "Tags is required"
    assert details == {
        "name": "Name must be one line of text",
        "handle": "Handle must be 1 to 100 letters, digits, dots, _ or -",
        "platformId": "Platform ID must be 1 to 64 letters, digits, _ or -",
        "email": "Email must be an e-mail address",
        "avatar": "Media URLs must begin with https://",
        "tier": "Tier must be one line of text",
        "status": "Status must be 'active' or 'expired'",
        "tags[1]": "Tags must be text",
        "notes": "Notes must not hold control characters",
        "valueCents": "Value cents must be at least 0",
        "lastSeenAt": "Last seen at must be a time such as 2026-11-01T12:00:00Z",
        "platform": "There is no field 'platform' here",
    }


def test_platform_id_and_handle_are_unique_in_an_account(as_ada: Caller, call_as: SignIn, cast: Cast) -> None:
    fan = create(as_ada, **NEW)
    for twin in ({"platformId": "3001"}, {"handle": "WANDA.W", "name": "Another"}):
        assert as_ada.post(FANS, twin).status_code == 409
    other = create(as_ada, name="Another")
    assert as_ada("PUT", f"{FANS}/{other['id']}", json={"handle": "@wanda.w"}).status_code == 409
    assert as_ada("PUT", f"{FANS}/{fan['id']}", json={"handle": "@wanda.w"}).status_code == 200
    assert call_as(cast.eve).post(FANS, NEW).status_code == 201


def test_a_change_takes_any_subset_and_leaves_the_rest(as_ada: Caller) -> None:
    fan = create(as_ada, **NEW)
    path = f"{FANS}/{fan['id']}"
    changed = as_ada("PUT", path, json={"tags": ["new"], "tier": None, "platformId": None}).json["fan"]
    assert changed == fan | {"tags": ["new"], "tier": None, "platformId": None, "updatedAt": changed["updatedAt"]}
    assert as_ada("PUT", path, json={}).json["fan"] == changed
    for refused in ({"name": None}, {"status": None}, {"tags": None}, {"id": 5}, {"valueCents": "5"}):
        assert as_ada("PUT", path, json=refused).status_code == 400, refused


def test_a_new_name_is_news_for_pages_that_show_the_conversation(as_ada: Caller, cast: Cast) -> None:
    before = [conversation.version for conversation in cast.conversations]
    assert as_ada("PUT", f"{FANS}/{cast.fans[0].id}", json={"name": "Tom Renamed"}).status_code == 200
    after = [conversation.version for conversation in cast.conversations]
    assert [new - old for old, new in zip(before, after, strict=True)] == [1, 0, 0, 0]


def test_the_list_is_searched_filtered_sorted_and_paged(as_ada: Caller, cast: Cast) -> None:
    create(as_ada, **NEW)
    create(as_ada, name="Zoé 100%", tags=['a "vip"', "Ünique"], valueCents=99)

    def names(query: str) -> list[str]:
        return [fan["name"] for fan in as_ada.get(f"{FANS}?{query}").json["fans"]]

    assert names("") == ["Nameless Nora", "Tom Tester", "Uma Umbrella", "Vic Vapour", "Wanda Winter", "Zoé 100%"]
    assert names("limit=2&offset=4") == ["Wanda Winter", "Zoé 100%"]
    assert names("sort=-valueCents&limit=2") == ["Wanda Winter", "Zoé 100%"]
    assert names("sort=lastSeenAt&limit=1") == ["Wanda Winter"]
    assert names("sort=-lastSeenAt&limit=1") == ["Wanda Winter"]
    assert names("sort=-createdAt&limit=1") == ["Zoé 100%"]
    assert names("q=100%25") == ["Zoé 100%"]
    assert names("q=@wanda.w") == names("q=WANDA@EXAMPLE") == ["Wanda Winter"]
    assert names("tag=vip") == ["Wanda Winter"]
    assert names("tag=%C3%9Cnique") == names("tag=a+%22vip%22") == ["Zoé 100%"]
    assert names("status=expired") == ["Wanda Winter"]
    assert as_ada.get(FANS).json["total"] == 6
    for bad in ("sort=id", "status=gone", "limit=0", "offset=-1", "limit=x"):
        assert as_ada.get(f"{FANS}?{bad}").status_code == 400, bad


def test_a_list_takes_three_queries_however_long(as_ada: Caller, cast: Cast) -> None:
    db.session.add_all(Fan(account_id=cast.account.id, name=f"Fan {number}") for number in range(150))
    db.session.commit()
    with count_queries() as statements:
        assert len(as_ada.get(f"{FANS}?limit=200").json["fans"]) == 154
    assert len(statements) <= 3


def test_a_fan_is_taken_out_with_what_was_written_and_the_money_stays(as_ada: Caller, cast: Cast) -> None:
    fan, others = cast.fans[0], [other.id for other in cast.fans[1:]]
    sent = service.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    sent.status = Status.SENT
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    known = {"account_id": cast.account.id, "fan_id": fan.id}
    db.session.add_all(
        [
            Attempt(message_id=sent.id, claim_id="c", key="k", started_at=long_ago, **known),
            Transaction(platform_id="t", type="tip", gross_cents=5, net_cents=4, received_at=long_ago, **known),
        ]
    )
    db.session.commit()
    path = f"{FANS}/{fan.id}"
    assert as_ada("DELETE", path).json == {"success": True}
    assert as_ada("DELETE", path).status_code == 404
    for table in (Message, Attempt):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    kept = select(Conversation.fan_id).where(Conversation.fan_id.in_([*others, known["fan_id"]]))
    assert sorted(db.session.scalars(kept)) == others
    assert db.session.scalars(select(Transaction.fan_id)).all() == [None]
    assert "fan.erased" in db.session.scalars(select(AuditEvent.action)).all()


def test_a_fan_stays_while_messages_are_on_the_way_or_just_were(as_ada: Caller, cast: Cast) -> None:
    path = f"{FANS}/{cast.fans[0].id}"
    message = service.send(cast.ada, cast.conversations[0].id, Draft(text="Hello"))
    for status in (Status.SCHEDULED, Status.QUEUED, Status.SENDING):
        message.status = status
        db.session.commit()
        assert as_ada("DELETE", path).status_code == 409, status
    message.status = Status.SENT
    known = {"account_id": cast.account.id, "fan_id": message.fan_id, "message_id": message.id}
    db.session.add(Attempt(claim_id="c", key="k", started_at=datetime.now(UTC), **known))
    db.session.commit()
    assert as_ada("DELETE", path).status_code == 409
