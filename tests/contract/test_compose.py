import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.settings import Settings
from streams.kafka.connection import connection

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.kafka.yml"
SECRETS = ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "QDRANT_API_KEY")
DOCUMENTED = dict(re.findall(r"^#   export (\w+)=(\S+)$", COMPOSE.read_text(), re.MULTILINE))


@pytest.fixture
def services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def test_the_four_parts_are_pinned_checked_and_keep_their_data(services: dict[str, Any]) -> None:
    declared = set(yaml.safe_load(COMPOSE.read_text())["volumes"])

    assert set(services) == {"kafka", "postgres", "redis", "qdrant"}
    for name, service in services.items():
        assert re.fullmatch(r"[a-z/]+:v?\d+\.\d+(\.\d+)?", service["image"]), f"{name} is not pinned to a version"
        assert service["healthcheck"]["test"][0] == "CMD", f"{name} has no health check that runs without a shell"
        assert {volume.split(":")[0] for volume in service["volumes"]} <= declared, f"{name} keeps no named volume"


def test_ports_are_published_on_loopback_only(services: dict[str, Any]) -> None:
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])


@pytest.mark.parametrize(
    ("variable", "service"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka"),
        ("DATABASE_URL", "postgres"),
        ("REDIS_URL", "redis"),
        ("QDRANT_URL", "qdrant"),
    ],
)
def test_the_documented_address_is_the_published_one(services: dict[str, Any], variable: str, service: str) -> None:
    published = services[service]["ports"][0].rsplit(":", 1)[0]

    assert published in DOCUMENTED[variable]


def test_kafka_tells_clients_the_address_it_is_published_at(services: dict[str, Any]) -> None:
    advertised = services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]

    assert f"HOST://{DOCUMENTED['KAFKA_BOOTSTRAP_SERVERS']}" in advertised.split(",")


def test_the_documented_database_is_the_one_that_is_made(services: dict[str, Any]) -> None:
    made = services["postgres"]["environment"]
    user, database = made["POSTGRES_USER"], made["POSTGRES_DB"]

    assert DOCUMENTED["DATABASE_URL"] == f"postgresql://{user}:$POSTGRES_PASSWORD@127.0.0.1:5432/{database}"


@pytest.mark.parametrize("secret", SECRETS)
def test_services_with_data_require_a_secret(secret: str) -> None:
    given = {name: "given" for name in SECRETS if name != secret}

    assert f"${{{secret}:?" in COMPOSE.read_text()
    assert f"export {secret}=" in COMPOSE.read_text() or f" {secret}=$(openssl" in COMPOSE.read_text()
    if compose := _compose():
        checked = _checked(compose, given)
        assert checked.returncode != 0
        assert secret in checked.stderr


def test_every_documented_variable_is_a_setting() -> None:
    settings = Settings(**{name.lower(): value for name, value in DOCUMENTED.items()})

    assert set(map(str.lower, DOCUMENTED)) <= set(Settings.model_fields)
    assert connection(settings)["bootstrap_servers"] == "127.0.0.1:9092"


def test_compose_itself_accepts_the_file() -> None:
    compose = _compose()
    if compose is None:
        pytest.skip("there is no docker compose on this machine")

    checked = _checked(compose, dict.fromkeys(SECRETS, "given"))

    assert checked.returncode == 0, checked.stderr


def _compose() -> list[str] | None:
    return next((one for one in (["docker", "compose"], ["docker-compose"]) if _runs(one)), None)


def _checked(compose: list[str], secrets: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in SECRETS}
    command = [*compose, "-f", str(COMPOSE), "config", "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=kept | secrets)


def _runs(compose: list[str]) -> bool:
    return bool(shutil.which(compose[0])) and not subprocess.run([*compose, "version"], capture_output=True).returncode
