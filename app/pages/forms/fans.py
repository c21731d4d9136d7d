"""Forms about fans: one of them as a whole, and a tag for many."""

from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from app.fans.service import Details
from app.imports import values
from app.messages.rules import UNPRINTABLE
from app.pages.forms.panel import TAG_LENGTH, FanForm
from app.pages.roster import STATUSES


class FanDetailsForm(FanForm):
    """Everything that people write about a fan; a field that isn't sent stays as it is."""

    name = StringField("Name")
    handle = StringField("Username")
    email = StringField("E-mail")
    tier = StringField("Tier")
    status = StringField("Status")

    def validate_name(self, field: StringField) -> None:
        """There must be one."""
        if field.raw_data and not _line(field, values.NAME_LENGTH):
            raise ValidationError("A fan needs a name.")

    def validate_handle(self, field: StringField) -> None:
        """Lower case, without `@`."""
        field.data = (field.data or "").strip()
        if field.data:
            try:
                field.data = values.handle(field.data)
            except values.BadCell as fault:
                raise ValidationError(f"A username {fault}.") from None

    def validate_email(self, field: StringField) -> None:
        """One that can exist, or none."""
        field.data = (field.data or "").strip()
        if field.data:
            try:
                values.email(field.data)
            except values.BadCell as fault:
                raise ValidationError(f"An e-mail address {fault}.") from None

    def validate_tier(self, field: StringField) -> None:
        """One short line."""
        _line(field, values.TIER_LENGTH)

    def validate_status(self, field: StringField) -> None:
        """One that there is."""
        if field.raw_data and field.data not in STATUSES:
            raise ValidationError("A fan is active or expired.")

    def details(self) -> Details:
        """What changes, once the form is valid."""
        changed = super().details()
        if self.name.raw_data:
            changed["name"] = self.name.data
        if self.handle.raw_data:
            changed["handle"] = self.handle.data or None
        if self.email.raw_data:
            changed["email"] = self.email.data or None
        if self.tier.raw_data:
            changed["tier"] = self.tier.data or None
        if self.status.raw_data:
            changed["status"] = self.status.data
        return changed


def _line(field: StringField, most: int) -> bool:
    field.data = (field.data or "").strip()
    try:
        return bool(values.line(field.data, most))
    except values.BadCell as fault:
        raise ValidationError(f"{field.label.text} {fault}.") from None


class TagForm(FlaskForm):  # type: ignore[misc]
    """A tag, and whom it is for: those who are named, or all who match."""

    word = StringField("Tag")
    fan = SelectMultipleField("Fans", coerce=str, validate_choice=False)
    everybody = BooleanField("All who match")

    def validate_word(self, field: StringField) -> None:
        """One tag, short, in one line."""
        field.data = " ".join((field.data or "").replace(",", " ").split())
        if not field.data or len(field.data) > TAG_LENGTH or UNPRINTABLE.search(field.data):
            raise ValidationError(f"A tag is 1 to {TAG_LENGTH} characters.")
