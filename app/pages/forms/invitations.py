"""The forms behind an invitation."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import DataRequired, Length, Regexp

from app.messages.rules import UNPRINTABLE

EMAIL = Regexp(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z", message="Enter an e-mail address.")


def _trimmed(value: str | None) -> str:
    return " ".join(UNPRINTABLE.sub("", value or "").split())


class AcceptForm(FlaskForm):  # type: ignore[misc]
    """Nothing but the press of a button."""


class JoinForm(FlaskForm):  # type: ignore[misc]
    """Who joins."""

    name = StringField("Your name", [DataRequired("Enter your name."), Length(max=100)], filters=[_trimmed])
    email = EmailField("E-mail address", [DataRequired("Enter an e-mail address."), Length(max=254), EMAIL])
    password = PasswordField("Password", [DataRequired("Choose a password."), Length(max=1000)])
