"""Where the platform tells what happens: the calls under /api/webhooks."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from embedded.platform import answers, clock
from embedded.platform.answers import Answer
from embedded.platform.pages import whole_number
from embedded.platform.post import ALL_EVENTS, Webhook
from embedded.platform.simulator import Call, Simulator

SCOPES = ("global", "inclusive", "exclusive")
SHOWN_DELIVERIES = 100


def list_webhooks(sim: Simulator, _call: Call) -> Answer:
    """List the team's webhooks."""
    return answers.data([_shape(one) for one in sim.post.webhooks.values()], paged=True)


def list_events(_sim: Simulator, _call: Call) -> Answer:
    """List what can be subscribed to."""
    return answers.data(list(ALL_EVENTS))


def create(sim: Simulator, call: Call) -> Answer:
    """Add a webhook."""
    errors = _errors(call.payload or {})
    if errors:
        return answers.invalid(errors)
    webhook_id = max(sim.post.webhooks, default=0) + 1
    return answers.data(_shape(sim.post.put(_read(Webhook(webhook_id, "", ()), call.payload or {}))))


def retrieve(sim: Simulator, call: Call) -> Answer:
    """Show one."""
    found = _find(sim, call)
    return answers.data(_shape(found)) if found else answers.not_found("Webhook")


def update(sim: Simulator, call: Call) -> Answer:
    """Change one; its secret stays unless another is given."""
    found, errors = _find(sim, call), _errors(call.payload or {})
    if found is None:
        return answers.not_found("Webhook")
    return answers.invalid(errors) if errors else answers.data(_shape(sim.post.put(_read(found, call.payload or {}))))


def delete(sim: Simulator, call: Call) -> Answer:
    """Take one out."""
    found = _find(sim, call)
    if found is None or not sim.post.remove(found.id):
        return answers.not_found("Webhook")
    return answers.data({"success": True})


def deliveries(sim: Simulator, call: Call) -> Answer:
    """List the newest deliveries of one, the newest first."""
    found = _find(sim, call)
    if found is None:
        return answers.not_found("Webhook")
    newest = [one for one in reversed(sim.post.deliveries) if one.webhook_id == found.id][:SHOWN_DELIVERIES]
    return answers.data(
        [
            {"event": one.event, "idempotency_key": one.key, "statuses": one.statuses, "created_at": clock.iso(one.at)}
            for one in newest
        ],
        paged=True,
    )


def _find(sim: Simulator, call: Call) -> Webhook | None:
    return sim.post.webhooks.get(whole_number(call.params["webhook"]) or 0)


def _errors(payload: Mapping[str, object]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    url, events = payload.get("endpoint_url"), payload.get("events")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        errors["endpoint_url"] = ["The endpoint_url must be a valid URL."]
    if not isinstance(events, list) or not events or not set(map(str, events)) <= set(ALL_EVENTS):
        errors["events"] = ["The events must be an array of available events."]
    if payload.get("account_scope") not in SCOPES:
        errors["account_scope"] = [f"The account_scope must be one of {', '.join(SCOPES)}."]
    elif payload["account_scope"] != "global" and not isinstance(payload.get("account_ids"), list):
        errors["account_ids"] = ["The account_ids field is required unless account_scope is global."]
    return errors


def _read(webhook: Webhook, payload: Mapping[str, Any]) -> Webhook:
    return replace(
        webhook,
        endpoint_url=payload["endpoint_url"],
        events=[str(event) for event in payload["events"]],
        account_scope=payload["account_scope"],
        account_ids=[str(one) for one in payload.get("account_ids") or ()],
        signing_secret=str(payload["signing_secret"]) if payload.get("signing_secret") else webhook.signing_secret,
        enabled=payload.get("enabled") is not False,
    )


def _shape(webhook: Webhook) -> dict[str, object]:
    return {
        "id": webhook.id,
        "endpoint_url": webhook.endpoint_url,
        "events": list(webhook.events),
        "account_scope": webhook.account_scope,
        "account_ids": list(webhook.account_ids),
        "has_signing_secret": webhook.signing_secret is not None,
        "enabled": webhook.enabled,
    }
