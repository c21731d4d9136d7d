"""An answer is given again while nothing of it has changed, and never to somebody who may not see it any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from app.accounts import api_tokens, owning
from app.accounts import service as people_of_ours
from app.accounts.tokens import Proof
from app.api.kept import Answers, Kept, Place
from app.clock import now
from app.conversations import lists, people
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import db
from app.fans.models import Fan
from app.imports import merge
from app.imports.cells import Row
from app.inbound import people as people_there
from app.inbound import talk
from app.inbound.adapter import Person, Said
from app.messages import erasure, service
from app.messages.rules import Draft
from app.reads import glance
from tests.api.conftest import Caller, SignIn
from tests.support.cast import Cast
from tests.support.queries import count_queries

INBOX = "/api/crm/conversations"
Change = Callable[[Cast], object]


def paths(cast: Cast) -> list[str]:
    """What Ada's program asks for: the inbox in every way, and a thread."""
    thread = f"{INBOX}/{cast.conversations[0].id}/messages"
    return [INBOX, f"{INBOX}?accountId={cast.account.id}", f"{INBOX}?filter=unread", f"{INBOX}?limit=1", thread]


TOM = Person("1001", "Tom Tester", "tom_tester")


def fan_writes(cast: Cast, platform_id: str = "7001", person: Person = TOM) -> None:
    """A fan answers."""
    said = Said(platform_id, person, False, "Hi!", "<p>Hi!</p>", 0, (), now())
    with transaction():
        talk.write_down(cast.account.id, talk.arriving(cast.account.id, [said]))


def import_renames(cast: Cast) -> None:
    """Somebody imports a file that calls Tom by another name."""
    with transaction():
        merge.merge(cast.account.id, [Row(2, "tom_tester", "Tommy", "", "", None, None, [])])


def platform_names(cast: Cast) -> None:
    """The platform tells the name of a fan of whom it had only told the id."""
    with transaction():
        people_there.met(cast.account.id, [(Person("7777", "Nina Newcomer", "nina"), now())])


def written(cast: Cast) -> int:
    """The id of a message that Ada wrote to Tom."""
    return service.send(cast.ada, cast.conversations[0].id, Draft("Hello")).id


CHANGES: dict[str, Change] = {
    "written": written,
    "canceled": lambda cast: service.cancel(cast.ada, written(cast)),
    "answered": fan_writes,
    "read": lambda cast: service.mark_read(cast.ada, cast.conversations[0].id),
    "renamed": lambda cast: people.change_fan(cast.ada, cast.fans[0].id, {"name": "Thomas"}),
    "imported": import_renames,
    "came": lambda cast: fan_writes(cast, "7002", Person("7777")),
    "named": platform_names,
    "removed": lambda cast: erasure.remove_fan(cast.ada, cast.fans[1].id),
}


@pytest.mark.usefixtures("any_database")
def test_the_same_question_takes_one_query_until_something_changes(as_ada: Caller, cast: Cast) -> None:
    written(cast)
    for path in (INBOX, f"{INBOX}/{cast.conversations[0].id}/messages"):
        first = as_ada.get(path)
        with count_queries() as statements:
            again = as_ada.get(path)
        assert len(statements) == 1
        assert (again.data, again.headers["ETag"]) == (first.data, first.headers["ETag"])
        assert as_ada.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.usefixtures("any_database")
def test_whatever_changes_is_in_the_next_answer(app: Flask, as_ada: Caller, cast: Cast) -> None:
    app.config["API_LIMITS"] = {"list_conversations": "1000 per minute"}
    fan_writes(cast, "7000")
    for name, change in CHANGES.items():
        before = [as_ada.get(path).data for path in paths(cast)]
        change(cast)
        after = [as_ada.get(path).data for path in paths(cast)]
        app.extensions["kept_answers"] = Answers()
        assert after == [as_ada.get(path).data for path in paths(cast)], name
        assert after != before, name


@pytest.mark.usefixtures("any_database")
def test_what_was_kept_is_for_nobody_whose_sign_in_has_ended(call_as: SignIn, cast: Cast) -> None:
    endings: list[Change] = [
        lambda cast: people_of_ours.end_everything(cast.ada),
        lambda cast: people_of_ours.change_password(cast.ada, "another-password-1"),
    ]
    for end in endings:
        caller = call_as(cast.ada)
        assert [caller.get(path).status_code for path in paths(cast) * 2] == [200] * 10
        end(cast)
        assert [caller.get(path).status_code for path in paths(cast)] == [401] * 5


@pytest.mark.usefixtures("any_database")
def test_what_was_kept_is_for_nobody_elses_eyes(call_as: SignIn, cast: Cast) -> None:
    thread, named = f"{INBOX}/{cast.conversations[0].id}/messages", f"{INBOX}?accountId={cast.account.id}"
    max_, eve, olga = (call_as(person) for person in (cast.max, cast.eve, cast.olga))
    assert [max_.get(path).status_code for path in (thread, named) * 2] == [200] * 4
    assert [other.get(path).status_code for other in (eve, olga) for path in (thread, named)] == [404] * 4
    owning.dismiss(cast.ada, cast.account.id, cast.max.id)
    assert [max_.get(path).status_code for path in (thread, named)] == [404] * 2
    assert eve.get(INBOX).json["total"] == 1
    assert olga.get(INBOX).json["total"] == 0


@pytest.mark.usefixtures("any_database")
def test_a_conversation_with_the_number_of_an_erased_one_is_another(as_ada: Caller, cast: Cast) -> None:
    newcomer = "5001", "5002"
    for number, platform_id in enumerate(newcomer):
        said = Said(f"80{number}", Person(platform_id), False, f"I am {platform_id}", "", 0, (), now())
        with transaction():
            talk.write_down(cast.account.id, talk.arriving(cast.account.id, [said]))
        first = as_ada.get(INBOX).json["conversations"][0]
        path = f"{INBOX}/{first['id']}/messages"
        assert [[one["text"] for one in as_ada.get(path).json["messages"]] for _ in range(2)] == [[said.text]] * 2
        erasure.erase_fan(cast.ada, first["fanId"], quiet=timedelta(0))
        assert as_ada.get(path).status_code == 404


@pytest.mark.usefixtures("any_database")
def test_what_somebody_might_see_only_while_an_answer_was_made_is_not_kept(
    call_as: SignIn, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    owning.dismiss(cast.bea, cast.beas_account.id, cast.max.id)
    caller, real = call_as(cast.max), lists.page
    with transaction():
        db.session.add(Conversation(account_id=cast.beas_account.id, fan_id=_beas_fan(cast).id))

    def come_between(*arguments: Any) -> lists.Page:
        owning.invite(cast.bea, cast.beas_account.id, cast.max.email)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(lists, "page", come_between)
        assert caller.get(INBOX).json["total"] == 5
    owning.dismiss(cast.bea, cast.beas_account.id, cast.max.id)
    assert caller.get(INBOX).json["total"] == 4


def _beas_fan(cast: Cast) -> Fan:
    fan = Fan(account_id=cast.beas_account.id, platform_id="6001", name="Bea's own")
    db.session.add(fan)
    db.session.flush()
    return fan


@pytest.mark.usefixtures("any_database")
def test_a_personal_token_is_answered_from_what_was_kept_until_it_is_revoked(app: Flask, cast: Cast) -> None:
    caller = Caller(app.test_client(), api_tokens.create(cast.ada, "Reports"))
    first = caller.get(INBOX)
    with count_queries() as statements:
        assert caller.get(INBOX).data == first.data
    assert len(statements) == 2
    api_tokens.revoke(cast.ada, api_tokens.of(cast.ada)[0].id)
    assert caller.get(INBOX).status_code == 401


def test_a_manager_of_several_accounts_takes_no_query_more(call_as: SignIn, cast: Cast) -> None:
    caller = call_as(cast.max)
    for _ in range(2):
        with count_queries() as statements:
            assert caller.get(INBOX).json["total"] == 4
        assert len(statements) == 3


@pytest.mark.usefixtures("any_database")
def test_a_foreign_accounts_conversations_are_not_even_counted(call_as: SignIn, cast: Cast) -> None:
    proof = Proof.of(cast.eve)
    for account_id, seen in ((cast.account.id, 0), (cast.eves_account.id, 1)):
        asked = proof.values() | {"account": account_id, "limit": 50, "offset": 0}
        ((shown, total),) = glance(lists._state(lists._Matching(False, True, False, "")), asked)
        assert (shown is not None, total) == (seen > 0, seen)


def test_an_answer_that_was_kept_counts_towards_the_limit(app: Flask, as_ada: Caller) -> None:
    app.config["API_LIMITS"] = {"list_conversations": "3 per minute"}
    answers = [as_ada.get(INBOX) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]


def test_what_is_kept_stays_within_its_bytes() -> None:
    answers = Answers(most_bytes=10_000)
    places = [Place(1, INBOX, f"offset={number}".encode()) for number in range(10)]
    for number, place in enumerate(places):
        answers.keep(place, Kept((number,), b"x" * 1500, "etag"))
    assert [number for number, place in enumerate(places) if answers.find(place)] == [7, 8, 9]
    answers.keep(places[0], Kept((0,), b"x" * 10_001, "etag"))
    answers.keep(places[1], Kept(("1:2:3 " * 2000, 2000), b"x", "etag"))
    long = Place(1, INBOX, b"q=" + b"x" * 300)
    answers.keep(long, Kept((0,), b"x", "etag"))
    assert [answers.find(place) for place in (places[0], places[1], long)] == [None] * 3
