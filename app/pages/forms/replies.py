"""The form of a saved reply."""

import re

from flask_wtf import FlaskForm
from pydantic_core import PydanticCustomError
from wtforms import StringField, TextAreaField
from wtforms.validators import ValidationError

from app.campaigns.rules import check_template
from app.conversations.models import SHORTCUT_LENGTH
from app.messages.rules import check_text

SHORTCUT = re.compile(rf"[a-z0-9-]{{1,{SHORTCUT_LENGTH}}}")


class ReplyForm(FlaskForm):  # type: ignore[misc]
    """A text and the word that inserts it."""

    shortcut = StringField("Shortcut")
    text = TextAreaField("Text")

    def validate_shortcut(self, field: StringField) -> None:
        """Lower case, without the `/` that is typed before it."""
        field.data = (field.data or "").strip().removeprefix("/").lower()
        if not SHORTCUT.fullmatch(field.data):
            raise ValidationError(f"A shortcut is 1 to {SHORTCUT_LENGTH} letters, digits and hyphens.")

    def validate_text(self, field: TextAreaField) -> None:
        """What can't be sent isn't saved; placeholders are those of campaigns."""
        field.data = (field.data or "").replace("\r\n", "\n").strip()
        try:
            check_template(check_text(field.data))
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
