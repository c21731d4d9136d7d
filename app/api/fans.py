"""Fans: listed, written down, changed, taken out."""

from datetime import timedelta

from flask import Blueprint

from app.accounts.models import User
from app.api.contract import contract, settings
from app.api.messages import NO_ACCOUNT
from app.api.schemas.base import Done
from app.api.schemas.fans import FanAnswer, FanChange, FanItem, FanList, FanNew, FansQuery
from app.conversations import people
from app.fans import queries, service
from app.fans.queries import Filter
from app.messages import erasure

blueprint = Blueprint("api_fans", __name__, url_prefix="/api/crm/fans")
TAKEN = "The account has another fan with this handle or platform id"
A_CALL = 30


@blueprint.get("")
@contract("Fans", answers={200: FanList}, refusals={404: NO_ACCOUNT})
def list_fans(viewer: User, query: FansQuery) -> FanList:
    """Your accounts' fans."""
    wanted = Filter(query.account_id, query.q.strip(), query.tag.strip(), query.status, query.sort)
    page = queries.page(viewer, wanted, query.limit, query.offset)
    fans = [FanItem.of(owned) for owned in page.rows]
    return FanList(fans=fans, total=page.total, limit=query.limit, offset=query.offset)


@blueprint.post("")
@contract("Write down a fan", answers={201: FanAnswer}, refusals={404: NO_ACCOUNT, 409: TAKEN})
def create_fan(viewer: User, body: FanNew) -> FanAnswer:
    """A fan without a platform id can't be written to until it is known."""
    fan = service.create(viewer, body.account_id, body.details())
    return _answer(viewer, fan.id)


@blueprint.get("/<number:fan_id>")
@contract("One fan", answers={200: FanAnswer})
def read_fan(fan_id: int, viewer: User) -> FanAnswer:
    """Everything that is known of them."""
    return _answer(viewer, fan_id)


@blueprint.put("/<number:fan_id>")
@contract("Change a fan", answers={200: FanAnswer}, refusals={409: TAKEN})
def change_fan(fan_id: int, viewer: User, body: FanChange) -> FanAnswer:
    """Takes any subset of the fields; what is left out stays."""
    people.change_fan(viewer, fan_id, body.details())
    return _answer(viewer, fan_id)


@blueprint.delete("/<number:fan_id>")
@contract("Take a fan out", answers={200: Done}, refusals={409: "Messages to them are on the way, or just were"})
def delete_fan(fan_id: int, viewer: User) -> Done:
    """With the conversation and its messages; the money that they paid stays counted."""
    # After a loss of Redis the limit is counted from the calls of the last window.
    erasure.erase_fan(viewer, fan_id, quiet=timedelta(seconds=settings().rate_limit.window + A_CALL))
    return Done()


def _answer(viewer: User, fan_id: int) -> FanAnswer:
    return FanAnswer(fan=FanItem.of(queries.fan(viewer, fan_id)))
