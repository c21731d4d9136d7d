"""Who may open what: a blueprint names its roles once, and every page in it is closed to all others."""

from functools import partial

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.accounts.models import Role, User
from app.errors import NotAllowed
from app.extensions import login_manager


def viewer() -> User:
    """The signed-in person; only behind `closed_to_all_but`."""
    user: User = current_user.user
    return user


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
