"""A link lets one person in, once: a manager who is here already, or somebody who joins by it."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.accounts import queries as accounts
from app.accounts.models import Invitation, Membership, Role, User
from app.clock import now
from app.db import transaction
from app.extensions import db
from tests.pages.conftest import SignIn, post
from tests.support.cast import Cast

PAGE = "/platforms/onlyfans/connect"
NEW = {"name": "Nadia New", "email": "Nadia@example.com", "password": "a-long-enough-one"}


@pytest.fixture
def link(sign_in: SignIn, cast: Cast) -> str:
    """The path of an invitation to Ada's account."""
    shown = post(sign_in(cast.ada), f"{PAGE}/{cast.account.id}/invitations", htmx=False)
    found = re.search(r'<code class="link-to-copy">http://localhost(/invitations/[^<]+)</code>', shown.text)
    assert found is not None
    return found[1]


def _join(client: FlaskClient, path: str, data: dict[str, str]) -> TestResponse:
    """As the browser of somebody who isn't signed in sends the form."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)
    assert token is not None
    return client.post(path, data=data | {"csrf_token": token[1]})


def _members(cast: Cast) -> set[int]:
    db.session.rollback()
    return set(db.session.scalars(select(Membership.user_id).where(Membership.account_id == cast.account.id)))


def test_whoever_is_new_joins_is_signed_in_and_nobody_joins_after_them(
    client: FlaskClient, app: Flask, cast: Cast, link: str
) -> None:
    assert f"Work for {cast.account.display_name}" in client.get(link).text
    for wrong in ({"password": "short"}, {"email": "max@example.com"}, {"email": "no address"}, {"name": " "}):
        assert _join(client, link, NEW | wrong).status_code == 422
    assert _join(client, link, NEW).location == "/messages/onlyfans"
    assert client.get("/messages/onlyfans").status_code == 200
    nadia = db.session.scalars(select(User).where(User.email == "nadia@example.com")).one()
    assert nadia.role == Role.MANAGER
    assert [account.id for account in accounts.visible(nadia)] == [cast.account.id]
    late = app.test_client()
    assert (late.get(link).status_code, _join(late, link, NEW).status_code) == (404, 404)
    assert link.rpartition("/")[2] not in str(db.session.scalars(select(Invitation.token_hash)).all())


def test_a_manager_accepts_by_a_press_and_a_creator_is_told_who_it_is_for(
    sign_in: SignIn, cast: Cast, link: str
) -> None:
    with transaction():
        db.session.query(Membership).delete()
    as_eve = sign_in(cast.eve)
    assert "isn't a manager" in as_eve.get(link).text.replace("&#39;", "'")
    assert post(as_eve, link, htmx=False).status_code == 422
    assert _members(cast) == set()
    as_max = sign_in(cast.max)
    assert "Accept as Max" in as_max.get(link).text
    assert post(as_max, link, htmx=False).status_code == 303
    assert _members(cast) == {cast.max.id}
    assert as_max.get(link).status_code == 404


def test_what_was_withdrawn_or_is_old_lets_nobody_in(
    client: FlaskClient, sign_in: SignIn, cast: Cast, link: str
) -> None:
    row = db.session.scalars(select(Invitation)).one()
    path = f"{PAGE}/{cast.account.id}/invitations/{row.id}/withdraw"
    assert post(sign_in(cast.eve), path, htmx=False).status_code == 404
    with transaction():
        db.session.execute(update(Invitation).values(expires_at=now() - timedelta(seconds=1)))
    assert (client.get(link).status_code, _join(client, link, NEW).status_code) == (404, 404)
    with transaction():
        db.session.execute(update(Invitation).values(expires_at=now() + timedelta(days=1)))
    as_ada = sign_in(cast.ada)
    assert "good until" in as_ada.get(PAGE).text
    assert post(as_ada, path, htmx=False).status_code == 303
    assert (client.get(link).status_code, as_ada.get(PAGE).text.count("good until")) == (404, 0)


def test_only_the_owner_invites_and_not_without_end(sign_in: SignIn, cast: Cast) -> None:
    path = f"{PAGE}/{cast.account.id}/invitations"
    assert post(sign_in(cast.eve), path, htmx=False).status_code == 404
    as_ada = sign_in(cast.ada)
    assert [post(as_ada, path, htmx=False).status_code for _ in range(21)] == [200] * 20 + [422]
