"""How the whole deployment runs: whether sending is on, whether somebody does it, how long the queue is."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.accounts.models import Role
from app.pages import parts
from app.pages.guard import closed_to_all_but

blueprint = Blueprint("operations", __name__)
closed_to_all_but(blueprint, Role.OPERATOR)


@blueprint.get("/operations")
def overview() -> ResponseReturnValue:
    """The state of the stop, the workers and the queue."""
    desk = parts.desk()
    return render_template(
        "operations/overview.html", enabled=desk.enabled(), active=desk.active(), depths=desk.queue_depths()
    )
