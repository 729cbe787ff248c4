"""What a site's database says in the end."""

import asyncio

import asyncpg

ROW_SECONDS = 20


async def fetch(site, query, *values):
    """The rows of a query."""
    connection = await asyncpg.connect(site.settings.database_url, ssl=False)
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def logged(site, *messages):
    """message id → its rows in `chat_logs`, once each has one."""
    async with asyncio.timeout(ROW_SECONDS):
        while True:
            rows = await fetch(site, "SELECT * FROM chat_logs WHERE message_id = ANY($1::uuid[])", list(messages))
            found = {message: [row for row in rows if str(row["message_id"]) == message] for message in messages}
            if all(found.values()):
                return found
            await asyncio.sleep(0.05)


async def counted(site):
    """(answers, failures, output tokens) of all that was counted."""
    (row,) = await fetch(
        site,
        "SELECT coalesce(sum(answers), 0), coalesce(sum(failures), 0), coalesce(sum(output_tokens), 0) FROM usage_stats",
    )
    return tuple(int(number) for number in row)
