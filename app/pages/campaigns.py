"""Campaigns: a new one, all of them, and how one is doing."""

import uuid

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import idempotency
from app.accounts import queries as accounts
from app.accounts.models import Account, Role
from app.campaigns import queries, segments, service
from app.campaigns.afterwards import afterwards
from app.campaigns.models import Campaign
from app.clock import now
from app.db import transaction
from app.errors import Conflict, KeyReused
from app.messages.rules import UNPRINTABLE
from app.pages import progress as doing
from app.pages.addresses import read_id
from app.pages.forms.campaigns import OUT_OF_DATE, CampaignForm
from app.pages.guard import account_shown, closed_to_all_but, viewer
from app.pages.htmx import wants_fragment
from app.pages.outlook import outlook
from app.pages.parts import desk

PAGE = 20
WISHES = {
    "tag": "tag",
    "without_tag": "without_tag",
    "tier": "tier",
    "status": "status",
    "seen": "seen",
    "from": "spent_from",
    "to": "spent_to",
}
WISH_LENGTH = 50
blueprint = Blueprint("campaigns", __name__, url_prefix="/messages")
closed_to_all_but(blueprint, Role.CREATOR)


@blueprint.get("/bulk")
def new() -> ResponseReturnValue:
    """The form of a new campaign; wishes about fans may stand in the address, as in that of the page of fans."""
    account = account_shown()
    if account is None:
        return render_template("campaigns/no_account.html")
    form = CampaignForm(formdata=None, data=_wishes() | {"account": str(account.id), "key": str(uuid.uuid4())})
    return _form(account, form)


@blueprint.post("/bulk")
def launch() -> ResponseReturnValue:
    """Launch it; a form with faults comes back with all of them."""
    form = CampaignForm()
    account = accounts.account(viewer(), read_id(form.account.data) or 0)
    if not form.validate():
        return _form(account, form), 422
    try:
        campaign = _launch_once(account, form)
    except Conflict as refusal:
        return _form(account, form, refusal.message), 422
    return redirect(url_for("campaigns.show", campaign_id=campaign.id))


@blueprint.post("/bulk/outlook")
def look() -> ResponseReturnValue:
    """What would come of the form as it stands: whom it reaches, what they read, how long it takes."""
    form = CampaignForm()
    account = accounts.account(viewer(), read_id(form.account.data) or 0)
    form.validate()
    return render_template("campaigns/_outlook.html", form=form, outlook=outlook(account, form))


@blueprint.get("/campaigns")
def overview() -> ResponseReturnValue:
    """All campaigns of the viewer's accounts, the newest first."""
    offset = min(read_id(request.args.get("offset")) or 0, 10**6)
    page = queries.page(viewer(), None, PAGE, offset)
    names = {account.id: account.display_name for account in accounts.visible(viewer())}
    listed = [doing.Progress(standing, None, None) for standing in page.rows]
    return render_template(
        "campaigns/overview.html", listed=listed, accounts=names, total=page.total, offset=offset, size=PAGE
    )


@blueprint.get("/campaigns/<id:campaign_id>")
def show(campaign_id: int) -> ResponseReturnValue:
    """How a campaign is doing: the bar, what can be done, and what became of it fan by fan."""
    progress = doing.progress(viewer(), campaign_id)
    return render_template(
        "campaigns/show.html",
        progress=progress,
        results=_results(progress),
        tabs=doing.tabs(progress.standing),
        afterwards=afterwards(progress.campaign),
        account=accounts.account(viewer(), progress.campaign.account_id),
    )


@blueprint.get("/campaigns/<id:campaign_id>/live")
def live(campaign_id: int) -> ResponseReturnValue:
    """What has changed since the page was drawn or polled; 204 when nothing has."""
    progress = doing.progress(viewer(), campaign_id)
    if progress.version == request.args.get("v"):
        return "", 204
    return render_template("campaigns/_progress.html", progress=progress), {"HX-Trigger": "campaign-changed"}


@blueprint.get("/campaigns/<id:campaign_id>/results")
def show_results(campaign_id: int) -> ResponseReturnValue:
    """A page of what became of it, fan by fan."""
    progress = doing.progress(viewer(), campaign_id)
    return render_template(
        "campaigns/_results.html", results=_results(progress), tabs=doing.tabs(progress.standing), progress=progress
    )


@blueprint.get("/campaigns/<id:campaign_id>/afterwards")
def show_afterwards(campaign_id: int) -> ResponseReturnValue:
    """What fans did once they got it."""
    campaign = queries.campaign(viewer(), campaign_id)
    return render_template("campaigns/_afterwards.html", campaign=campaign, afterwards=afterwards(campaign))


@blueprint.post("/campaigns/<id:campaign_id>/pause")
def pause(campaign_id: int) -> ResponseReturnValue:
    """Nothing more of it goes."""
    return _done(service.pause(viewer(), campaign_id))


@blueprint.post("/campaigns/<id:campaign_id>/resume")
def resume(campaign_id: int) -> ResponseReturnValue:
    """It goes on."""
    return _done(service.resume(viewer(), campaign_id))


@blueprint.post("/campaigns/<id:campaign_id>/cancel")
def cancel(campaign_id: int) -> ResponseReturnValue:
    """Take back what hasn't left."""
    return _done(service.cancel(viewer(), campaign_id))


@blueprint.post("/campaigns/<id:campaign_id>/retry")
def retry(campaign_id: int) -> ResponseReturnValue:
    """Queue the failed ones again."""
    if not service.retry_failed(viewer(), campaign_id):
        raise Conflict("None of the failed can be tried again: the platform says that they can't be written to.")
    desk().publish_campaign(campaign_id)
    return _done(queries.campaign(viewer(), campaign_id))


def _wishes() -> dict[str, str]:
    """What the address asks of fans; nonsense asks nothing."""
    given = {field: UNPRINTABLE.sub("", request.args.get(name, ""))[:WISH_LENGTH] for name, field in WISHES.items()}
    form = CampaignForm(formdata=None, data=given)
    form.validate()
    return {field: value for field, value in given.items() if not form[field].errors}


def _form(account: Account, form: CampaignForm, refusal: str | None = None) -> str:
    return render_template(
        "campaigns/new.html",
        account=account,
        accounts=accounts.visible(viewer()),
        form=form,
        refusal=refusal,
        outlook=outlook(account, form),
        tags=segments.tags(account.id),
        tiers=segments.tiers(account.id),
        now=now(),
    )


def _launch_once(account: Account, form: CampaignForm) -> Campaign:
    draft, segment = form.draft(), form.segment()
    body = f"{account.id}\n{form.name.data}\n{draft}\n{segment}".encode()
    with transaction():
        try:
            use = idempotency.claim(idempotency.Use(viewer().id, "campaigns.launch", form.key.data, body))
        except KeyReused:
            raise Conflict(OUT_OF_DATE) from None
        if use.result is not None:
            return queries.campaign(viewer(), use.result)
        campaign = service.launch_to(viewer(), account.id, form.name.data.strip(), draft, segment)
        use.result = campaign.id
    desk().publish_campaign(campaign.id)
    return campaign


def _results(progress: doing.Progress) -> doing.Results:
    offset = read_id(request.args.get("offset")) or 0
    return doing.results(progress.standing, request.args.get("status", ""), offset)


def _done(campaign: Campaign) -> ResponseReturnValue:
    if not wants_fragment():
        return redirect(url_for("campaigns.show", campaign_id=campaign.id))
    progress = doing.progress(viewer(), campaign.id)
    return render_template("campaigns/_progress.html", progress=progress), {"HX-Trigger": "campaign-changed"}
