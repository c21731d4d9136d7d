"""Campaigns: launched, looked at, paused, resumed, canceled."""

from functools import partial

from flask import Blueprint

from app.accounts.models import User
from app.api.contract import contract
from app.api.messages import NO_ACCOUNT, account_named, desk
from app.api.once import Once
from app.api.schemas.base import ForAccount
from app.api.schemas.campaigns import (
    BulkRequest,
    CampaignAnswer,
    CampaignItem,
    CampaignList,
    CampaignsQuery,
    CampaignWithRecipients,
    Launched,
    Recipient,
    RecipientsQuery,
)
from app.campaigns import queries, service
from app.campaigns.models import Campaign

blueprint = Blueprint("api_campaigns", __name__, url_prefix="/api")
CREATORS = "Campaigns are for creators"
OVER = "It is over, or canceled"


@blueprint.post("/messages/bulk")
@contract(
    "Launch a campaign",
    answers={202: Launched},
    limit="5 per minute",
    refusals={403: CREATORS, 404: NO_ACCOUNT},
)
def launch_campaign(viewer: User, query: ForAccount, body: BulkRequest, once: Once) -> Launched:
    """Queue one message for each of these fans; whom nothing can reach is named in `rejected`.

    The texts are made now. Answers to fans (high priority) pass a campaign; campaigns of one account go one by one.
    """
    account_id = account_named(query.account_id, body.account_id)
    launch = partial(service.launch, viewer, account_id, body.campaign_name, body.draft(), body.recipient_ids)
    result = once(launch, partial(queries.campaign, viewer))
    if result.fresh:
        desk().publish_campaign(result.row.id)
    standing = queries.standing(viewer, result.row.id)
    return Launched.of(standing, desk().completion(standing))


@blueprint.get("/crm/campaigns")
@contract("Campaigns", answers={200: CampaignList}, refusals={403: CREATORS, 404: NO_ACCOUNT})
def list_campaigns(viewer: User, query: CampaignsQuery) -> CampaignList:
    """Your accounts' campaigns, the newest first."""
    page = queries.page(viewer, query.account_id, query.limit, query.offset)
    items = [CampaignItem.of(standing) for standing in page.rows]
    return CampaignList(campaigns=items, total=page.total, limit=query.limit, offset=query.offset)


@blueprint.get("/crm/campaigns/<number:campaign_id>")
@contract("One campaign", answers={200: CampaignWithRecipients}, refusals={403: CREATORS})
def read_campaign(campaign_id: int, viewer: User, query: RecipientsQuery) -> CampaignWithRecipients:
    """How far it is, and what became of it fan by fan."""
    standing = queries.standing(viewer, campaign_id)
    results = queries.results(standing.campaign, query.status, query.limit, query.offset)
    return CampaignWithRecipients(
        campaign=CampaignAnswer.of(standing, desk().completion(standing)).campaign,
        recipients=[Recipient.of(result) for result in results],
        total=getattr(standing.counts, query.status) if query.status else standing.counts.total,
        limit=query.limit,
        offset=query.offset,
    )


@blueprint.post("/crm/campaigns/<number:campaign_id>/pause")
@contract("Pause a campaign", answers={200: CampaignAnswer}, refusals={403: CREATORS, 409: OVER})
def pause_campaign(campaign_id: int, viewer: User) -> CampaignAnswer:
    """Nothing more of it goes; what is on its way arrives. It holds nothing else back."""
    return _stands(viewer, service.pause(viewer, campaign_id))


@blueprint.post("/crm/campaigns/<number:campaign_id>/resume")
@contract("Resume a campaign", answers={200: CampaignAnswer}, refusals={403: CREATORS, 409: OVER})
def resume_campaign(campaign_id: int, viewer: User) -> CampaignAnswer:
    """It goes on with those who haven't got it yet."""
    return _stands(viewer, service.resume(viewer, campaign_id))


@blueprint.post("/crm/campaigns/<number:campaign_id>/cancel")
@contract("Cancel a campaign", answers={200: CampaignAnswer}, refusals={403: CREATORS, 409: OVER})
def cancel_campaign(campaign_id: int, viewer: User) -> CampaignAnswer:
    """Take back every message that hasn't left yet."""
    return _stands(viewer, service.cancel(viewer, campaign_id))


def _stands(viewer: User, campaign: Campaign) -> CampaignAnswer:
    standing = queries.standing(viewer, campaign.id)
    return CampaignAnswer.of(standing, desk().completion(standing))
