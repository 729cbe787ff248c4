"""`chatconnect dead-letters`: lists, replays and drops dead letters."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from chatconnect.commands.failure import fail
from chatconnect.commands.time_arguments import moment
from schemas.settings import Settings
from streams.dead_letters.log import DeadLetter, drop, read, replay
from streams.kafka.connection import KAFKA_ERRORS
from streams.publisher import Publisher, PublishError
from streams.topics import TOPICS

MAX_SHOWN_CHARACTERS = 80

app = typer.Typer(help="Records that handlers gave up: list, show, replay, drop.", no_args_is_help=True)

Topic = Annotated[str | None, typer.Option(help="Only of this topic, e.g. `chat.requested`.")]
Client = Annotated[str | None, typer.Option(help="Only of this client.")]
Key = Annotated[str | None, typer.Option(help="Only with this key (a session or a document).")]
Error = Annotated[str | None, typer.Option(help="Only those whose error contains this.")]
Since = Annotated[str | None, typer.Option(help="Only since this time (RFC 3339) or this long ago (`2h`).")]
Offset = Annotated[int | None, typer.Option(help="Only the one at this offset of the dead-letter topic.")]
All = Annotated[bool, typer.Option("--all", help="Also those that were replayed or dropped.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and do nothing.")]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters to select; None means any."""

    topic: str | None
    client: str | None
    key: str | None
    error: str | None
    since: datetime | None
    offset: int | None
    has_all: bool = False

    def matches(self, letter: DeadLetter) -> bool:
        """Whether the filter selects the letter."""
        return all(
            (
                self.has_all or letter.state == "dead",
                self.client in (None, letter.client_id),
                self.key is None or letter.key == self.key.encode(),
                self.error is None or self.error.lower() in letter.error.lower(),
                self.since is None or letter.died_at >= self.since,
                self.offset in (None, letter.offset),
            )
        )


@app.command("list")
def list_(
    topic: Topic = None,
    client: Client = None,
    key: Key = None,
    error: Error = None,
    since: Since = None,
    every: All = False,
) -> None:
    """A table of the dead letters."""
    letters = _found(Filter(topic, client, key, error, moment(since), None, every))
    Console().print(_table(letters))
    print(f"{len(letters)} dead letters")


@app.command()
def show(topic: Annotated[str, typer.Argument()], offset: Annotated[int, typer.Argument()]) -> None:
    """One dead letter in full: where it came from, its headers, its bytes."""
    letters = _found(Filter(topic, None, None, None, None, offset, has_all=True))
    if not letters:
        fail(f"There is no dead letter at offset {offset} of {topic}.dead.")
    for letter in letters:
        for name in ("state", "died_at", "origin", "group", "error", "attempts", "client_id", "key", "headers"):
            print(f"{name}: {getattr(letter, name)}")
        print((letter.value or b"").decode(errors="backslashreplace"))


@app.command("replay")
def replay_(
    topic: Topic = None, client: Client = None, key: Key = None, error: Error = None, since: Since = None,
    offset: Offset = None, dry_run: DryRun = False,
) -> None:  # fmt: skip
    """Put the exact records back on their topics, once the cause is fixed."""
    _apply(replay, "replayed", Filter(topic, client, key, error, moment(since), offset), dry_run)


@app.command("drop")
def drop_(
    topic: Topic = None, client: Client = None, key: Key = None, error: Error = None, since: Since = None,
    offset: Offset = None, dry_run: DryRun = False,
) -> None:  # fmt: skip
    """Mark them as dealt with; the bytes stay until the topic's retention removes them."""
    _apply(drop, "dropped", Filter(topic, client, key, error, moment(since), offset), dry_run)


T = TypeVar("T")
Action = Callable[[Publisher, DeadLetter], Coroutine[Any, Any, None]]


def _apply(action: Action, done: str, wanted: Filter, dry_run: bool) -> None:
    letters = _found(wanted)
    Console().print(_table(letters))
    if dry_run:
        print(f"{len(letters)} dead letters would be {done}")
        return
    _run(_each(action, letters))
    print(f"{len(letters)} dead letters {done}")


async def _each(action: Action, letters: list[DeadLetter]) -> None:
    async with Publisher(Settings()) as publisher:
        for letter in letters:
            await action(publisher, letter)


def _found(wanted: Filter) -> list[DeadLetter]:
    topics = [topic for topic in TOPICS if wanted.topic in (None, topic.name)]
    if not topics:
        fail(f"There is no topic named {wanted.topic}: choose one of {', '.join(topic.name for topic in TOPICS)}.")

    async def find() -> list[DeadLetter]:
        settings = Settings()
        return [letter for topic in topics for letter in await read(settings, topic) if wanted.matches(letter)]

    return _run(find())


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except (*KAFKA_ERRORS, PublishError, TimeoutError) as error:
        fail(f"Kafka at {Settings().kafka_bootstrap_servers} cannot be used: {error!r}")


def _table(letters: list[DeadLetter]) -> Table:
    table = Table("topic", "offset", "died at", "from", "client", "key", "tries", "state", "error", expand=False)
    for one in letters:
        key = (one.key or b"").decode(errors="backslashreplace")
        table.add_row(
            one.topic.name, str(one.offset), f"{one.died_at:%Y-%m-%d %H:%M:%S}Z", one.origin, one.client_id,
            key, str(one.attempts), one.state, one.error[:MAX_SHOWN_CHARACTERS],
        )  # fmt: skip
    return table
