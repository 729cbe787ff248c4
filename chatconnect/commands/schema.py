"""`chatconnect schema`: prints the JSON Schema of every SSE event, for people who write clients."""

import json

import typer

from schemas import sse


def schema() -> None:
    """Print the JSON Schema of the server-sent events; docs/sse-events.schema.json is this output."""
    typer.echo(json.dumps(sse.schema(), indent=2, ensure_ascii=False))
