"""Addresses: ids in them, and which ones a sign-in may lead to."""

import re

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*)?(?:\?[A-Za-z0-9_=&.-]*)?")
LARGEST_ID = 2**63 - 1


def init_app(app: Flask) -> None:
    """Teach routes what an id is."""
    app.url_map.converters["id"] = IdConverter


class IdConverter(IntegerConverter):
    """`<id:…>`: a number that a database can hold, or the address doesn't exist."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=LARGEST_ID)


def read_id(text: str | None) -> int | None:
    """The id in a query's parameter, or None for what can't be one."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 20):
        return None
    number = int(text)
    return number if 0 < number <= LARGEST_ID else None


def local_path(wanted: str | None) -> str:
    """`wanted` when it is plainly a path of ours, else `/`."""
    return wanted if wanted and LOCAL_PATH.fullmatch(wanted) else "/"
