"""`shared/schema-v2.ts` against a database that Alembic has migrated."""

import json
import subprocess

import asyncpg

OWN_OF_PYTHON = {"answer_attempts", "sessions", "alembic_version"}
COLUMNS = """
SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    NOT a.attnotnull AS nullable, a.atthasdef AS has_default
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, a.attnum
"""
KEYS = """
SELECT c.relname AS table, array_agg(a.attname ORDER BY array_position(i.indkey::int2[], a.attnum)) AS key
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey) WHERE i.indisprimary GROUP BY 1
"""


async def test_every_column_is_as_alembic_made_it(installed, database_url):
    printed = subprocess.run(
        [installed / "node", "scripts/tables.ts"], cwd=installed, capture_output=True, text=True, timeout=60, check=True
    )
    ours = {table["name"]: table for table in json.loads(printed.stdout)}
    database = await asyncpg.connect(database_url)
    columns, keys = await database.fetch(COLUMNS), await database.fetch(KEYS)
    await database.close()
    theirs: dict[str, set[tuple]] = {}
    for row in columns:
        theirs.setdefault(row["table"], set()).add((row["name"], row["type"], row["nullable"], row["has_default"]))

    assert theirs.keys() - OWN_OF_PYTHON == ours.keys()
    for name, table in ours.items():
        described = {
            (one["name"], _postgres_type(one["type"]), one["nullable"], one["hasDefault"]) for one in table["columns"]
        }
        assert described == theirs[name], name
    found = {row["table"]: row["key"] for row in keys}
    assert {name: table["key"] for name, table in ours.items()} == {name: found[name] for name in ours}


def _postgres_type(drizzle: str) -> str:
    return {"numeric(14, 8)": "numeric(14,8)"}.get(drizzle, drizzle)
