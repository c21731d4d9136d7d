"""What is changed of a fan is changed in their conversation too: pages that show it must notice."""

from app.accounts.models import User
from app.conversations import service
from app.db import transaction
from app.fans import service as fans
from app.fans.models import Fan
from app.fans.service import Details


def change_fan(viewer: User, fan_id: int, details: Details) -> Fan:
    """Change what is given of a fan; raises NotFound, or Conflict when platform id or handle are taken."""
    with transaction():
        fan = fans.change(viewer, fan_id, details)
        service.fans_changed([fan.id])
        return fan
