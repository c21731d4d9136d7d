"""Static files: named after their content, so that browsers keep them for ever, and compressed once a process."""

import gzip
import hashlib
import mimetypes
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

NAMED = re.compile(r"(?P<stem>.+)\.(?P<digest>[0-9a-f]{12})(?P<suffix>\.[a-z0-9]+)")
FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"
TEXT = ("text/", "image/svg", "application/json")


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds; `zipped` is None where that saves nothing."""

    plain: bytes
    zipped: bytes | None
    digest: str
    kind: str


def init_app(app: Flask) -> None:
    """Serve `static/` this way, and teach templates where its files are."""
    app.view_functions["static"] = serve
    app.jinja_env.globals["static_url"] = static_url


def static_url(name: str) -> str:
    """The address of `static/<name>`: `app.css` is at `app.<12 hex digits>.css`, others whenever it changes."""
    stem, _, suffix = name.rpartition(".")
    digest = _content(Path(current_app.static_folder or "", name)).digest
    return url_for("static", filename=f"{stem}.{digest}.{suffix}")


def serve(filename: str) -> Response:
    """A file by its own name or by that of `static_url`; raises NotFound.

    A page from before a deployment asks for a name that is gone: it gets what the file holds now, not to be kept.
    """
    named = NAMED.fullmatch(filename)
    path = safe_join(current_app.static_folder or "", named["stem"] + named["suffix"] if named else filename)
    # A Path would raise for a name that is too long.
    if path is None or not os.path.isfile(path):
        raise NotFound
    content = _content(Path(path))
    zipped = content.zipped if request.accept_encodings.quality("gzip") else None
    response = Response(zipped or content.plain, mimetype=content.kind)
    response.headers["Cache-Control"] = FOREVER if named and named["digest"] == content.digest else ASK_FIRST
    response.set_etag(content.digest + ("-gzip" if zipped else ""))
    if content.zipped:
        response.vary.add("Accept-Encoding")
    if zipped:
        response.content_encoding = "gzip"
    response.make_conditional(request)
    return response


def _content(path: Path) -> Content:
    return _read(path, path.stat().st_mtime_ns)


@cache
def _read(path: Path, _changed: int) -> Content:
    plain = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    zipped = gzip.compress(plain, mtime=0) if kind.startswith(TEXT) else b""
    return Content(
        plain, zipped if 0 < len(zipped) < len(plain) else None, hashlib.sha256(plain).hexdigest()[:12], kind
    )
