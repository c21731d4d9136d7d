"""An empty Flask route: what every request costs before it does anything."""

from flask import Flask

app = Flask(__name__)


@app.get("/empty")
def empty() -> tuple[str, int]:
    """Nothing."""
    return "", 204
