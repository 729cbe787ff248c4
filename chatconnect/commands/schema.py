"""`chatconnect schema`: prints JSON Schemas, for people who write clients and producers."""

import json
from typing import Annotated

import typer

from schemas import shapes, sse


def schema(
    every_shape: Annotated[
        bool, typer.Option("--shapes", help="Every shape on the wire by name, for generators of code.")
    ] = False,
) -> None:
    """Print the JSON Schema of the server-sent events; docs/sse-events.schema.json is this output."""
    typer.echo(json.dumps(shapes.schema() if every_shape else sse.schema(), indent=2, ensure_ascii=False))
