"""Media in the vault: sent up once for a campaign or a message, and then known."""

import pytest

from app.campaigns.models import Campaign
from app.db import transaction
from app.extensions import db
from app.messages import media
from app.messages.models import Message
from tests.messages.line import change, fresh, must_claim_chore, queue
from tests.support.cast import Cast

pytestmark = pytest.mark.usefixtures("any_database")
A, B = "https://cdn.example.com/a.jpg", "https://cdn.example.com/b.jpg"


def test_what_went_up_is_known_to_its_message_alone(cast: Cast) -> None:
    queue(cast.ada, cast.conversations[0], media=(A, B))
    envelope = must_claim_chore()
    assert media.known(envelope) == {}
    media.keep(envelope, {A: "11"})
    media.keep(envelope, {A: "another", B: "12"})
    assert media.known(envelope) == {A: "11", B: "12"}
    media.keep(envelope, {})
    change(db.session.get_one(Message, envelope.message_id), status="canceled")
    queue(cast.ada, cast.conversations[1], media=(A,))
    assert media.known(must_claim_chore()) == {}


def test_a_campaigns_media_go_up_once(cast: Cast) -> None:
    with transaction():
        campaign = Campaign(account_id=cast.account.id, author_id=cast.ada.id, name="Sale", text="Hi")
        db.session.add(campaign)
        db.session.flush()
    messages = [queue(cast.ada, conversation, media=(A,)) for conversation in cast.conversations[:3]]
    alone = queue(cast.ada, cast.conversations[0], media=(A,))
    for message in messages:
        change(message, campaign_id=campaign.id)
    change(messages[1], status="scheduled")
    change(messages[2], status="canceled")
    envelope = must_claim_chore()
    assert envelope.campaign_id == campaign.id
    media.keep(envelope, {A: "11"})
    media.share_with_campaign(campaign.id, [11])
    assert [(fresh(message).next_step, message.media_ids) for message in (messages[1], messages[2], alone)] == [
        ("send", [11]),
        ("upload", []),
        ("upload", []),
    ]
    assert fresh(messages[0]).next_step == "upload"
    assert media.known(envelope) == {A: "11"}
