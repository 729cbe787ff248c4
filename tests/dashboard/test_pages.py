"""The pages in a real browser on the real stack: the brief's scenarios of tasks 3.1 and 3.2. Only models are mocks."""

import asyncio

import asyncpg
import pytest
from playwright.async_api import expect

from tests.dashboard.browser import DESK, NEEDS_CHROMIUM, PHONE, browser, open_page, violations
from tests.dashboard.conftest import start_dashboard
from tests.dashboard.paid_model import SENTENCE, paid_model
from tests.dashboard.people import PASSWORD, Person
from tests.e2e.pdf import two_pages
from tests.faults.conftest import question
from tests.support.patience import SECONDS

pytestmark = NEEDS_CHROMIUM

PAGES = ["Home", "Knowledge", "Try it", "Conversations", "Unanswered", "Usage", "Widget", "Keys", "Members"]
WAIT_MS = 30_000


class Owner:
    """Somebody at a page, whose clicks are counted."""

    def __init__(self, page):
        self.page, self.clicks = page, 0

    async def click(self, role, name, *, exact=True):
        await self.page.get_by_role(role, name=name, exact=exact).first.click()
        self.clicks += 1

    async def fill(self, label, value):
        await self.page.get_by_label(label, exact=True).fill(value)

    async def add(self, *files):
        async with self.page.expect_file_chooser() as chooser:
            await self.click("button", "Choose files")
        await (await chooser.value).set_files(files)

    async def see(self, text, within_ms=WAIT_MS):
        await expect(self.page.get_by_text(text).first).to_be_visible(timeout=within_ms)


def pdf(tmp_path, name="lighthouse.pdf", text="The lighthouse of Aldermoor opens at nine."):
    path = tmp_path / name
    path.write_bytes(two_pages(text, "Tickets for it cost eleven pounds."))
    return path


async def set_up(page, dashboard):
    """By the link of the log, as a first-time owner."""
    owner = Owner(page)
    await page.goto(f"{dashboard.address}/setup#{await dashboard.first_start()}")
    await owner.fill("Your name", "Olga Owner")
    await owner.fill("E-mail", "owner@example.com")
    await owner.fill("Password", PASSWORD)
    await owner.click("button", "Start")
    await expect(page.get_by_role("heading", name="Home")).to_be_visible()
    return owner


async def test_a_first_owner_has_an_answer_from_an_own_pdf_within_twelve_clicks(dashboard, tmp_path):
    async with browser() as started:
        page = await open_page(await started.new_context(viewport=DESK))
        owner = await set_up(page, dashboard)
        await owner.click("link", "Add a document")
        await owner.add(pdf(tmp_path))
        await expect(page.get_by_text("ready, 2 passages")).to_be_visible(timeout=WAIT_MS)
        await owner.click("link", "Try it")
        await owner.fill("Your question", "When does the lighthouse of Aldermoor open?")
        await owner.click("button", "Ask")
        await owner.see("enough evidence")
        await expect(page.get_by_label("Passages").get_by_text("opens at nine")).to_be_visible()

        assert owner.clicks <= 12
        assert page.faults == []


async def test_a_visitors_answer_is_a_conversation_and_usage(dashboard, http, site):
    """3.1: configuration, question, retrieval, the tier's model, the stream, the log, the sums."""
    key = {"x-api-key": site.keys.publishable}
    assert (await http.get("/api/widget/config", headers=key)).status_code == 200
    answer = await http.post("/api/widget/chat", json={"message": question("free")}, headers=key)
    assert answer.json()["model"] == "gpt-4o-mini"
    await http.post("/api/widget/chat", json={"message": "Who won the chess match?"}, headers=key)
    async with browser() as started:
        page = await open_page(await started.new_context(viewport=DESK))
        owner = await set_up(page, dashboard)
        await owner.click("link", "Conversations")
        await owner.click("link", question("free"))
        await expect(page.get_by_label("Sources")).to_be_visible()
        await owner.click("link", "Usage")
        await expect(page.get_by_role("cell", name="gpt-4o-mini")).to_be_visible()
        await expect(page.locator("figure canvas")).to_have_count(5)
        await owner.click("link", "Unanswered")
        await owner.click("button", "Add to the knowledge base")
        await owner.fill("Answer", "Ada Lindgren won the chess match.")
        await owner.click("button", "Add and ask again")
        await expect(page.get_by_text("Asked again, the answer is")).to_be_visible(timeout=WAIT_MS)
        assert page.faults == []


async def test_a_paid_client_gets_the_paid_model(installed, site):
    async with paid_model() as (url, asked):
        database = await asyncpg.connect(site.settings.database_url)
        await database.execute("UPDATE clients SET tier = 'paid'")
        await database.close()
        dashboard = await start_dashboard(installed, site, ANTHROPIC_API_KEY="sk-mock", ANTHROPIC_BASE_URL=url)
        async with Person(dashboard.address) as owner:
            await owner.set_up(await dashboard.first_start())
            trial = (await owner.post("/trials", json={"message": question("paid")})).json()

        assert asked == ["claude-sonnet-4-5"]
        assert trial["answer"]["reply"] == SENTENCE


async def test_two_people_see_the_same_document_come_and_go_and_a_viewer_may_not_touch_it(dashboard, tmp_path):
    async with browser() as started:
        page = await open_page(await started.new_context(viewport=DESK))
        owner = await set_up(page, dashboard)
        await owner.click("link", "Members")
        await owner.fill("E-mail", "viewer@example.com")
        await page.get_by_label("Role", exact=True).select_option("viewer")
        await owner.click("button", "Invite")
        link = await page.get_by_label("The link").inner_text()
        viewer = Owner(await open_page(await started.new_context(viewport=PHONE)))
        await viewer.page.goto(link)
        await viewer.fill("Your name", "Vera Viewer")
        await viewer.fill("Password", PASSWORD)
        await viewer.click("button", "Accept")
        await viewer.click("button", "Menu")
        await viewer.click("link", "Knowledge")
        await owner.click("link", "Knowledge")
        await owner.add(pdf(tmp_path), _broken(tmp_path), _no_document(tmp_path))
        for one in (owner, viewer):
            await one.see("ready, 2 passages")
            await expect(one.page.locator(".status.failed")).to_be_visible(timeout=WAIT_MS)
        await owner.see("Files of type .exe cannot be read")
        await expect(viewer.page.get_by_role("button", name="Delete")).to_have_count(0)
        await expect(viewer.page.get_by_role("link", name="Keys")).to_have_count(0)
        await owner.click("button", "Delete lighthouse.pdf")
        await owner.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
        for one in (owner, viewer):
            await expect(one.page.get_by_text("lighthouse.pdf").first).to_be_hidden(timeout=WAIT_MS)


def _broken(tmp_path):
    path = tmp_path / "broken.pdf"
    path.write_bytes(b"%PDF-1.4\n%nothing")
    return path


def _no_document(tmp_path):
    path = tmp_path / "tool.exe"
    path.write_bytes(b"MZ\0\0")
    return path


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
async def test_every_page_is_for_everybody(dashboard, installed, http, site, viewport, scheme):
    headers = {"x-api-key": site.keys.publishable}
    for message in (question("a"), "Who won the chess match?"):
        await http.post("/api/widget/chat", json={"message": message}, headers=headers)
    async with browser() as started:
        page = await open_page(await started.new_context(viewport=viewport, color_scheme=scheme))
        found = {}
        await page.goto(f"{dashboard.address}/sign-in")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        found["Sign in"] = await violations(page, installed)
        page.faults.clear()
        owner = await set_up(page, dashboard)
        for name in (*PAGES[1:], PAGES[0]):
            if viewport == PHONE:
                await owner.click("button", "Menu")
            await owner.click("link", name)
            heading = page.get_by_role("heading", level=1)
            await expect(heading).to_have_text(name)
            await expect(heading).to_be_focused()
            await expect(page.get_by_text("Loading…")).to_have_count(0)
            found[name] = await violations(page, installed)
            is_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            assert not await page.evaluate(is_wide), name

        assert {name: wrong for name, wrong in found.items() if wrong} == {}
        assert page.faults == []


async def test_what_is_away_is_said_and_nothing_is_lost(dashboard, site, tmp_path):
    async with browser() as started:
        page = await open_page(await started.new_context(viewport=DESK))
        owner = await set_up(page, dashboard)
        await owner.click("link", "Knowledge")
        await owner.see("ready")
        await site.parts["gateway"].kill()
        await owner.add(pdf(tmp_path))
        await owner.see("try again")
        await site.parts["gateway"].start()
        await owner.add(pdf(tmp_path))
        await owner.see("ready, 2 passages")
        await expect(page.locator(".documents strong", has_text="lighthouse.pdf")).to_have_count(2)
        await site.parts["dashboard"].kill()
        await owner.click("link", "Keys")
        await owner.see("This page cannot be loaded")
        await site.parts["dashboard"].start()
        await owner.click("button", "Try again")
        await owner.see("Valid keys")
        await site.parts["dashboard"].kill()
        await owner.fill("What it is for", "shop")
        await owner.click("button", "Make a key")
        await owner.see("The server cannot be reached")
        await site.parts["dashboard"].start()
        await owner.click("button", "Make a key")
        await owner.see("Copy it now")


async def test_a_server_that_is_killed_in_an_upload_leaves_no_half_document(dashboard, site):
    async with Person(dashboard.address) as owner:
        await owner.set_up(await dashboard.first_start())
        half, go_on = asyncio.Event(), asyncio.Event()

        async def body():
            yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="half.md"\r\n\r\n# Half\n'
            half.set()
            await go_on.wait()
            yield b"The end.\r\n--b--\r\n"

        headers = {"content-type": "multipart/form-data; boundary=b"}
        sending = asyncio.create_task(owner.post("/documents/upload", content=body(), headers=headers))
        await asyncio.wait_for(half.wait(), SECONDS)
        await dashboard.kill()
        go_on.set()
        await asyncio.wait([sending])
        assert sending.exception() is not None
        await dashboard.start()
        names = [one["filename"] for one in (await owner.get("/documents")).json()["documents"]]

    assert "half.md" not in names
