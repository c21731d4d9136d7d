"""Connected platform accounts: which ones a user acts for."""

from flask import Blueprint

from app.accounts import queries
from app.accounts.models import User
from app.api.contract import contract
from app.api.schemas.accounts import AccountItem, AccountList

blueprint = Blueprint("api_accounts", __name__, url_prefix="/api/onlyfans/accounts")


@blueprint.get("")
@contract("Accounts", answers={200: AccountList})
def list_accounts(viewer: User) -> AccountList:
    """The accounts that you own or manage, the oldest first: their ids are what `accountId` takes."""
    found = [AccountItem.of(account) for account in queries.visible(viewer)]
    return AccountList(accounts=found, total=len(found))
