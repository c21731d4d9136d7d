"""The composer's form."""

from flask_wtf import FlaskForm
from pydantic_core import PydanticCustomError
from wtforms import HiddenField, TextAreaField
from wtforms.validators import Regexp, ValidationError

from app.messages.rules import Draft, check_text

OUT_OF_DATE = "This page is out of date: load it again, then send."


class SendForm(FlaskForm):  # type: ignore[misc]
    """A message to be sent; `key` is made once per press, so that a doubled POST makes one message."""

    text = TextAreaField("Message")
    key = HiddenField(validators=[Regexp(r"^[A-Za-z0-9-]{8,64}$", message=OUT_OF_DATE)])

    def validate_text(self, field: TextAreaField) -> None:
        """Refuse what no way in accepts, in the same words; browsers' line ends become plain ones."""
        field.data = (field.data or "").replace("\r\n", "\n").strip()
        try:
            check_text(field.data)
        except PydanticCustomError as fault:
            raise ValidationError(fault.message()) from None

    def draft(self) -> Draft:
        """What the form holds, once it is valid."""
        return Draft(text=self.text.data)

    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)
