"""Connected platform accounts: which ones a user acts for, and connecting one."""

from flask import Blueprint, current_app

from app.accounts import queries
from app.accounts.connecting import Connector
from app.accounts.models import User
from app.api.contract import contract, settings
from app.api.schemas.accounts import AccountAnswer, AccountItem, AccountList, AccountNew
from app.clock import now
from app.inbound import sync

blueprint = Blueprint("api_accounts", __name__, url_prefix="/api/onlyfans/accounts")
NOT_THERE = "The key doesn't list it, it is connected already, or it wasn't assigned to you"


@blueprint.get("")
@contract("Accounts", answers={200: AccountList})
def list_accounts(viewer: User) -> AccountList:
    """The accounts that you own or manage, the oldest first: their ids are what `accountId` takes."""
    found = [AccountItem.of(account) for account in queries.visible(viewer)]
    return AccountList(accounts=found, total=len(found))


@blueprint.post("")
@contract(
    "Connect an account",
    answers={201: AccountAnswer},
    refusals={403: "Only creators connect accounts", 404: NOT_THERE},
)
def connect_account(viewer: User, body: AccountNew) -> AccountAnswer:
    """The key, yours or the deployment's, must list the account at the platform. A key is never shown again.

    Its chats, fans and the payments of the last 90 days are brought in in the background."""
    account = _connector().connect(viewer, body.wanted())
    sync.begin(account.id, now() - sync.USUAL, full=True)
    return AccountAnswer(account=AccountItem.of(account))


def _connector() -> Connector:
    """Made when the first account is connected: most processes never ask the platform anything."""
    found: Connector | None = current_app.extensions.get("connector")
    if found is None:
        found = current_app.extensions["connector"] = Connector.build(settings())
    return found
