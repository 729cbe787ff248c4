"""A browser at the dashboard, which keeps what went wrong in it."""

import shutil
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright

CHROMIUM = shutil.which("chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
RULES = """async () => (await axe.run({resultTypes: ['violations']}))
    .violations.map(rule => [rule.id, rule.nodes.map(node => node.html)])"""


@asynccontextmanager
async def browser():
    """Chromium; every `new_context` is another person."""
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield started
        finally:
            await started.close()


async def open_page(context):
    """A page whose `faults` are uncaught errors and errors of its console."""
    page = await context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
    return page


async def violations(page, installed):
    """What axe-core finds wrong for people who cannot see or cannot use a mouse."""
    await page.evaluate((installed / "node_modules" / "axe-core" / "axe.min.js").read_text())
    return await page.evaluate(RULES)
