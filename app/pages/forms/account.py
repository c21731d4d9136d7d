"""The forms of the account page."""

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField
from wtforms.validators import DataRequired, EqualTo, Length

from app.messages.rules import UNPRINTABLE


def _trimmed(value: str | None) -> str:
    return " ".join(UNPRINTABLE.sub("", value or "").split())


class _Form(FlaskForm):  # type: ignore[misc]
    def faults(self) -> str:
        """Everything that is wrong, in one line."""
        return " ".join(str(message) for messages in self.errors.values() for message in messages)


class ConfirmForm(_Form):
    """The signed-in person's password, asked for again."""

    password = PasswordField("Your password", [DataRequired("Enter your password."), Length(max=1000)])


class PasswordForm(ConfirmForm):
    """Another password."""

    new = PasswordField("New password", [DataRequired("Enter a new password."), Length(max=1000)])
    again = PasswordField("The same again", [EqualTo("new", "The two new passwords differ.")])


class CodeForm(_Form):
    """The first code of a second factor."""

    code = StringField("Code", [DataRequired("Enter the code that the app shows."), Length(max=40)])


class TokenForm(ConfirmForm):
    """What a token is for."""

    name = StringField("Name", [DataRequired("Give the token a name."), Length(max=60)], filters=[_trimmed])
