"""The measure: a Flask route that answers the same bytes as the API did, and asks nobody for them."""

import os
from pathlib import Path

from flask import Flask, Response


def create_app() -> Flask:
    """`/<name>` answers the file of that name in BENCH_BODIES."""
    app = Flask(__name__)
    bodies = {path.name: path.read_bytes() for path in Path(os.environ["BENCH_BODIES"]).iterdir()}

    @app.route("/<name>", methods=["GET", "POST"])
    def bare(name: str) -> Response:
        return Response(bodies[name], mimetype="application/json")

    return app
