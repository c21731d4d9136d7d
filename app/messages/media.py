"""Media in the platform's vault: what went up once for a campaign or a message isn't sent up again."""

from sqlalchemy import select, update

from app.db import insert_unless_there, transaction
from app.extensions import db
from app.messages.claims import Envelope
from app.messages.models import Media, Message, Status, Step


def origin(envelope: Envelope) -> str:
    """What a media upload belongs to: the whole campaign, or the one message."""
    return f"campaign:{envelope.campaign_id}" if envelope.campaign_id else envelope.public_id


def known(envelope: Envelope) -> dict[str, str]:
    """URL → vault id of what is there already."""
    query = select(Media.url, Media.vault_id).where(
        Media.account_id == envelope.account_id, Media.origin == origin(envelope)
    )
    return {row.url: row.vault_id for row in db.session.execute(query)}


def keep(envelope: Envelope, uploads: dict[str, str]) -> None:
    """Remember URL → vault id."""
    rows = [
        {"account_id": envelope.account_id, "origin": origin(envelope), "url": url, "vault_id": vault_id}
        for url, vault_id in uploads.items()
    ]
    if rows:
        with transaction():
            insert_unless_there(Media, rows)


def share_with_campaign(campaign_id: int, media_ids: list[int | str]) -> None:
    """The campaign's media are up: its other messages need no upload of their own."""
    with transaction():
        db.session.execute(
            update(Message)
            .where(Message.campaign_id == campaign_id, Message.next_step == Step.UPLOAD)
            .where(Message.status.in_([Status.SCHEDULED, Status.QUEUED]), Message.lease_until.is_(None))
            .values(media_ids=media_ids, next_step=Step.SEND, next_attempt_at=None)
        )
