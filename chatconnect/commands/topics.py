"""`chatconnect topics`: creates the topics that are missing."""

import asyncio

import typer

from schemas.settings import Settings
from streams.admin.topics import create_topics
from streams.kafka.connection import KAFKA_ERRORS


def topics() -> None:
    """Create the topics that are missing on KAFKA_BOOTSTRAP_SERVERS and list them."""
    settings = Settings()
    try:
        created = asyncio.run(create_topics(settings))
    except (*KAFKA_ERRORS, TimeoutError) as error:
        typer.echo(f"Kafka at {settings.kafka_bootstrap_servers} cannot be used: {error}", err=True)
        raise typer.Exit(1) from error
    for name in created:
        typer.echo(f"created {name}")
    typer.echo(f"{len(created)} created, the rest existed already")
