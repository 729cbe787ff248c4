"""The demo page in a real browser: what a newcomer sees first."""

import shutil

import pytest
from playwright.async_api import async_playwright, expect

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ANSWER_MS = 30_000

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")


@pytest.fixture
async def page(stack):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page(viewport={"width": 1180, "height": 860})
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda message: page.faults.append(message.text) if message.type == "error" else None)
        await page.goto(stack.url)
        yield page
        await browser.close()


async def test_a_question_is_answered_with_sources_that_open(page):
    await page.get_by_role("button", name="What is ChatConnect?").click()
    turn = page.locator(".turn")
    await expect(turn).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)

    await expect(turn.locator(".question")).to_have_text("What is ChatConnect?")
    assert len((await turn.locator(".text").inner_text()).strip()) > 20
    source = turn.get_by_role("list", name="Sources").locator("details").first
    await source.locator("summary").click()
    await expect(source.locator("p")).not_to_be_empty()
    assert page.faults == []


async def test_the_keyboard_is_enough_and_a_second_question_continues_the_session(page):
    message = page.get_by_label("Your message")
    await expect(message).to_be_focused()
    for number, question in enumerate(("How do I upload a document?", "And how do I delete it?")):
        await message.fill(question)
        await message.press("Enter")
        state = page.locator(".turn").nth(number)
        await expect(state).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)
    await expect(page.locator("#state")).to_have_text("Connected")
    assert page.faults == []


async def test_a_reload_in_mid_answer_loses_nothing_and_a_new_chat_is_empty(page):
    await page.get_by_label("Your message").fill("What is ChatConnect?")
    await page.get_by_label("Your message").press("Enter")
    await expect(page.locator("#state")).to_have_text("Connected")
    await page.reload()
    turn = page.locator(".turn")
    await expect(turn).to_have_count(1, timeout=ANSWER_MS)
    await expect(turn).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)
    await expect(turn.locator(".question")).to_have_text("What is ChatConnect?")

    await page.get_by_role("button", name="New chat").click()
    await expect(turn).to_have_count(0)
    await expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()


async def test_the_key_is_on_the_page_and_no_secret_is(page, stack):
    source = await page.content()

    assert stack.publishable_key in source
    assert stack.secret_key not in source
    assert stack.environment["INTERNAL_SECRET"] not in source


async def test_a_second_tab_of_the_session_shows_what_the_first_one_asks(page, stack):
    message = page.get_by_label("Your message")
    await message.fill("What is ChatConnect?")
    await message.press("Enter")
    await expect(page.locator(".turn")).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)
    second = await (await page.context.browser.new_context()).new_page()
    await second.goto(stack.url)
    kept = await page.evaluate("sessionStorage.getItem('chatconnect')")
    await second.evaluate("kept => sessionStorage.setItem('chatconnect', kept)", kept)
    await second.reload()
    await expect(second.locator("#state")).to_have_text("Connected")
    await message.fill("How do I upload a document?")
    await message.press("Enter")

    await expect(second.locator(".turn").nth(1)).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)
    await expect(second.locator(".question")).to_have_text(["What is ChatConnect?", "How do I upload a document?"])


async def test_a_short_history_outage_loses_no_conversation(page):
    await page.get_by_label("Your message").fill("What is ChatConnect?")
    await page.get_by_label("Your message").press("Enter")
    turn = page.locator(".turn")
    await expect(turn).to_have_attribute("data-state", "completed", timeout=ANSWER_MS)
    refused = []

    async def refuse_once(route):
        refused.append(route.request.url)
        await (route.fulfill(status=503, body="away") if len(refused) == 1 else route.continue_())

    await page.route("**/messages*", refuse_once)
    await page.reload()

    await expect(turn.locator(".question")).to_have_text("What is ChatConnect?", timeout=ANSWER_MS)
    await expect(page.locator("#state")).to_have_text("Connected")
    assert len(refused) >= 2
