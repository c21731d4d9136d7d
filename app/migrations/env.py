"""Alembic's entry: runs the migrations on the app's own engine."""

from alembic import context
from flask import current_app

migrate = current_app.extensions["migrate"]
database = migrate.db
engine = database.engine

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=database.metadata,
        **migrate.configure_args,
    )
    with context.begin_transaction():
        context.run_migrations()
