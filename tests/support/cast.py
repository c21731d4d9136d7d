"""The standing cast: creators Ada, Bea and Eve, Max who manages Ada and Bea but not Eve, and Olga who runs it all."""

from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import pytest
from flask import Flask

from app.accounts import service as accounts
from app.accounts.models import Account, Membership, Role, User
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import Model, db
from app.fans.models import Fan

PASSWORD = "demo-password-1"
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Cast:
    """People and what is theirs; `fans` and `conversations` are Ada's, the last fan has no platform id yet."""

    ada: User
    max: User
    bea: User
    eve: User
    olga: User
    account: Account
    beas_account: Account
    eves_account: Account
    fans: list[Fan]
    conversations: list[Conversation]
    eves_conversation: Conversation


FANS = (("1001", "Tom Tester"), ("1002", "Uma Umbrella"), ("1003", "Vic Vapour"))


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Everybody, and what belongs to them."""
    with transaction():
        people = [_person(name, Role.CREATOR) for name in ("Ada", "Bea", "Eve")]
        people += [_person("Max", Role.MANAGER), _person("Olga", Role.OPERATOR)]
        ada, bea, eve, max_, olga = _saved(people)
        account, beas, eves = _saved([_account(owner) for owner in (ada, bea, eve)])
        _saved([Membership(account_id=own.id, user_id=max_.id) for own in (account, beas)])
        subscribers = [_fan(account, platform_id, name) for platform_id, name in FANS]
        nameless = Fan(account_id=account.id, name="Nameless Nora", handle="nora_nowhere")
        *fans, eves_fan = _saved([*subscribers, nameless, _fan(eves, "2001", "Eves Only Fan")])
        talks = _saved([Conversation(account_id=fan.account_id, fan_id=fan.id) for fan in (*fans, eves_fan)])
        return Cast(
            ada=ada,
            max=max_,
            bea=bea,
            eve=eve,
            olga=olga,
            account=account,
            beas_account=beas,
            eves_account=eves,
            fans=fans,
            conversations=talks[:-1],
            eves_conversation=talks[-1],
        )


@cache
def _password_hash() -> str:
    return accounts.hasher().hash(PASSWORD)


def _saved(rows: list[Row]) -> list[Row]:
    db.session.add_all(rows)
    db.session.flush()
    return rows


def _person(name: str, role: Role) -> User:
    return User(email=f"{name.lower()}@example.com", name=f"{name} Example", role=role, password_hash=_password_hash())


def _account(owner: User) -> Account:
    name = owner.name.split()[0]
    return Account(platform_id=f"acct_demo_{name.lower()}", owner_id=owner.id, display_name=name)


def _fan(account: Account, platform_id: str, name: str) -> Fan:
    handle = name.lower().replace(" ", "_")
    return Fan(account_id=account.id, platform_id=platform_id, name=name, handle=handle)


@pytest.fixture
def ada(cast: Cast) -> User:
    """The creator whose account, fans and conversations are played with."""
    return cast.ada


@pytest.fixture
def max(cast: Cast) -> User:
    """The manager of Ada's account and of Bea's."""
    return cast.max


@pytest.fixture
def eve(cast: Cast) -> User:
    """A creator who may see nothing of Ada's."""
    return cast.eve


@pytest.fixture
def olga(cast: Cast) -> User:
    """The operator: runs the deployment, sees no fan and no message."""
    return cast.olga


@pytest.fixture
def account(cast: Cast) -> Account:
    """Ada's account."""
    return cast.account


@pytest.fixture
def fan(cast: Cast) -> Fan:
    """A fan of Ada's who can be written to."""
    return cast.fans[0]


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    """Ada's conversation with `fan`."""
    return cast.conversations[0]
