"""How pages write times, money and names, in the reader's own time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from flask import Flask, g, request

from app.clock import iso, now

ZONE_COOKIE = "zone"
HUES = 8
# The more particular first: every browser also claims to be others.
BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
START = datetime(1970, 1, 1, tzinfo=UTC)


def init_app(app: Flask) -> None:
    """Give the templates their words."""
    app.jinja_env.filters.update(
        ago=ago,
        clock=clock,
        day=day,
        device=device,
        hue=hue,
        initials=initials,
        iso=iso,
        lasting=lasting,
        midnight=midnight,
        moment=moment,
        money=money,
        ordinal=ordinal,
        sort_key=sort_key,
    )
    app.jinja_env.globals["zone_name"] = zone_name


def zone() -> tzinfo:
    """The reader's time zone: what their browser told us, else UTC."""
    if "zone" not in g:
        name = request.cookies.get(ZONE_COOKIE, "")
        g.zone = ZoneInfo(name) if name in _known_zones() else UTC
    known: tzinfo = g.zone
    return known


def zone_name() -> str:
    """`Europe/Paris`."""
    return str(zone())


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def local(at: datetime) -> datetime:
    """`at` on the reader's clock."""
    return at.astimezone(zone())


def midnight(at: datetime) -> datetime:
    """The beginning of the reader's day that `at` belongs to."""
    return local(at).replace(hour=0, minute=0, second=0, microsecond=0)


def sort_key(at: datetime | None) -> int:
    """`at` in microseconds, 0 for None: what keeps rows and bubbles in order in the browser."""
    return 0 if at is None else (at - START) // timedelta(microseconds=1)


def clock(at: datetime) -> str:
    """`10:31`."""
    return f"{local(at):%H:%M}"


def day(at: datetime) -> str:
    """`Today`, `Yesterday`, `Monday` within a week, else `2 Nov` or `2 Nov 2025`."""
    there, today = local(at).date(), local(now()).date()
    distance = (today - there).days
    if distance in (0, 1):
        return "Yesterday" if distance else "Today"
    if 1 < distance < 7:
        return f"{there:%A}"
    return f"{there.day} {there:%b}" if there.year == today.year else f"{there.day} {there:%b %Y}"


def moment(at: datetime) -> str:
    """`10:31` today, else with its day: `2 Nov, 10:31`."""
    return clock(at) if local(at).date() == local(now()).date() else f"{day(at)}, {clock(at)}"


def ago(at: datetime) -> str:
    """How long ago, short: `now`, `5 min`, `3 h`, then the day."""
    passed = now() - at
    if passed < timedelta(minutes=1):
        return "now"
    if passed < timedelta(hours=1):
        return f"{passed // timedelta(minutes=1)} min"
    if passed < timedelta(hours=24) and local(at).date() == local(now()).date():
        return f"{passed // timedelta(hours=1)} h"
    return day(at)


def lasting(period: timedelta) -> str:
    """`less than a minute`, `about 10 minutes`, `about 1 h 40 min`, `about 2 days`."""
    minutes = round(period / timedelta(minutes=1))
    if minutes < 1:
        return "less than a minute"
    if minutes < 60:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    if minutes < 48 * 60:
        return f"about {minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    return f"about {round(minutes / (24 * 60))} days"


def money(cents: int) -> str:
    """`$1,240` or `$12.50`."""
    return f"${cents // 100:,}" if cents % 100 == 0 else f"${cents / 100:,.2f}"


def initials(name: str) -> str:
    """One or two letters for somebody without a picture."""
    letters = [word[0] for word in name.split() if word[0].isalnum()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"


def ordinal(number: int) -> str:
    """`1st`, `2nd`, `3rd`, `11th`."""
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if 10 <= number % 100 <= 20 else endings.get(number % 10, 'th')}"


def hue(number: int) -> int:
    """Which of the avatars' colours belongs to this id."""
    return number % HUES


def device(user_agent: str) -> str:
    """`Firefox on Windows`, as far as the browser says so."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser
