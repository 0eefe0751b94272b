"""Alembic's entry: runs the versions over the connection that `dam.schema` hands in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes.get("target_metadata"),
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
