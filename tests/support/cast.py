"""The standing cast: creators Ada, Bea and Eve, Max who manages Ada and Bea but not Eve, and Olga who runs it all."""

from dataclasses import dataclass

import pytest
from flask import Flask

from app.accounts import service as accounts
from app.accounts.models import Account, Membership, Role, User
from app.conversations import service as conversations
from app.conversations.models import Conversation
from app.db import transaction
from app.extensions import db
from app.fans import service as fans
from app.fans.models import Fan

PASSWORD = "demo-password-1"


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


@pytest.fixture
def cast(app: Flask) -> Cast:
    """Everybody, and what belongs to them."""
    with transaction():
        ada, bea, eve = (_person(name, Role.CREATOR) for name in ("Ada", "Bea", "Eve"))
        max_ = _person("Max", Role.MANAGER)
        olga = _person("Olga", Role.OPERATOR)
        account, beas, eves = (_account(owner) for owner in (ada, bea, eve))
        db.session.add_all(Membership(account_id=own.id, user_id=max_.id) for own in (account, beas))
        subscribers = [_fan(account, platform_id, name) for platform_id, name in FANS]
        nameless = Fan(account_id=account.id, name="Nameless Nora", handle="nora_nowhere")
        db.session.add(nameless)
        db.session.flush()
        return Cast(
            ada=ada,
            max=max_,
            bea=bea,
            eve=eve,
            olga=olga,
            account=account,
            beas_account=beas,
            eves_account=eves,
            fans=[*subscribers, nameless],
            conversations=[conversations.open_with(fan) for fan in (*subscribers, nameless)],
            eves_conversation=conversations.open_with(_fan(eves, "2001", "Eves Only Fan")),
        )


FANS = (("1001", "Tom Tester"), ("1002", "Uma Umbrella"), ("1003", "Vic Vapour"))


def _person(name: str, role: Role) -> User:
    return accounts.create_user(f"{name.lower()}@example.com", f"{name} Example", role, PASSWORD)


def _account(owner: User) -> Account:
    name = owner.name.split()[0]
    account = Account(platform_id=f"acct_demo_{name.lower()}", owner_id=owner.id, display_name=name)
    db.session.add(account)
    db.session.flush()
    return account


def _fan(account: Account, platform_id: str, name: str) -> Fan:
    fan = fans.ensure(account.id, platform_id)
    fan.name, fan.handle = name, name.lower().replace(" ", "_")
    return fan


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
