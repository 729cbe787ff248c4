"""A newcomer's five questions to the demo, answered from `docs/`."""

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from chatconnect.commands.ask import ask

QUESTIONS = [
    ("How do I start ChatConnect?", ["make dev"], "start.md"),
    ("What happens when a worker dies?", ["higher attempt"], "concepts.md"),
    ("How do I cancel an answer?", ["/cancel"], "concepts.md"),
    ("What if the port is in use?", ["--port"], "troubleshooting.md"),
    ("How do I connect to my own Kafka?", ["KAFKA_BOOTSTRAP_SERVERS"], "troubleshooting.md"),
]


@pytest.mark.parametrize(("question", "facts", "document"), QUESTIONS, ids=lambda value: str(value)[:30])
def test_the_demo_answers_a_newcomer(stack: Any, question: str, facts: list[str], document: str) -> None:
    app = typer.Typer()
    app.command()(ask)

    result = CliRunner().invoke(app, [question, "--json", "--url", stack.url, "--key", stack.publishable_key])

    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert all(fact in answer["text"] for fact in facts), answer["text"]
    assert document in {source["title"] for source in answer["sources"]}
