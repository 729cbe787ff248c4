"""All log lines have one format, our own and those of libraries."""

import json
import logging

import pytest
import structlog

from chatconnect import logs


@pytest.fixture(autouse=True)
def _restored():
    """Restores the process-wide logging configuration."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def _lines(capsys) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def _raised() -> ZeroDivisionError:
    secret = "a visitor's words"
    try:
        len(secret) / 0
    except ZeroDivisionError as error:
        return error


def test_json_lines_carry_the_bound_context(capsys):
    """Our lines and a library's have level, logger, time and the bound context."""
    logs.configure("json", "info")
    structlog.contextvars.bind_contextvars(message_id="m1")
    structlog.get_logger("ours").info("answer_started", model="extractive")
    logging.getLogger("uvicorn.error").info("listening", extra={"color_message": "\x1b[1m"})
    ours, theirs = _lines(capsys)

    assert {"event": "answer_started", "model": "extractive", "message_id": "m1"}.items() <= ours.items()
    assert {"event": "listening", "message_id": "m1", "logger": "uvicorn.error"}.items() <= theirs.items()
    assert ours.keys() >= {"level", "timestamp", "logger"}
    assert "color_message" not in theirs


def test_lines_below_the_level_are_not_written(capsys):
    """Neither ours nor a library's."""
    logs.configure("json", "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("somebody").info("quiet")

    assert _lines(capsys) == []


def test_exceptions_are_part_of_the_line(capsys):
    """A traceback stays on one line and contains no local variables, which may hold a visitor's text."""
    logs.configure("json", "info")
    structlog.get_logger().error("went_wrong", exc_info=_raised())
    (line,) = _lines(capsys)

    assert line["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert "a visitor" not in json.dumps(line)


def test_auto_is_json_without_a_terminal(capsys):
    """In this test stderr is not a terminal."""
    logs.configure("auto", "info")
    structlog.get_logger().info("hello")

    assert _lines(capsys)[0]["event"] == "hello"


def test_console_lines_are_human_readable(capsys):
    """When configured, even without a terminal."""
    logs.configure("console", "info")
    structlog.get_logger().info("hello", model="extractive")
    structlog.get_logger().error("went_wrong", exc_info=_raised())
    output = capsys.readouterr().err

    assert "hello" in output
    assert "model=extractive" in output
    assert "a visitor" not in output.replace('secret = "a visitor\'s words"', "")
