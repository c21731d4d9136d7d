"""Signing in to the API, keeping the sign-in alive, ending it."""

from flask import Blueprint, g

from app.accounts import second_factor, tokens
from app.accounts import service as accounts
from app.accounts.models import User
from app.api import limits
from app.api.contract import contract, settings, signing_keys
from app.api.schemas.auth import Credentials, Refresh, Tokens
from app.api.schemas.base import Done
from app.errors import NotSignedIn

blueprint = Blueprint("api_auth", __name__, url_prefix="/api/auth")
WRONG = "E-mail address, password or code is wrong, or the code is missing"
CODE_MISSING = "This sign-in has a second factor: send its code too"
USED_UP = "The token is unknown, expired, revoked, or was used before (which ends its sign-in)"
_authenticate = limits.per_address(limits.per_email(accounts.authenticate))
_check = limits.codes(second_factor.check)


@blueprint.post("/token")
@contract("Sign in", answers={200: Tokens}, limit="10 per minute", bearer=False, refusals={401: WRONG})
def sign_in(body: Credentials) -> Tokens:
    """Exchange e-mail address and password for an access token (15 minutes) and a refresh token (30 days, once).

    Users with a second factor send its `code` too.
    """
    g.signing_in = body.email.strip().lower()
    user = _authenticate(body.email, body.password)
    if second_factor.is_on(user):
        _check_code(user, body.code)
    return Tokens.of(tokens.issue(user, signing_keys()))


@blueprint.post("/refresh")
@contract("Renew tokens", answers={200: Tokens}, limit="10 per minute", bearer=False, refusals={401: USED_UP})
def refresh_tokens(body: Refresh) -> Tokens:
    """Exchange a refresh token for a new pair. A second use of the same token ends the whole sign-in."""
    return Tokens.of(tokens.rotate(body.refresh_token, signing_keys()))


@blueprint.post("/revoke")
@contract("Sign out", answers={200: Done}, limit="10 per minute", bearer=False)
def revoke_tokens(body: Refresh) -> Done:
    """End the sign-in of a refresh token: its access tokens are refused at once. An unknown token changes nothing."""
    tokens.revoke(body.refresh_token)
    return Done()


def _check_code(user: User, code: str | None) -> None:
    if code is None:
        raise NotSignedIn(CODE_MISSING)
    _check(user, code, settings().encryption_key)
