import ssl

import pytest

from schemas.settings import Settings
from streams.consuming.broker import create_broker
from streams.kafka.connection import connection


def test_plain_is_the_default():
    assert connection(Settings(kafka_bootstrap_servers="k:1"))["security_protocol"] == "PLAINTEXT"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_sasl_over_tls_reaches_every_client(mechanism):
    settings = Settings(
        kafka_bootstrap_servers="a:1,b:2",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism=mechanism,
        kafka_sasl_username="user",
        kafka_sasl_password="secret",
    )
    given = connection(settings)

    assert (given["security_protocol"], given["sasl_mechanism"]) == ("SASL_SSL", mechanism)
    assert (given["sasl_plain_username"], given["sasl_plain_password"]) == ("user", "secret")
    assert isinstance(given["ssl_context"], ssl.SSLContext)
    assert given["bootstrap_servers"] == "a:1,b:2"
    create_broker(settings)


def test_tls_without_sasl():
    given = connection(Settings(kafka_security_protocol="SSL"))

    assert given["security_protocol"] == "SSL"
    assert given["ssl_context"].verify_mode is ssl.CERT_REQUIRED
