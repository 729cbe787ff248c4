"""`chatconnect migrate`: migrates the database to the newest schema revision."""

import asyncio

import typer

from schemas.settings import Settings
from stores.migrations import upgrade
from stores.postgres.database import DATABASE_ERRORS


def migrate() -> None:
    """Migrate the schema of DATABASE_URL to the newest revision, in one transaction."""
    try:
        asyncio.run(upgrade(Settings().database_url))
    except DATABASE_ERRORS as error:
        typer.echo(f"The database of DATABASE_URL cannot be migrated: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo("the schema is at the newest revision")
