"""gunicorn's settings: threads, because requests wait for the database; a worker is renewed now and then."""

import os

bind = f"{os.environ.get('HOST', '0.0.0.0')}:{os.environ.get('PORT', '8000')}"  # noqa: S104 - behind a proxy
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 8
timeout = 30
graceful_timeout = 25
keepalive = 20
max_requests = 20_000
max_requests_jitter = 2_000
