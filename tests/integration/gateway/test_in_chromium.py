"""What a page of another origin can do and read, in a real browser: only a browser enforces CORS."""

import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import pytest
from playwright.async_api import async_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FETCH = """
    async ([url, options]) => {
        try {
            const response = await fetch(url, options);
            return [response.status, await response.text(), response.headers.get('retry-after')];
        } catch (error) { return [0, String(error), null]; }
    }
"""
TRACED = {
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate": "a=b",
    "baggage": "user=1",
    "cache-control": "no-cache",
    "x-requested-with": "XMLHttpRequest",
    "sentry-trace": "1-2-3",
}

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")


class Blank(BaseHTTPRequestHandler):
    """A client's site: an empty page."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A site</title>")

    def log_message(self, *_):
        """Log nothing."""


@pytest.fixture
async def page():
    with ThreadingHTTPServer(("127.0.0.1", 0), Blank) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = await browser.new_page()
            await page.goto(f"http://127.0.0.1:{site.server_port}/")
            yield page
            await browser.close()
        site.shutdown()


@pytest.fixture
async def key(running):
    return (await running.seed(f"c-{uuid4().hex}", "*")).publishable


async def fetched(page, running, path, **options):
    return await page.evaluate(FETCH, [running.url + path, options])


def asks(key, **headers):
    body = '{"message": "Is anybody there?"}'
    return {
        "method": "POST",
        "body": body,
        "headers": {"content-type": "application/json", "x-api-key": key, **headers},
    }


async def test_a_page_reads_why_it_was_refused(page, running, key, monkeypatch):
    async def breaks(*_, **__):
        raise KeyError("a bug")

    monkeypatch.setattr("gateway.endpoints.chat._ask", breaks)
    found = {
        401: await fetched(page, running, "/chat", **asks("pk_nobody_knows_this_one")),
        404: await fetched(page, running, "/nothing"),
        405: await fetched(page, running, "/chat", method="DELETE"),
        403: await fetched(page, running, f"/sessions/{uuid4()}/events", headers={"x-api-key": key}),
        500: await fetched(page, running, "/chat", **asks(key)),
    }

    assert {status: answer[0] for status, answer in found.items()} == {status: status for status in found}
    assert all('"detail"' in answer[1] for answer in found.values())


async def test_a_page_reads_that_its_ticket_is_invalid_and_when_to_retry_after_too_many_requests(page, running):
    ticket = {"authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.nothing"}
    events = f"/sessions/{uuid4()}/events"
    refused = await fetched(page, running, events, headers=ticket)
    for _ in range(400):
        flooded = await fetched(page, running, events, headers=ticket)
        if flooded[0] == 429:
            break

    assert (refused[0], flooded[0]) == (401, 429)
    assert int(flooded[2]) >= 1


async def test_a_traced_page_may_chat(page, running, key):
    status, body, _ = await fetched(page, running, "/chat", **asks(key, prefer="respond-async", **TRACED))

    assert (status, '"ticket"' in body) == (202, True)
