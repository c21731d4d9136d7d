"""The form of the side panel: what people keep about a fan."""

import re

from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import Length, ValidationError

from app.fans.service import Details
from app.messages.rules import UNPRINTABLE

TAG_LENGTH = 50
TAGS_MOST = 50
NOTES_LENGTH = 10_000


class FanForm(FlaskForm):  # type: ignore[misc]
    """Tags, separated by commas, and notes; a field that isn't sent stays as it is."""

    tags = StringField("Tags", [Length(max=TAGS_MOST * (TAG_LENGTH + 2), message="These are too many tags.")])
    notes = TextAreaField(
        "Notes", [Length(max=NOTES_LENGTH, message=f"Notes have at most {NOTES_LENGTH:,} characters.")]
    )

    def validate_tags(self, field: StringField) -> None:
        """A tag is short, one line, and named once."""
        found = self.tag_list()
        if len(found) > TAGS_MOST:
            raise ValidationError(f"A fan has at most {TAGS_MOST} tags.")
        if any(len(tag) > TAG_LENGTH for tag in found):
            raise ValidationError(f"A tag has at most {TAG_LENGTH} characters.")
        if UNPRINTABLE.search(field.data or ""):
            raise ValidationError("Tags must not hold control characters.")

    def validate_notes(self, field: TextAreaField) -> None:
        """Browsers' line ends become plain ones."""
        field.data = (field.data or "").replace("\r\n", "\n").strip()
        if UNPRINTABLE.search(field.data):
            raise ValidationError("Notes must not hold control characters.")

    def tag_list(self) -> list[str]:
        """The tags, each once, in the order in which they were written."""
        named = (re.sub(r"\s+", " ", tag).strip() for tag in (self.tags.data or "").split(","))
        return list(dict.fromkeys(tag for tag in named if tag))

    def details(self) -> Details:
        """What changes, once the form is valid."""
        changed: Details = {}
        if self.tags.raw_data:
            changed["tags"] = self.tag_list()
        if self.notes.raw_data:
            changed["notes"] = self.notes.data
        return changed

    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
