"""The audit log: who did what, in words."""

from collections import defaultdict
from datetime import timedelta

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.accounts import queries as accounts
from app.accounts.models import Role
from app.monitoring import audit
from app.monitoring.audit import Cursor, Entry
from app.pages.addresses import read_id
from app.pages.formats import START, sort_key
from app.pages.guard import closed_to_all_but, viewer

blueprint = Blueprint("audit", __name__, url_prefix="/audit")
closed_to_all_but(blueprint, *Role)
SOMEBODY = "somebody"
WORDS = {
    "account.assigned": "Let {assigned_id} connect the account {platform_id}",
    "account.changed": "Changed the account's name or time zone",
    "account.connected": "Connected the account",
    "account.key_changed": "Gave the account another key",
    "account.key_removed": "Removed the account's key",
    "account.reconnected": "Connected the account again",
    "account.resumed": "Resumed the account's sending",
    "account.stopped": "Stopped the account's sending",
    "api.signed_in": "Signed in to the API",
    "campaign.canceled": "Canceled a campaign",
    "campaign.held": "Held a campaign that was late",
    "campaign.launched": "Launched a campaign to {recipients} fans",
    "campaign.paused": "Paused a campaign",
    "campaign.resumed": "Resumed a campaign",
    "campaign.retried": "Sent a campaign's {recipients} failed messages again",
    "data.exported": "Exported {what}",
    "dead_letter.retried": "Sent a message from the dead letters again",
    "dead_letter.returned": "Put a dead letter back on the queue",
    "fan.changed": "Changed a fan",
    "fan.created": "Added a fan",
    "fan.erased": "Erased a fan and all that was said",
    "fan.removed": "Removed a fan",
    "fans.tagged": "Tagged {fans} fans",
    "fans.untagged": "Took a tag off {fans} fans",
    "import.begun": "Began to import {rows} rows",
    "invitation.accepted": "Accepted an invitation to the account",
    "invitation.made": "Made an invitation",
    "invitation.withdrawn": "Withdrew an invitation",
    "manager.invited": "Let {manager_id} work for the account",
    "manager.removed": "Removed {manager_id} from the account",
    "message.canceled": "Canceled a message",
    "message.retried": "Sent a message again",
    "message.written": "Wrote to {fan}",
    "messages.retried": "Sent failed messages again: {messages}",
    "password.changed": "Changed their password",
    "queue.purged": "Emptied the queue; {canceled} messages canceled",
    "recovery_code.used": "Signed in with a recovery code",
    "recovery_codes.renewed": "Made new recovery codes",
    "second_factor.off": "Turned the second factor off",
    "second_factor.on": "Turned the second factor on",
    "sending.resumed": "Resumed all sending",
    "sending.stopped": "Stopped all sending",
    "session.ended": "Signed out",
    "session.ended_elsewhere": "Signed another browser out",
    "session.others_ended": "Signed all other browsers out",
    "session.started": "Signed in: {device}",
    "token.created": "Made the API token {name}",
    "token.revoked": "Revoked the API token {name}",
    "user.created": "Created {created_id}, {role}",
    "user.disabled": "Locked {disabled_id} out",
}


@blueprint.get("")
def page() -> ResponseReturnValue:
    """Fifty entries, the newest first, of one account or of all."""
    mine = accounts.visible(viewer())
    named = request.args.get("account")
    account_id = None if named is None else read_id(named) or 0
    found = audit.log(viewer(), account_id, _read(request.args.get("before")))
    shown = found[: audit.PAGE]
    older = (
        url_for("audit.page", account=account_id, before=_write(shown[-1].place)) if len(found) > len(shown) else None
    )
    names = audit.people(shown)
    return render_template(
        "audit/page.html",
        entries=[(entry, names.get(entry.user_id or 0), _words(entry, names)) for entry in shown],
        accounts=mine,
        account_id=account_id,
        names={account.id: account.display_name for account in mine},
        older=older,
    )


def _words(entry: Entry, names: dict[int, str]) -> str:
    known: defaultdict[str, str | int] = defaultdict(lambda: SOMEBODY)
    known.update(entry.details)
    for key in audit.NAMED:
        known[key] = names.get(int(known[key]), SOMEBODY) if key in entry.details else SOMEBODY
    return WORDS.get(entry.action, entry.action).format_map(known)


def _write(place: Cursor) -> str:
    return f"{sort_key(place[0])}-{place[1]}-{place[2]}"


def _read(text: str | None) -> Cursor | None:
    """The place, or None (the first page) for what isn't one."""
    parts = (text or "").split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts):
        return None
    microseconds, kind, row_id = map(int, parts)
    return (START + timedelta(microseconds=min(microseconds, 10**17)), kind, row_id)
