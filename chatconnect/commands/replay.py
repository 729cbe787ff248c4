"""`chatconnect replay`: makes a group read a topic again. Every handler is idempotent, so no figure changes (G12)."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chatconnect.commands.failure import fail
from chatconnect.commands.time_arguments import moment
from schemas.settings import Settings
from streams.admin.rewind import GroupInUseError, Move, plan, rewind
from streams.kafka.connection import KAFKA_ERRORS
from streams.topics import TOPICS


def replay(
    topic: Annotated[str, typer.Option(help="The topic, e.g. `chat.completed`.")],
    since: Annotated[str, typer.Option("--from", help="From this time (RFC 3339), or this long ago (`2h`).")],
    group: Annotated[str, typer.Option(help="The group, e.g. `chatconnect.conversation_log.chat.completed`.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be read again and do nothing.")] = False,
) -> None:
    """Move a consumer group back in time. Its workers must be stopped; they read again when they start."""
    found = next((one for one in TOPICS if one.name == topic), None)
    if found is None:
        raise typer.BadParameter(f"There is no topic named {topic}.")
    start = moment(since)
    assert start is not None
    settings = Settings()
    try:
        moves = asyncio.run(plan(settings, found, group, start))
        Console().print(_table(moves))
        if not dry_run:
            asyncio.run(rewind(settings, found, group, moves))
    except (*KAFKA_ERRORS, TimeoutError) as error:
        fail(f"Kafka at {settings.kafka_bootstrap_servers} cannot be used: {error!r}")
    except GroupInUseError as error:
        fail(str(error))
    print(f"{sum(move.records for move in moves)} records {'would be' if dry_run else 'will be'} read by {group}")


def _table(moves: list[Move]) -> Table:
    table = Table("partition", "committed", "moves to", "end", "records")
    for move in moves:
        before = "-" if move.before is None else str(move.before)
        table.add_row(str(move.partition), before, str(move.after), str(move.end), str(move.records))
    return table
