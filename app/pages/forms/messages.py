"""The composer's form."""

import re
from datetime import UTC, datetime, timedelta

from flask_wtf import FlaskForm
from pydantic_core import PydanticCustomError
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import Regexp, ValidationError

from app.clock import now
from app.messages.rules import (
    MEDIA_MOST,
    PRICE_HIGH,
    PRICE_LOW,
    PRIORITIES,
    Draft,
    attachment_of,
    check_text,
    check_url,
    price_fault,
)
from app.pages.formats import money, zone

OUT_OF_DATE = "This page is out of date: load it again, then send."
AHEAD_MOST = timedelta(days=365)
LOCAL_TIME = "%Y-%m-%dT%H:%M"
AMOUNT = re.compile(r"\$?\s*(\d{1,4})(?:[.,](\d{1,2}))?\s*\$?")


class SendForm(FlaskForm):  # type: ignore[misc]
    """A message to be sent.

    `key` is made once per press, so that a doubled POST makes one message; `seen` is the cursor of the newest message
    that its author knew of. `media` are https links, one a line; `price` is in dollars; `send_at` in local time.
    """

    text = TextAreaField("Message")
    key = HiddenField(validators=[Regexp(r"^[A-Za-z0-9-]{8,64}$", message=OUT_OF_DATE)])
    seen = HiddenField()
    media = TextAreaField("Links to media")
    price = StringField("Price")
    priority = SelectField("Priority", choices=list(PRIORITIES), default="high")
    send_at = StringField("Send later")

    def validate_text(self, field: TextAreaField) -> None:
        """Refuse what no way in accepts, in the same words; browsers' line ends become plain ones."""
        field.data = (field.data or "").replace("\r\n", "\n").strip()
        try:
            check_text(field.data)
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def validate_media(self, _field: TextAreaField) -> None:
        """Refuse links that no way in accepts, and too many of them."""
        if len(self.links()) > MEDIA_MOST:
            raise ValidationError(f"At most {MEDIA_MOST} media fit into one message.")
        try:
            for link in self.links():
                check_url(link)
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def validate_price(self, _field: StringField) -> None:
        """Refuse what isn't an amount, and one that the platform doesn't take."""
        if self.cents() is None:
            raise ValidationError("The price is an amount such as 12 or 9.99.")
        if not price_fault(self.cents() or 0, len(self.links())):
            return
        allowed = PRICE_LOW <= (self.cents() or 0) <= PRICE_HIGH
        raise ValidationError(
            "A price needs media." if allowed else f"A price is {money(PRICE_LOW)} to {money(PRICE_HIGH)}."
        )

    def validate_send_at(self, field: StringField) -> None:
        """Refuse what isn't a moment, and one that isn't within the next year."""
        if not field.data:
            return
        later = self.later()
        if later is None:
            raise ValidationError("The time to send it can't be read.")
        if not now() < later < now() + AHEAD_MOST:
            raise ValidationError("The time to send it must be in the future, within a year.")

    def links(self) -> list[str]:
        """The links, without empty lines."""
        return [line.strip() for line in (self.media.data or "").splitlines() if line.strip()]

    def cents(self) -> int | None:
        """The price in cents, 0 for none, None for what isn't an amount."""
        written = (self.price.data or "").strip()
        found = AMOUNT.fullmatch(written)
        if found is None:
            return None if written else 0
        return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))

    def later(self) -> datetime | None:
        """When it is to be sent; None for at once, and for what can't be read."""
        try:
            at = datetime.strptime(self.send_at.data or "", LOCAL_TIME)  # noqa: DTZ007 - the reader's zone follows
            return at.replace(tzinfo=zone()).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def draft(self) -> Draft:
        """What the form holds, once it is valid."""
        return Draft(
            text=self.text.data,
            priority=PRIORITIES[self.priority.data],
            price_cents=self.cents() or 0,
            attachments=tuple(attachment_of(link) for link in self.links()),
            scheduled_at=self.later(),
        )

    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
