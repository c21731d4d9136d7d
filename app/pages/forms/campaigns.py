"""The form of a new campaign: whom it is for, what they get, and when."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from flask_wtf import FlaskForm
from pydantic_core import PydanticCustomError
from wtforms import (
    BooleanField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Regexp, ValidationError

from app.campaigns.models import NAME_LENGTH
from app.campaigns.rules import check_template
from app.campaigns.segments import Segment
from app.clock import now
from app.messages.models import Priority
from app.messages.rules import (
    MEDIA_MOST,
    UNPRINTABLE,
    Draft,
    attachment_of,
    check_text,
    check_url,
    price_fault,
)
from app.pages.formats import zone

OUT_OF_DATE = "This page is out of date: load it again, then launch."
AMOUNT = re.compile(r"\$?\s*([0-9]{1,9}(?:[.,][0-9]{1,2})?)\s*\$?")
SEEN = {"": "at any time", "7": "in the last 7 days", "30": "in the last 30 days", "90": "in the last 90 days"}
SEEN |= {"-7": "not for 7 days", "-30": "not for 30 days", "-90": "not for 90 days"}
TALKED = SEEN | {"0": "never"}
QUIET = {
    "0": "… nobody is left out",
    "15": "15 minutes",
    "60": "hour",
    "720": "12 hours",
    "1440": "day",
    "10080": "week",
}
SEGMENT = ("tag", "without_tag", "tier", "status", "spent_from", "spent_to", "seen", "talked", "quiet", "spare_live")
STATUSES = {"": "Any", "active": "Active", "expired": "Expired"}


def _choices(words: dict[str, str]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in words.items()]


def _cents(text: str | None) -> int | None:
    """`12.50`, `$12,5` → cents, nothing → None; raises ValidationError."""
    written = (text or "").strip()
    found = AMOUNT.fullmatch(written)
    if written and found is None:
        raise ValidationError("Write an amount such as 12.50")
    return int(Decimal(found[1].replace(",", ".")) * 100) if found else None


def _plain(_form: FlaskForm, field: Field) -> None:
    if UNPRINTABLE.search(field.data or ""):
        raise ValidationError("Leave out control characters")


class CampaignForm(FlaskForm):  # type: ignore[misc]
    """A campaign as its author writes it; `key` is made once a page, so that a doubled POST launches one."""

    account = HiddenField()
    key = HiddenField(validators=[Regexp(r"^[A-Za-z0-9-]{8,64}$", message=OUT_OF_DATE)])
    tag = StringField("With the tag", [Length(max=50), _plain])
    without_tag = StringField("Without the tag", [Length(max=50), _plain])
    tier = SelectField("Tier", [_plain], validate_choice=False)
    status = SelectField("Subscription", choices=_choices(STATUSES), default="")
    spent_from = StringField("Spent at least")
    spent_to = StringField("Spent at most")
    seen = SelectField("Last seen", choices=_choices(SEEN), default="")
    talked = SelectField("Last message", choices=_choices(TALKED), default="")
    quiet = SelectField("Leave out who was written to in the last", choices=_choices(QUIET), default="60")
    spare_live = BooleanField("Leave out who wrote within the last hour: they are in a conversation", default=True)
    name = StringField("Name", [InputRequired("Give it a name: only you see it"), Length(max=NAME_LENGTH), _plain])
    content = TextAreaField("Message")
    media = TextAreaField("Photos and videos")
    price = StringField("Price to unlock them")
    when = RadioField("When", choices=_choices({"now": "Now", "later": "Later"}), default="now")
    at = StringField("On")

    def validate_spent_from(self, field: StringField) -> None:
        """An amount, or nothing."""
        _cents(field.data)

    def validate_spent_to(self, field: StringField) -> None:
        """An amount that is not below the other."""
        high, low = _cents(field.data), self._spent_from()
        if high is not None and low is not None and high < low:
            raise ValidationError("This is less than the amount before it")

    def validate_content(self, field: TextAreaField) -> None:
        """Refuse what no way in accepts, in the same words; browsers' line ends become plain ones."""
        field.data = (field.data or "").replace("\r\n", "\n").strip()
        try:
            check_template(check_text(field.data))
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def validate_media(self, _field: TextAreaField) -> None:
        """One address a line."""
        if len(self.urls()) > MEDIA_MOST:
            raise ValidationError(f"At most {MEDIA_MOST} photos and videos fit into one message")
        try:
            for url in self.urls():
                check_url(url)
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def validate_price(self, field: StringField) -> None:
        """An amount that the platform takes, and only with media."""
        fault = price_fault(_cents(field.data) or 0, len(self.urls()))
        if fault is not None:
            raise ValidationError("A price needs a photo or a video" if "media" in fault else "Choose $3 to $200")

    def validate_at(self, _field: StringField) -> None:
        """A time to come, on the reader's clock."""
        due = self.due()
        if self.when.data == "later" and (due is None or due <= now()):
            raise ValidationError("Choose a time in the future")

    def due(self) -> datetime | None:
        """When it is to go, or None for now (or a time that can't be read)."""
        if self.when.data != "later":
            return None
        try:
            moment = datetime.fromisoformat(self.at.data or "")
            return moment.replace(tzinfo=moment.tzinfo or zone()).astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def segment_is_clear(self) -> bool:
        """Whether it can be said whom it is for, whatever the rest of the form holds; after validation."""
        return not any(self[name].errors for name in SEGMENT)

    def urls(self) -> list[str]:
        """The media's addresses."""
        return [line.strip() for line in (self.media.data or "").splitlines() if line.strip()]

    def attachments(self) -> tuple[dict[str, str], ...]:
        """The media as messages hold them; none while one of them isn't valid."""
        return () if self.media.errors else tuple(attachment_of(url) for url in self.urls())

    def price_cents(self) -> int:
        """The price; 0 for none, and for one that isn't valid."""
        return 0 if self.price.errors else _cents(self.price.data) or 0

    def segment(self) -> Segment:
        """Whom it is for, once the form is valid."""
        return Segment(
            tag=(self.tag.data or "").strip(),
            without_tag=(self.without_tag.data or "").strip(),
            tier=self.tier.data or "",
            status=self.status.data or "",
            spent_from=self._spent_from(),
            spent_to=_cents(self.spent_to.data),
            seen=int(self.seen.data) if self.seen.data else None,
            talked=int(self.talked.data) if self.talked.data else None,
            quiet_minutes=int(self.quiet.data),
            spare_live=self.spare_live.data,
        )

    def draft(self) -> Draft:
        """What they get, once the form is valid."""
        return Draft(
            text=self.content.data,
            priority=Priority.LOW,
            price_cents=self.price_cents(),
            attachments=self.attachments(),
            scheduled_at=self.due(),
        )

    def _spent_from(self) -> int | None:
        try:
            return _cents(self.spent_from.data)
        except ValidationError:
            return None
