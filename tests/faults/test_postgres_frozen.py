"""A Postgres that accepts connections and never answers."""

import asyncio
import time
from uuid import uuid4

import psutil

from stores.postgres.stale_cache import FRESH_SECONDS
from tests.faults.callers import connect, page, server


async def test_a_frozen_postgres_costs_a_request_two_seconds_and_no_more(site, postgres):
    await site.part("gateway").start()
    async with connect(site) as http:
        opened = await http.post("/chat", json={"message": "x"}, headers=page(site) | {"prefer": "respond-async"})
        visitor = {"authorization": f"Bearer {opened.json()['ticket']}"}
        assert (await http.get("/documents", headers=server(site))).status_code == 200
        session, message = opened.json()["sessionId"], opened.json()["messageId"]
        later = {"prefer": "respond-async"}
        named = {"message": "x", "sessionId": str(uuid4()), "messageId": str(uuid4())}
        requests = [
            ("POST", "/chat", page(site) | later, {"message": "x"}, 202),
            ("POST", "/chat", page(site) | later, named, 503),
            ("POST", "/chat", visitor | later, {"message": "x", "messageId": str(uuid4())}, 202),
            ("POST", "/chat", server(site) | later, named, 202),
            ("GET", f"/sessions/{session}/messages", visitor, None, 503),
            ("POST", f"/chat/{uuid4()}/feedback", visitor, {"rating": "up"}, 503),
            ("POST", f"/chat/{message}/cancel", visitor, {}, 202),
            ("GET", "/documents", server(site), None, 503),
            ("GET", "/health", {}, None, 503),
        ]
        # Each backend has its own process group, so every process is suspended on its own.
        processes = [own := psutil.Process(postgres.running.process.pid), *own.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            await asyncio.sleep(FRESH_SECONDS + 0.5)
            took = []
            for method, path, headers, body, status in requests:
                began = time.monotonic()
                answer = await http.request(method, path, headers=headers, json=body)
                took.append((round(time.monotonic() - began, 1), path))
                assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        finally:
            for process in processes:
                process.resume()

    assert max(took)[0] <= 2.5, took
