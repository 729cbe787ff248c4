"""A statement that every chat runs: built with SQLAlchemy, run by asyncpg itself at a third of the cost."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from pydantic_core import to_json
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg as dialects
from sqlalchemy.sql.compiler import SQLCompiler

from stores.postgres.connections import Connections


def _json_text(value: Any) -> str:
    try:
        return to_json(value).decode()
    except ValueError:
        # A lone surrogate: as an escape it reaches Postgres, which refuses the row.
        return json.dumps(value)


_DIALECT = dialects.dialect(json_serializer=_json_text)  # type: ignore[no-untyped-call]


class Statement:
    """Compiled once. Takes values as SQLAlchemy does, for JSON also Pydantic models; returns asyncpg's rows, with
    JSON as text.

    `columns` are those of an insert whose values are passed to `fetch`.
    """

    def __init__(self, core: ClauseElement, columns: Sequence[str] | None = None) -> None:
        compiled = core.compile(dialect=_DIALECT, column_keys=columns)
        assert isinstance(compiled, SQLCompiler)
        assert compiled.positiontup is not None
        binds = [(name, compiled.binds[name]) for name in compiled.positiontup]
        self._sql = str(compiled)
        self._fixed = {name: bind.value for name, bind in binds if not bind.required}
        self._parameters = [(name, bind.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) for name, bind in binds]

    async def fetch(self, connections: Connections, values: Mapping[str, Any]) -> list[asyncpg.Record]:
        """All rows. Raises one of `DATABASE_ERRORS`."""
        found = {**self._fixed, **values}
        arguments = [process(found[name]) if process else found[name] for name, process in self._parameters]
        return await connections.fetch(self._sql, arguments)

    async def fetch_one(self, connections: Connections, values: Mapping[str, Any]) -> asyncpg.Record | None:
        """The only row, or None. Raises one of `DATABASE_ERRORS`."""
        rows = await self.fetch(connections, values)
        return rows[0] if rows else None
