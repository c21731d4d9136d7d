"""Access tokens end soon, refresh tokens work once, and everything of a sign-in ends together."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.accounts import service, tokens
from app.accounts.models import RefreshToken, TokenFamily, User
from app.errors import NotSignedIn
from app.extensions import db
from tests.support.queries import count_queries

KEYS = tokens.Keys("a-secret-for-tests-that-is-long-enough")
OLD_KEYS = tokens.Keys("another-secret-that-was-used-before-it")


def claims_of(user: User, pair: tokens.Pair) -> dict[str, Any]:
    """The claims of a good token."""
    return jwt.decode(pair.access_token, KEYS.current, algorithms=["HS256"], audience=tokens.AUDIENCE)


def test_an_access_token_says_whose_it_is_in_one_query(ada: User) -> None:
    pair = tokens.issue(ada, KEYS)
    with count_queries() as statements:
        assert tokens.holder(pair.access_token, KEYS).id == ada.id
    assert len(statements) == 1


def test_an_access_token_ends_after_fifteen_minutes(ada: User) -> None:
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        pair = tokens.issue(ada, KEYS)
        clock.move_to(start + timedelta(minutes=14, seconds=59))
        tokens.holder(pair.access_token, KEYS)
        clock.move_to(start + timedelta(minutes=15))
        with pytest.raises(NotSignedIn):
            tokens.holder(pair.access_token, KEYS)


@pytest.mark.parametrize("missing", tokens.CLAIMS)
def test_every_claim_is_required(ada: User, missing: str) -> None:
    claims = claims_of(ada, tokens.issue(ada, KEYS))
    del claims[missing]
    with pytest.raises(NotSignedIn):
        tokens.holder(jwt.encode(claims, KEYS.current, algorithm="HS256"), KEYS)


@pytest.mark.parametrize(
    "change",
    [{"aud": "another-service"}, {"sub": "999999"}, {"fam": 999_999}, {"fam": "1"}, {"sub": 1}, {"exp": "soon"}],
    ids=str,
)
def test_a_claim_that_is_wrong_is_refused(ada: User, change: dict[str, object]) -> None:
    claims = claims_of(ada, tokens.issue(ada, KEYS)) | change
    with pytest.raises(NotSignedIn):
        tokens.holder(jwt.encode(claims, KEYS.current, algorithm="HS256", headers={"typ": "JWT"}), KEYS)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_only_one_algorithm_is_accepted(ada: User, algorithm: str) -> None:
    claims = claims_of(ada, tokens.issue(ada, KEYS))
    key = "" if algorithm == "none" else KEYS.current.ljust(64, "x")
    keys = tokens.Keys(key or KEYS.current)
    with pytest.raises(NotSignedIn):
        tokens.holder(jwt.encode(claims, key, algorithm=algorithm), keys)


def test_a_refresh_token_is_no_access_token(ada: User) -> None:
    with pytest.raises(NotSignedIn):
        tokens.holder(tokens.issue(ada, KEYS).refresh_token, KEYS)


def test_a_previous_key_is_accepted_for_a_while_and_never_signs(ada: User) -> None:
    both = tokens.Keys(KEYS.current, OLD_KEYS.current)
    old = tokens.issue(ada, OLD_KEYS)
    assert tokens.holder(old.access_token, both).id == ada.id
    assert tokens.holder(tokens.rotate(old.refresh_token, both).access_token, KEYS).id == ada.id
    with pytest.raises(NotSignedIn):
        tokens.holder(old.access_token, KEYS)


@given(
    st.one_of(
        st.text(max_size=50), st.lists(st.text("abcXYZ019-_=", max_size=30), min_size=2, max_size=4).map(".".join)
    )
)
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(NotSignedIn):
        tokens._claims(text, KEYS)


def test_a_header_nested_thousands_deep_is_refused() -> None:
    header = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 100_000).decode()
    with pytest.raises(NotSignedIn):
        tokens._claims(f"{header}.e30.AAAA", KEYS)


def test_a_refresh_token_works_once_and_its_second_use_ends_the_sign_in(ada: User) -> None:
    first = tokens.issue(ada, KEYS)
    second = tokens.rotate(first.refresh_token, KEYS)
    assert tokens.holder(second.access_token, KEYS).id == ada.id
    with pytest.raises(NotSignedIn):
        tokens.rotate(first.refresh_token, KEYS)
    db.session.expire_all()
    for dead in (first, second):
        with pytest.raises(NotSignedIn):
            tokens.holder(dead.access_token, KEYS)
    with pytest.raises(NotSignedIn):
        tokens.rotate(second.refresh_token, KEYS)


def test_the_database_holds_hashes_only(ada: User) -> None:
    pair = tokens.issue(ada, KEYS)
    stored = db.session.scalars(select(RefreshToken.token_hash)).all()
    assert stored == [hashlib.sha256(pair.refresh_token.encode()).hexdigest()]


def test_revoking_ends_one_sign_in_and_leaves_the_others(ada: User) -> None:
    one, other = tokens.issue(ada, KEYS), tokens.issue(ada, KEYS)
    tokens.revoke(one.refresh_token)
    tokens.revoke("a token that nobody knows")
    with pytest.raises(NotSignedIn):
        tokens.holder(one.access_token, KEYS)
    assert tokens.holder(other.access_token, KEYS).id == ada.id


def test_a_new_password_ends_every_sign_in(ada: User) -> None:
    pair = tokens.issue(ada, KEYS)
    service.change_password(ada, "another-password-2")
    for use in (lambda: tokens.holder(pair.access_token, KEYS), lambda: tokens.rotate(pair.refresh_token, KEYS)):
        with pytest.raises(NotSignedIn):
            use()


def test_a_disabled_user_is_nobody(ada: User) -> None:
    pair = tokens.issue(ada, KEYS)
    ada.disabled_at = datetime.now(UTC)
    db.session.commit()
    for use in (lambda: tokens.holder(pair.access_token, KEYS), lambda: tokens.rotate(pair.refresh_token, KEYS)):
        with pytest.raises(NotSignedIn):
            use()


def test_sign_ins_that_nobody_can_renew_are_forgotten(ada: User) -> None:
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        kept = tokens.issue(ada, KEYS)
        tokens.issue(ada, KEYS)
        clock.move_to(start + timedelta(days=20))
        kept = tokens.rotate(kept.refresh_token, KEYS)
        clock.move_to(start + timedelta(days=31))
        tokens.issue(ada, KEYS)
        tokens.rotate(kept.refresh_token, KEYS)
    assert db.session.scalar(select(func.count()).select_from(TokenFamily)) == 2
    assert db.session.scalar(select(func.count()).select_from(RefreshToken)) == 3


def test_a_refresh_token_ends_after_thirty_days(ada: User) -> None:
    start = datetime(2026, 11, 1, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        pair = tokens.issue(ada, KEYS)
        clock.move_to(start + timedelta(days=30))
        with pytest.raises(NotSignedIn):
            tokens.rotate(pair.refresh_token, KEYS)


def test_tokens_hold_no_secret(ada: User) -> None:
    payload = tokens.issue(ada, KEYS).access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert set(claims) == set(tokens.CLAIMS)
    assert ada.email not in json.dumps(claims)
