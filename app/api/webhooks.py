"""What the platform tells us: signed over the raw body, written down at once, worked off in the background."""

import hashlib
import hmac
import re

from flask import Blueprint, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.api.contract import contract, settings
from app.api.reading import LARGEST_BODY
from app.api.schemas.base import Done
from app.api.schemas.webhooks import WebhookBody
from app.errors import NotSignedIn
from app.inbound import service
from app.inbound.service import Told

blueprint = Blueprint("api_webhooks", __name__, url_prefix="/api/onlyfans/webhooks")
SIGNATURE, KEY_HEADER = "Signature", "X-OFAPI-Idempotency-Key"
KEY = re.compile(r"[!-~]{1,255}")
# The platform comes from few addresses, for all its accounts.
LIMIT = "120000 per minute"


@blueprint.before_request
def check_signature() -> None:
    """Raises NotSignedIn unless one of the secrets signed the body; without any, only development takes it."""
    request.max_content_length = LARGEST_BODY + 1
    raw = request.get_data(cache=True)
    if len(raw) > LARGEST_BODY:
        raise RequestEntityTooLarge
    given = settings()
    secrets = [secret for secret in (given.webhook_secret, given.webhook_previous_secret) if secret]
    if not secrets and not given.production:
        return
    signature = request.headers.get(SIGNATURE, "").strip().encode("utf-8", "replace")
    # All are compared: how long it takes says nothing about which one it was.
    fitting = [hmac.compare_digest(_sign(secret, raw), signature) for secret in secrets]
    if True not in fitting:
        current_app.logger.warning("webhook_refused", extra={"signed": bool(signature), "bytes": len(raw)})
        raise NotSignedIn("The signature is missing or wrong")


def _sign(secret: str, raw: bytes) -> bytes:
    return hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest().encode()


@blueprint.post("")
@contract(
    "Take an event from the platform",
    answers={200: Done},
    limit=LIMIT,
    bearer=False,
    refusals={401: "The signature is missing or wrong"},
)
def receive_webhook(body: WebhookBody) -> Done:
    """For the platform alone. `Signature` is the lower-case hex HMAC-SHA256 of the raw body, keyed by WEBHOOK_SECRET
    (or, while it is changed, WEBHOOK_PREVIOUS_SECRET). Events with the same `X-OFAPI-Idempotency-Key` are one. Unknown
    events are kept, and change nothing."""
    key = request.headers.get(KEY_HEADER, "").strip()
    service.accept(Told(body.event, body.account_id, body.payload, key if KEY.fullmatch(key) else None))
    return Done()
