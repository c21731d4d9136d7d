"""The sign-in forms."""

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length


class SignInForm(FlaskForm):  # type: ignore[misc]
    """E-mail address and password; what doesn't validate is answered as a wrong password is."""

    email = EmailField("E-mail address", [InputRequired(), Length(max=254)])
    password = PasswordField("Password", [InputRequired(), Length(max=1000)])


class CodeForm(FlaskForm):  # type: ignore[misc]
    """A code of the second factor."""

    code = StringField("Code", [InputRequired(), Length(max=40)])
