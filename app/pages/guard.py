"""Who may open what: a blueprint names its roles once, and every page in it is closed to all others; and whose."""

from functools import partial

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts import queries as accounts
from app.accounts.models import Account, Role, User
from app.errors import NotAllowed
from app.extensions import login_manager
from app.pages.addresses import read_id


def viewer() -> User:
    """The signed-in person; only behind `closed_to_all_but`."""
    user: User = current_user.user
    return user


def account_shown() -> Account | None:
    """The account that the address names, else the viewer's first, None without any; raises NotFound."""
    named = request.args.get("account")
    if named is not None:
        return accounts.account(viewer(), read_id(named) or 0)
    mine = accounts.visible(viewer())
    return mine[0] if mine else None


def closed_to_all_but(blueprint: Blueprint, *roles: Role) -> None:
    """Answer requests to `blueprint` only when a user of one of `roles` is signed in."""
    blueprint.before_request(partial(refuse, roles))


def refuse(roles: tuple[Role, ...]) -> ResponseReturnValue | None:
    """None for a signed-in user of one of `roles`, the way to the sign-in for nobody; raises NotAllowed for others."""
    if not current_user.is_authenticated:
        answer: ResponseReturnValue = login_manager.unauthorized()
        return answer
    if viewer().role not in roles:
        raise NotAllowed("This page isn't for your role.")
    return None
