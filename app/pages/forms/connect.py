"""The forms of the accounts' page."""

import re
from functools import cache
from zoneinfo import available_timezones

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField, SelectField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from app.messages.rules import UNPRINTABLE

PLATFORM_ID = Regexp(re.compile(r"[A-Za-z0-9_-]{1,64}\Z"), message="An account's id looks like acct_abc123.")
API_KEY = Regexp(re.compile(r"[!-~]{8,200}\Z"), message="That doesn't look like a key of the platform's API.")
PERIODS = {"30": "30 days", "90": "90 days", "365": "year", "1825": "5 years"}
PLACES = ("Africa/", "America/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")


@cache
def zones() -> list[str]:
    """The time zones that people choose from: UTC, then places."""
    return ["UTC", *sorted(zone for zone in available_timezones() if zone.startswith(PLACES))]


def _trimmed(value: str | None) -> str:
    return " ".join(UNPRINTABLE.sub("", value or "").split())


class _Form(FlaskForm):  # type: ignore[misc]
    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


class KeyForm(_Form):
    """A key of the platform's API."""

    api_key = PasswordField("API key", [DataRequired("Enter a key."), API_KEY], filters=[_trimmed])


class ConnectForm(_Form):
    """Which account to connect; `sealed` is a key that was entered a step before, encrypted."""

    platform_id = StringField("Account id", [DataRequired("Choose an account."), PLATFORM_ID], filters=[_trimmed])
    time_zone = SelectField("Time zone", choices=zones)
    days = SelectField("Payments of the last", choices=list(PERIODS))
    sealed = HiddenField("Key", [Length(max=1000)])


class DetailsForm(_Form):
    """What the owner calls an account, and where its days begin."""

    display_name = StringField("Name", [DataRequired("Enter a name."), Length(max=100)], filters=[_trimmed])
    time_zone = SelectField("Time zone", choices=zones)


class ReadForm(_Form):
    """How far back payments are read."""

    days = SelectField("Payments of the last", choices=list(PERIODS))


class InviteForm(_Form):
    """Whom to let in."""

    email = EmailField("E-mail address", [DataRequired("Enter an e-mail address."), Length(max=254)])
