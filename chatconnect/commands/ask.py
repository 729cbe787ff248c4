"""`chatconnect ask`: asks one question, streams the answer, lists its sources."""

import json
from contextlib import suppress
from typing import Annotated, Any, NoReturn

import httpx
import typer

from chatconnect.client import api
from chatconnect.client.answer import Answer
from chatconnect.client.answer_stream import AnswerStream, Question
from chatconnect.client.sse_parser import WireError

INTERRUPTED = 130
_PRINTABLE = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    url: Annotated[str | None, typer.Option(help="The gateway; else GATEWAY_URL, else the last one started.")] = None,
    key: Annotated[str | None, typer.Option(help="A pk_ or sk_ key; else CLIENT_API_KEY, else the demo's.")] = None,
    session: Annotated[str | None, typer.Option(help="Continue this session.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Ask a question; the answer is streamed here and its sources are listed."""
    asked = Question(question, session) if session else Question(question)
    try:
        # A session opened with a ticket is closed to publishable keys but not to the client's secret key.
        access = api.access(url, key, "CLIENT_SECRET_KEY" if session else "CLIENT_API_KEY")
        answer = _follow(access, asked, is_quiet=as_json)
    except (api.ApiError, api.BusyError, WireError) as error:
        _fail(str(error))
    if answer.state != "completed":
        _fail(answer.failure or f"The answer was {answer.state}.")
    if as_json:
        typer.echo(json.dumps(_facts(answer, asked), ensure_ascii=False))
    else:
        _print_sources(answer, asked)


def _follow(access: api.GatewayAccess, asked: Question, *, is_quiet: bool) -> Answer:
    transcript = Transcript()
    with httpx.Client(base_url=access.url, timeout=api.timeout(), trust_env=not access.is_loopback) as http:
        stream = AnswerStream(http, access, asked)
        try:
            for answer in stream:
                if not is_quiet:
                    transcript.show(answer.text)
                    transcript.wait(stream.position if answer.state == "waiting" else None)
            if is_quiet and stream.answer.state == "completed" and stream.answer.usage is None:
                stream.complete()
        except KeyboardInterrupt:
            with suppress(httpx.HTTPError):
                stream.cancel()
            raise typer.Exit(INTERRUPTED) from None
        finally:
            transcript.close()
    return stream.answer


class Transcript:
    """Writes a growing text to stdout; a text that was replaced starts on a new line, with a note on stderr."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, text: str) -> None:
        """Print what is new since the last call, at once."""
        if not text.startswith(self._shown):
            self.close()
            typer.secho("The answer starts again:", err=True, dim=True)
            self._shown = ""
        typer.echo(plain(text[len(self._shown) :]), nl=False)
        self._shown = text

    def wait(self, position: int | None) -> None:
        """Print the question's position in line."""
        if position is not None:
            typer.secho(f"You are number {position} in line.", err=True, dim=True)

    def close(self) -> None:
        """End an unfinished line."""
        if self._shown and not self._shown.endswith("\n"):
            typer.echo()


def plain(text: str) -> str:
    """Without control characters: a document's text must not control the terminal."""
    return text.translate(_PRINTABLE)


def place(source: dict[str, Any]) -> str:
    """A source's position in its document."""
    if source.get("pageEnd") is not None:
        return f", pages {source['page']}–{source['pageEnd']}"
    for name in ("page", "row"):
        if source.get(name) is not None:
            return f", {name} {source[name]}"
    return f" › {source['heading']}" if source.get("heading") else ""


def _print_sources(answer: Answer, asked: Question) -> None:
    if answer.sources:
        typer.secho("\nSources", bold=True)
    for source in answer.sources:
        is_cited = source["n"] in answer.citations
        typer.secho(
            f"  [{source['n']}] {plain(source['title'] + place(source))}", dim=bool(answer.citations) and not is_cited
        )
    typer.secho(f'\nTo go on: chatconnect ask --session {asked.session_id} "…"', err=True, dim=True)


def _facts(answer: Answer, asked: Question) -> dict[str, Any]:
    return {
        "messageId": answer.message_id,
        "sessionId": asked.session_id,
        "text": answer.text,
        "sources": answer.sources,
        "usage": answer.usage,
        "model": answer.model,
        "finishReason": answer.finish_reason,
    }


def _fail(sentence: str) -> NoReturn:
    typer.echo(plain(sentence), err=True)
    raise typer.Exit(1)
