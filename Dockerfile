# The image of every process: web (its default), worker (python worker.py) and release (flask --app app db upgrade).
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin huntaze
WORKDIR /srv/huntaze
COPY --from=build /venv /venv
COPY config.py gunicorn.conf.py worker.py ./
COPY static static
COPY templates templates
COPY app app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 APP_ENV=production PORT=8000
RUN python -m compileall -q app config.py worker.py
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=4)"]
CMD ["gunicorn", "--config", "gunicorn.conf.py", "app:create_app()"]
