"""What went wrong: messages that failed, why, and again; and those of which nobody knows whether they arrived."""

import time
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import Row

from app.accounts import queries as accounts
from app.accounts.models import Role, User
from app.campaigns import queries as campaigns
from app.delivery import checking
from app.errors import Conflict
from app.messages import failed, service
from app.messages.failed import Retried, Wanted
from app.messages.models import Message, Priority
from app.messages.reasons import REASONS, Kind
from app.pages import listings, parts
from app.pages.addresses import read_id
from app.pages.formats import moment
from app.pages.guard import closed_to_all_but, viewer
from app.pages.htmx import target, wants_fragment

PAGE = 25
BADGE_MOST = 100
PUBLISHED_AT_ONCE = 100
ESTIMATED_ACCOUNTS = 10
LOOKS_FOR = 90
TIMES = {1: "In the last hour", 24: "In the last 24 hours"}
blueprint = Blueprint("failed", __name__, url_prefix="/messages/failed")
closed_to_all_but(blueprint, Role.CREATOR, Role.MANAGER)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list; `counts` are those of the tabs, `total` is counted up to a bound."""

    wanted: Wanted
    rows: Sequence[Row[Any]]
    following: str | None
    further: bool
    total: int
    counts: Mapping[str, int]
    kinds: Mapping[Kind, int]
    campaigns: Mapping[int, str]

    @property
    def narrowed(self) -> bool:
        """Whether anything but the tab was chosen."""
        return self.wanted != Wanted(self.wanted.unknown)

    def query(self, **changes: Any) -> dict[str, Any]:
        """What is wanted as it stands in an address, with some of it changed."""
        return address(self.wanted, **changes)


def init_app(app: Flask) -> None:
    """Let the frame of every page know how many there are."""
    app.jinja_env.globals["failed_count"] = _badge


def _badge() -> int:
    """How many of the reader's messages failed or are unknown, counted up to BADGE_MOST."""
    reader: User = current_user.user
    if reader.role == Role.OPERATOR:
        return 0
    return min(BADGE_MOST, sum(failed.count(reader, Wanted(unknown), BADGE_MOST) for unknown in (False, True)))


@blueprint.get("")
def overview() -> ResponseReturnValue:
    """The list, or for another choice that part alone."""
    found = _listing(viewer(), wanted(), request.args.get("after"))
    if wants_fragment() and target() == "failures":
        shown = {"after": request.args["after"]} if "after" in request.args else {}
        push = url_for("failed.overview", **(found.query() | shown))
        return render_template("failed/_failures.html", listing=found, **_words()), {"HX-Push-Url": push}
    return render_template("failed/overview.html", listing=found, **_words())


@blueprint.post("/retry")
def retry() -> ResponseReturnValue:
    """Queue one again, those that are chosen, or all that are wanted."""
    asked = wanted()
    back = redirect(url_for("failed.overview", **address(asked)), 303)
    only = read_id(request.form.get("only"))
    if only is not None:
        _retry_one(only)
        return back
    chosen = None if request.form.get("everything") else _ids(request.form.getlist("message"))
    if chosen is not None and not chosen:
        flash("Choose some messages first.", "bad")
        return back
    done = failed.retry(viewer(), asked, chosen)
    parts.desk().publish(done.message_ids[:PUBLISHED_AT_ONCE])
    flash(_said(done), "good" if done.message_ids else "bad")
    return back


def _retry_one(message_id: int) -> None:
    """Queue it again, or say why that can't be (any more); raises NotFound."""
    try:
        new = service.retry(viewer(), message_id)
    except Conflict as refusal:
        flash(refusal.message, "bad")
        return
    parts.desk().publish([new.id])
    flash(_said(Retried([new.id], {new.account_id}, 0)))


@blueprint.get("/<id:message_id>")
def show(message_id: int) -> ResponseReturnValue:
    """What became of a message whose chat is being looked through; 204 while nothing has."""
    message = service.find(viewer(), message_id)
    if not wants_fragment():
        return redirect(url_for("failed.overview", show="unknown"))
    looking = (read_id(request.args.get("until")) or 0) > time.time()
    if looking and _mark(message) == request.args.get("v"):
        return "", 204
    return _row(message)


@blueprint.post("/<id:message_id>/check")
def check(message_id: int) -> ResponseReturnValue:
    """Have its chat looked through; the row asks by itself what was found."""
    message = checking.begin(viewer(), message_id)
    if wants_fragment():
        return _row(message, looking_until=int(time.time()) + LOOKS_FOR)
    flash("Its chat is being looked through. Load this page again in a moment.")
    return redirect(url_for("failed.overview", show="unknown"), 303)


@blueprint.post("/<id:message_id>/send-again")
def send_again(message_id: int) -> ResponseReturnValue:
    """Queue an unknown message again although it may have arrived."""
    new = service.send_again(viewer(), message_id)
    parts.desk().publish([new.id])
    if wants_fragment():
        return _row(service.find(viewer(), message_id), resent=True)
    flash(_said(Retried([new.id], {new.account_id}, 0)))
    return redirect(url_for("failed.overview", show="unknown"), 303)


def wanted() -> Wanted:
    """What this request asks for; nonsense asks for nothing."""
    given = request.values
    hours = read_id(given.get("hours"))
    return Wanted(
        unknown=given.get("show") == "unknown",
        account_id=read_id(given.get("account")),
        kind=Kind(given["kind"]) if given.get("kind") in Kind.__members__.values() else None,
        campaign_id=read_id(given.get("campaign")),
        hours=hours if hours in TIMES else None,
    )


def address(asked: Wanted, **changes: Any) -> dict[str, Any]:
    """What is wanted as it stands in an address; what is usual is left out."""
    found = {
        "show": "unknown" if asked.unknown else None,
        "account": asked.account_id,
        "kind": asked.kind,
        "campaign": asked.campaign_id,
        "hours": asked.hours,
    }
    return {name: value for name, value in (found | changes).items() if value}


def _listing(reader: User, asked: Wanted, after: str | None) -> Listing:
    if asked.account_id is not None:
        accounts.account(reader, asked.account_id)
    at, last_id = listings.read_cursor(after) or (None, 0)
    page = failed.page(reader, asked, (at, last_id) if at else None, PAGE)
    total = failed.count(reader, asked)
    tabs = {name: failed.count(reader, Wanted(name == "unknown")) for name in ("failed", "unknown")}
    named = failed.campaign_ids(reader, asked)
    return Listing(
        wanted=asked,
        rows=page.rows,
        following=listings.write_cursor(*page.following) if page.following else None,
        further=at is not None,
        total=total,
        counts=tabs,
        kinds={} if asked.unknown else failed.kinds(reader, asked),
        campaigns=campaigns.names(reader, named),
    )


def _words() -> dict[str, Any]:
    return {
        "accounts": accounts.visible(viewer()),
        "reasons": REASONS,
        "times": TIMES,
        "limit": parts.desk().limit,
        "at_once": failed.RETRIED_AT_ONCE,
        "counted": failed.COUNTED,
    }


def _row(message: Message, looking_until: int = 0, resent: bool = False) -> str:
    return render_template(
        "failed/_unknown.html",
        message=message,
        row=failed.one(viewer(), message.id, unknown=True),
        looking_until=looking_until,
        mark=_mark(message),
        resent=resent,
    )


def _mark(message: Message) -> str:
    """Differs whenever a look into the chat has found something out."""
    return str(zlib.crc32(f"{message.status} {message.error}".encode()))


def _ids(texts: Collection[str]) -> list[int]:
    return [found for found in map(read_id, list(texts)[: failed.RETRIED_AT_ONCE]) if found is not None]


def _said(done: Retried) -> str:
    many, left = len(done.message_ids), done.left_out
    words = []
    if many:
        ends_at = _ends_at(done.account_ids)
        when = f" The last one goes about {moment(ends_at)}." if ends_at else ""
        words.append(f"{many:,} {'message is' if many == 1 else 'messages are'} in line again.{when}")
    if left:
        fans = "its fan" if left == 1 else "their fans"
        words.append(f"{left:,} {'was' if left == 1 else 'were'} left out: {fans} can't be reached.")
    return " ".join(words) or "None of them can be retried any more."


def _ends_at(account_ids: Collection[int]) -> datetime | None:
    """When the lines of these accounts are empty; None while one of them doesn't move, or there are many."""
    if len(account_ids) > ESTIMATED_ACCOUNTS:
        return None
    ends = [parts.desk().finish(account_id, Priority.LOW, 0, None) for account_id in account_ids]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None
