"""Uploads: into the vault, where ids can be used again, or for one message only."""

from urllib.parse import urlsplit

from embedded.platform import answers, clock, pages, shapes
from embedded.platform.answers import Answer
from embedded.platform.simulator import Call, Simulator
from embedded.platform.state import Medium


def upload(sim: Simulator, call: Call) -> Answer:
    """Take a file, or a URL to fetch it from, for one message."""
    return answers.bare(shapes.single_use_medium(_store(sim, call, in_vault=False)))


def upload_to_vault(sim: Simulator, call: Call) -> Answer:
    """Take a file, or a URL to fetch it from, into the vault."""
    return answers.data(shapes.vault_medium(_store(sim, call, in_vault=True)))


def vault(sim: Simulator, call: Call) -> Answer:
    """List the vault, newest first."""
    known = sorted((m for m in _all(sim, call) if m.in_vault), key=lambda medium: -medium.id)
    page, next_page = pages.by_offset(call, known, default=24, most=100, with_ghosts=False)
    value = {"list": [shapes.vault_medium(medium) for medium in page], "hasMore": next_page is not None}
    return answers.data(value)


def vault_item(sim: Simulator, call: Call) -> Answer:
    """Answer one file of the vault."""
    found = sim.state.media.get(call.account, {}).get(pages.whole_number(call.params["media"]) or 0)
    return answers.data(shapes.vault_medium(found)) if found is not None else answers.not_found("Media")


def _all(sim: Simulator, call: Call) -> list[Medium]:
    return list(sim.state.media.get(call.account, {}).values())


def _store(sim: Simulator, call: Call, in_vault: bool) -> Medium:
    source, has_file = (call.payload or {}).get("file_url"), "file" in (call.payload or {})
    if not has_file and not (isinstance(source, str) and _is_url(source)):
        raise pages.BadQuery("file_url", "must be a valid URL, or a file must be given.")
    medium = Medium(sim.state.next_medium_id(), call.account, str(source or "file"), clock.now(), in_vault)
    return sim.state.put_medium(medium)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
