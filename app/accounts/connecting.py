"""Connecting an account: the key must list it at the platform, and nobody may have it already."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.accounts import service
from app.accounts.connection import Keys
from app.accounts.models import Account, Assignment, Role, User
from app.db import transaction
from app.errors import Invalid, NotAllowed, NotFound, Problem, Unavailable
from app.extensions import db
from app.gateways.answers import CallFailed, Listed
from app.gateways.platform import OnlyFansPlatform, Platform
from config import Settings

PATIENCE = 3.0
NOT_THERE = "The key lists no such account, or it is connected already"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a creator says of an account; without `api_key` the deployment's is used."""

    platform_id: str
    display_name: str | None
    api_key: str | None
    time_zone: str


@dataclass(frozen=True, slots=True)
class Connector:
    """Connects accounts; `assigned_only`: on the deployment's key, only those that an operator assigned."""

    platform: Platform
    keys: Keys
    assigned_only: bool

    @classmethod
    def build(cls, settings: Settings) -> "Connector":
        """From configuration; somebody waits for its calls."""
        platform = OnlyFansPlatform(settings.platform_base_url, min(PATIENCE, settings.platform_timeout))
        keys = Keys(settings.encryption_key, settings.platform_api_key)
        return cls(platform, keys, assigned_only=settings.production)

    def connect(self, viewer: User, wanted: Wanted) -> Account:
        """The new account; raises NotAllowed, Invalid (a refused key), Unavailable, and NotFound for all the rest."""
        if viewer.role != Role.CREATOR:
            raise NotAllowed("Only creators connect accounts")
        with transaction():
            may = wanted.api_key is not None or self.may_use_deployment_key(viewer, wanted.platform_id)
        # An account that may not be had answers like one that isn't there, after the same call.
        listed = {account.platform_id: account for account in self.available(wanted.api_key)}
        if not may or wanted.platform_id not in listed:
            raise NotFound(NOT_THERE)
        try:
            return self._keep(viewer, wanted, listed[wanted.platform_id])
        except IntegrityError:
            raise NotFound(NOT_THERE) from None

    def may_use_deployment_key(self, viewer: User, platform_id: str) -> bool:
        """Whether the viewer may connect this account without a key of their own."""
        return not self.assigned_only or _is_assigned(viewer, platform_id)

    def choices(self, viewer: User, api_key: str) -> list[Listed]:
        """What a key of the viewer's own lists and nobody has connected; raises NotAllowed, Invalid, Unavailable."""
        if viewer.role != Role.CREATOR:
            raise NotAllowed("Only creators connect accounts")
        listed = self.available(api_key)
        query = select(Account.platform_id).where(Account.platform_id.in_([one.platform_id for one in listed]))
        taken = set(db.session.scalars(query))
        return [one for one in listed if one.platform_id not in taken]

    def available(self, api_key: str | None) -> list[Listed]:
        """What the key lists, None: the deployment's; raises Invalid (a refused key) or Unavailable."""
        try:
            return self.platform.listed_accounts(api_key or self.keys.deployment_key)
        except CallFailed as error:
            if error.refused_login and api_key is not None:
                raise Invalid([Problem("apiKey", "The platform refuses this key")]) from None
            raise Unavailable("The platform can't be asked for this account now: try again in a moment") from None

    def _keep(self, viewer: User, wanted: Wanted, listed: Listed) -> Account:
        with transaction():
            account = Account(
                platform_id=wanted.platform_id,
                owner_id=viewer.id,
                display_name=wanted.display_name or listed.name or wanted.platform_id,
                time_zone=wanted.time_zone,
                api_key_encrypted=self.keys.encrypt(wanted.api_key) if wanted.api_key else None,
                api_key_last4=wanted.api_key[-4:] if wanted.api_key else None,
            )
            db.session.add(account)
            db.session.flush()
            service.audit("account.connected", user=viewer, account_id=account.id)
            return account


def _is_assigned(viewer: User, platform_id: str) -> bool:
    query = select(Assignment.id).where(Assignment.platform_id == platform_id, Assignment.user_id == viewer.id)
    return db.session.scalar(query) is not None
