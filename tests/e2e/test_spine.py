"""The whole stack from a user's view: a real PDF in, a cited answer out, and the guarantees around it."""

import asyncio
import json
import subprocess
import sys
from uuid import uuid4

import asyncpg
import httpx
import pytest

from chatconnect.client.answer import Answer
from chatconnect.client.sse_parser import SseParser
from stores.postgres.clients import Client, Clients, Keys
from stores.postgres.database import create_engine
from tests.conftest import SHARED_DATA
from tests.e2e.pdf import two_pages

REAL_PDF = SHARED_DATA / "files" / "py-pdf__sample-files" / "google-doc-document.pdf"
OTHER = Keys("pk_second_client", "sk_second_client")
QUESTION = "Which colour do the quokkas of Rottnest paint their lighthouse?"


def cli(stack, *arguments):
    """`chatconnect …` against the stack."""
    return subprocess.run(
        [sys.executable, "-m", "chatconnect", *arguments], capture_output=True, text=True, timeout=120, check=False,
        env={**stack.environment, "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    )  # fmt: skip


def ask(stack, question, key=None):
    asked = cli(stack, "ask", question, "--json", "--key", key or stack.publishable_key, "--url", stack.url)
    assert asked.returncode == 0, asked.stderr
    return json.loads(asked.stdout)


@pytest.fixture(scope="module")
def pdf(stack, tmp_path_factory):
    """An ingested PDF whose page 2 answers the question."""
    path = tmp_path_factory.mktemp("pdf") / "quokkas.pdf"
    path.write_bytes(
        two_pages(
            "Chapter one is about trains and timetables.", "The quokkas of Rottnest paint their lighthouse purple."
        )
    )
    ingested = cli(stack, "ingest", str(path), "--key", stack.secret_key, "--url", stack.url)
    assert ingested.returncode == 0, ingested.stdout + ingested.stderr
    return path


async def rows(stack, query, *values):
    connection = await asyncpg.connect(stack.environment["DATABASE_URL"])
    try:
        return await connection.fetch(query, *values)
    finally:
        await connection.close()


async def test_the_answer_names_the_file_and_the_page_and_is_recorded(stack, pdf):
    answer = await asyncio.to_thread(ask, stack, QUESTION)
    async with asyncio.timeout(20):
        while not (logged := await rows(stack, "SELECT * FROM chat_logs WHERE message_id = $1", answer["messageId"])):
            await asyncio.sleep(0.05)
    usage = await rows(stack, "SELECT sum(answers) AS answers FROM usage_stats WHERE client_id = 'demo'")
    total = await rows(stack, "SELECT count(*) AS answers FROM chat_logs WHERE client_id = 'demo'")

    assert "purple" in answer["text"]
    assert (answer["sources"][0]["title"], answer["sources"][0]["page"]) == ("quokkas.pdf", 2)
    assert logged[0]["answer"] == answer["text"]
    assert usage[0]["answers"] == total[0]["answers"]


@pytest.mark.shared_data
def test_a_real_pdf_is_answered_from_with_its_page(stack):
    ingested = cli(stack, "ingest", str(REAL_PDF), "--key", stack.secret_key, "--url", stack.url)
    assert ingested.returncode == 0, ingested.stdout + ingested.stderr

    answer = ask(stack, "What is better than complicated?")

    named = [source for source in answer["sources"] if source["title"] == REAL_PDF.name]
    assert named
    assert named[0]["page"] == 1
    assert "Complex is better than complicated" in answer["text"]


async def test_another_clients_key_finds_nothing_of_it(stack, pdf):
    engine = create_engine(stack.environment["DATABASE_URL"])
    try:
        await Clients(engine).ensure(Client("second", "Second", "free", ("*",)), OTHER)
    finally:
        await engine.dispose()

    answer = await asyncio.to_thread(ask, stack, QUESTION, OTHER.publishable)

    assert answer["sources"] == []
    assert answer["finishReason"] == "no_answer"
    assert "purple" not in answer["text"]


async def test_a_dropped_stream_resumes_where_it_was(stack, pdf):
    session, message = f"s-{uuid4()}", str(uuid4())
    headers = {"authorization": f"Bearer {stack.secret_key}"}
    body = {"message": QUESTION, "sessionId": session, "messageId": message}
    answer, parser, last_id = Answer(message), SseParser(), ""
    async with httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=30, trust_env=False) as http:
        async with http.stream("POST", "/chat/stream", json=body) as response:
            async for chunk in response.aiter_bytes(64):
                for frame in parser.feed(chunk):
                    answer.apply(frame.event, json.loads(frame.data))
                if answer.text:
                    break
        last_id, cut, parser = parser.last_id, answer.text, SseParser()
        resume = {"last-event-id": last_id}
        async with http.stream("GET", f"/sessions/{session}/events", headers=resume) as response:
            async for chunk in response.aiter_bytes():
                for frame in parser.feed(chunk):
                    answer.apply(frame.event, json.loads(frame.data))
                if answer.is_ended:
                    break
        async with asyncio.timeout(10):
            while not (history := (await http.get(f"/sessions/{session}/messages")).json())["messages"]:
                await asyncio.sleep(0.05)

    assert cut != answer.text
    assert history["messages"][0]["answer"] == answer.text


@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("POST", "/chat", {}, b"{", 400),
        ("POST", "/chat", {}, b"", 422),
        ("POST", "/chat", {}, b'{"message": ""}', 422),
        ("POST", "/chat", {}, b'{"message": "' + b"x" * 1_000_000 + b'"}', 413),
        ("POST", "/chat", {"x-api-key": "pk_nobody"}, b'{"message": "hello"}', 401),
        ("GET", "/documents/doc_unknown/status", {}, b"", 404),
        ("GET", "/nowhere", {}, b"", 404),
        ("PUT", "/chat", {}, b"", 405),
    ],
)  # fmt: skip
def test_bad_input_is_a_problem_document_and_nothing_hangs(stack, method, path, headers, content, status):
    key = {} if headers else {"authorization": f"Bearer {stack.secret_key}"}
    response = httpx.request(
        method, stack.url + path, headers={**key, **headers, "content-type": "application/json"}, content=content,
        timeout=10, trust_env=False,
    )  # fmt: skip

    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.json()["detail"].endswith(".")


def test_files_that_cannot_be_read_fail_with_a_reason(stack, tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 this is none")
    (tmp_path / "good.txt").write_text("Wombats sleep sixteen hours a day.")

    ingested = cli(stack, "ingest", str(tmp_path), "--key", stack.secret_key, "--url", stack.url, "--json")

    assert ingested.returncode != 0
    by_name = {line["path"].rsplit("/", 1)[-1]: line for line in json.loads(ingested.stdout)["documents"]}
    assert by_name["good.txt"]["status"] == "ready"
    assert by_name["broken.pdf"]["status"] == "failed"
    assert by_name["broken.pdf"]["reason"].endswith(".")


def test_the_first_start_says_which_model_answers(stack):
    output = "".join(stack.output)

    assert "answers: extractive" in output
    assert f"ready {stack.url}\n" in output
