"""Writes `docs/configuration.md` from the settings class: `uv run python scripts/configuration.py`."""

import types
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from schemas.settings import Settings

PAGE = Path(__file__).parent.parent / "docs" / "configuration.md"
INTRODUCTION = """\
# Configuration: the environment variables

This page is written by `scripts/configuration.py` from `schemas/settings.py`; change it there.

The environment variables of ChatConnect are listed here, and every process is configured by them and by nothing else. \
There is no configuration file, and the names have no prefix. An empty variable counts as unset. \
`chatconnect dev` sets the ones it needs for the parts that it starts itself and writes the addresses and keys to \
`dev.env` in its data folder; a variable that you set yourself replaces the embedded part it names. \
So do not export the variables of a `dev.env` in the shell that you start `chatconnect dev` in: it would look for the \
parts of the earlier start instead of starting its own.
"""
SECTIONS = {
    "Which variables connect to Kafka?": ("kafka_",),
    "Which variables say where state is kept: Postgres, Redis, Qdrant, uploaded files?": (
        "database_url",
        "redis_url",
        "qdrant_",
        "uploads_url",
    ),
    "Which variables choose the models and the embeddings?": ("openai_", "anthropic_", "embeddings", "models_path"),
    "Which variable turns on text recognition (OCR)?": ("ocr_",),
    "Which variables set addresses, ports and secrets?": ("host", "port", "metrics_port", "internal_secret", "demo_"),
    "Which variables are about a process and its log?": ("instance_id", "log_"),
}
# Read by uvicorn itself.
OF_UVICORN = {
    "Which variables set addresses, ports and secrets?": (
        "* `FORWARDED_ALLOW_IPS` (default `127.0.0.1,::1`): Addresses or networks of the proxies in front of the "
        "gateway, with commas between them; from these alone `X-Forwarded-For` is believed. Set it behind a load "
        "balancer, or all visitors count as one address and share its limits. `*` believes anybody, who may then "
        "claim any address.\n"
    ),
}


def page() -> str:
    """The whole page. Raises `KeyError` for a setting that no section names."""
    fields = dict(Settings.model_fields)
    parts = [INTRODUCTION]
    for heading, prefixes in SECTIONS.items():
        names = [name for name in fields if name.startswith(prefixes)]
        parts.append(
            f"## {heading}\n\n"
            + "\n".join(_entry(name, fields.pop(name)) for name in names)
            + "\n"
            + OF_UVICORN.get(heading, "")
        )
    if fields:
        raise KeyError(f"no section of scripts/configuration.py names {', '.join(fields)}")
    return "\n".join(parts)


def _entry(name: str, field: FieldInfo) -> str:
    default = "unset" if field.default in (None, "") else f"default `{field.default}`"
    choices = _choices(field.annotation)
    one_of = f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else ""
    return f"* `{name.upper()}` ({default}): {field.description}{one_of}"


def _choices(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if isinstance(annotation, types.UnionType):
        return tuple(choice for part in get_args(annotation) for choice in _choices(part))
    return ()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.name}")
