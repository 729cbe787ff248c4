"""The demo page's client, and Chromium's own `EventSource`, against every recording."""

import base64
import json
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.contract.recorded import ALL
from tests.e2e.test_page import FLAGS

CHROMIUM = shutil.which("chromium")
PAGE = Path(__file__).parents[2] / "gateway" / "endpoints" / "demo.html"
EVENTS = ["accepted", "queued", "asked", "started", "sources", "delta", "completed", "failed", "cancelled", "snapshot"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")

# Distinct outcomes of one recording over two chunks cut at every byte, and of one byte at a time.
EVERY_CUT = """
(encoded) => {
  const body = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const outcome = (chunks) => {
    const wire = new Wire("", 1000), messages = {};
    let events = 0;
    for (const chunk of chunks) for (const frame of wire.feed(chunk)) {
      const data = JSON.parse(frame.data);
      events += 1;
      if (!("seq" in data)) continue;
      messages[data.messageId] ??= { attempt: 0, seq: -1, text: "", sources: [], state: "running" };
      fold(messages[data.messageId], frame.event, data);
    }
    const told = Object.entries(messages).map(([id, { text, state, attempt, sources }]) =>
      [id, { text, state, attempt, sources: sources.map((source) => source.n) }]);
    return JSON.stringify({ events, lastId: wire.lastId, retryMs: wire.retryMs, messages: Object.fromEntries(told) });
  };
  const outcomes = new Set([outcome([...body].map((byte) => Uint8Array.of(byte)))]);
  for (let cut = 0; cut <= body.length; cut++) outcomes.add(outcome([body.slice(0, cut), body.slice(cut)]));
  return [...outcomes];
}
"""

SHOWN = """
(encoded) => {
  const wire = new Wire("", 1000);
  const body = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  for (const frame of wire.feed(body)) take(frame.event, JSON.parse(frame.data));
  const shown = [...turns].map(([id, turn]) => [id, turn.element.querySelector(".text").textContent]);
  anew();
  return Object.fromEntries(shown);
}
"""

# The browser reconnects by itself with its last id.
NATIVE = """
(names) => Promise.all(names.map((name) => new Promise((done) => {
  const source = new EventSource(`/recordings/${name}`);
  const counted = { events: 0 };
  for (const event of EVENT_NAMES) source.addEventListener(event, () => { counted.events += 1; });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) done([name, counted.events]);
  });
})))
""".replace("EVENT_NAMES", json.dumps([*EVENTS, "progress"]))


@pytest.fixture
def server():
    """The page at `/`; a recording once, then 204, which ends a native `EventSource`."""
    came_back = {}
    bodies = {f"/recordings/{each.name}": each.body for each in ALL}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = bodies.pop(self.path, None) if self.path != "/" else PAGE.read_bytes()
            if body is None:
                came_back[self.path.rpartition("/")[2]] = self.headers.get("last-event-id")
            self.send_response(204 if body is None else 200)
            self.send_header("content-type", "text/html" if self.path == "/" else "text/event-stream")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/", came_back
        serving.shutdown()


@pytest.fixture
async def page(server):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(server[0])
        yield page
        await browser.close()


async def test_the_pages_client_assembles_every_answer_wherever_the_bytes_are_cut(page):
    for recording in ALL:
        expected = {name: value for name, value in recording.expected.items() if name != "lastIdWithData"}
        outcomes = await page.evaluate(EVERY_CUT, base64.b64encode(recording.body).decode())
        assert [json.loads(outcome) for outcome in outcomes] == [expected], recording.name


async def test_the_page_shows_every_answer(page):
    for recording in ALL:
        shown = await page.evaluate(SHOWN, base64.b64encode(recording.body).decode())
        # A known citation `[1]` is a button with the number alone.
        expected = {key: message["text"].replace("[1]", "1") for key, message in recording.expected["messages"].items()}
        assert shown == expected, recording.name


async def test_chromium_itself_reads_the_recordings_and_reconnects_with_the_last_id(page, server):
    counted = await page.evaluate(NATIVE, [each.name for each in ALL])

    assert dict(counted) == {each.name: each.expected["events"] for each in ALL}
    assert server[1] == {each.name: each.expected["lastId"] for each in ALL}
