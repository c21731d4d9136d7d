"""Personal tokens: shown once, kept as hashes, dead at once when they are revoked or their user is."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import event, select

from app.accounts import api_tokens, operating, service
from app.accounts.models import ApiToken, User
from app.clock import now
from app.errors import Conflict, NotFound, NotSignedIn
from app.extensions import db


def test_a_token_is_its_users_until_it_is_revoked(ada: User, eve: User) -> None:
    token = api_tokens.create(ada, "Nightly export")
    assert api_tokens.holder(token).id == ada.id
    row = api_tokens.of(ada)[0]
    assert (row.name, row.last4, api_tokens.of(eve)) == ("Nightly export", token[-4:], [])
    assert token not in str(vars(row))
    with pytest.raises(NotFound):
        api_tokens.revoke(eve, row.id)
    assert api_tokens.revoke(ada, row.id) == "Nightly export"
    with pytest.raises(NotSignedIn):
        api_tokens.holder(token)


def test_its_last_use_is_noted_once_a_minute(ada: User) -> None:
    token = api_tokens.create(ada, "Poller")
    written: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *call: written.append(call[2]))
    for seconds in (0, 30, 59, 61):
        with time_machine.travel(now() + timedelta(seconds=seconds), tick=False):
            api_tokens.holder(token)
    assert len([one for one in written if one.startswith("UPDATE")]) == 2
    assert db.session.scalars(select(ApiToken.used_at)).one() is not None


@pytest.mark.parametrize("end", ["password", "disable"])
def test_a_new_password_and_a_lock_out_end_them(ada: User, end: str) -> None:
    token = api_tokens.create(ada, "Poller")
    if end == "password":
        service.change_password(ada, "another-password-2")
    else:
        operating.disable(ada.email)
    with pytest.raises(NotSignedIn):
        api_tokens.holder(token)


def test_twenty_are_enough(ada: User) -> None:
    for number in range(api_tokens.MOST):
        api_tokens.create(ada, f"Number {number}")
    with pytest.raises(Conflict):
        api_tokens.create(ada, "One more")
    for nonsense in ("", "hz_", "hz_\x00", "hz_\ud800", "hz_" + "x" * 5000):
        with pytest.raises(NotSignedIn):
            api_tokens.holder(nonsense)
