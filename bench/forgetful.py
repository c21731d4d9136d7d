"""The product without what it keeps of its answers: what an answer costs that is made anew every time."""

from flask import Flask

from app import create_app as create_product
from app.api.kept import Answers


def create_app() -> Flask:
    """The product, keeping nothing."""
    app = create_product()
    app.extensions["kept_answers"] = Answers(most_bytes=0)
    return app
