"""What is replaced, what stays, and that replacing again changes nothing.

The credentials are put together from pieces, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codefit.corpus.redact import redact

RANDOM_40 = "kX9vQ2mZ7pL4tR8wY1cN6bH3jF5gD0sAeUiOqTzW"
JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=")
    for part in (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"1234567890"}', b"signature-of-32-bytes-and-a-bit!")
)
PRIVATE_KEY = "\n".join(
    ["-----BEGIN RSA PRIVATE " + "KEY-----", *["MIIEowIBAAKCAQEAz8x7" * 3] * 4, "-----END RSA PRIVATE " + "KEY-----"]
)
CREDENTIALS = {
    "AWS_KEY": "AKIA" + "Z7XQ2MPL4TR8WY1C",
    "DISCORD_TOKEN": "M" + "TIzNDU2Nzg5MDEyMzQ1Njc4" + ".Gabcde." + "x" * 27,
    "GITHUB_TOKEN": "ghp_" + RANDOM_40[:36],
    "GITLAB_TOKEN": "glpat-" + RANDOM_40[:20],
    "GOOGLE_KEY": "AIza" + RANDOM_40[:35],
    "HUGGINGFACE_TOKEN": "hf_" + RANDOM_40[:34],
    "JWT": JWT,
    "MAILCHIMP_KEY": "0123456789abcdef" * 2 + "-us12",
    "NPM_TOKEN": "npm_" + RANDOM_40[:36],
    "OPENAI_KEY": "sk-" + RANDOM_40[:20] + "T3BlbkFJ" + RANDOM_40[20:],
    "PYPI_TOKEN": "pypi-AgEIcHlwaS5vcmc" + RANDOM_40 * 2,
    "SENDGRID_KEY": "SG." + RANDOM_40[:22] + "." + RANDOM_40 + "abc",
    "SLACK_TOKEN": "xoxb-" + "123456789012-123456789012-" + "AbCdEfGhIjKl",
    "SQUARE_KEY": "sq0csp-" + RANDOM_40 + "abc",
    "STRIPE_KEY": "sk_live_" + RANDOM_40[:24],
    "TELEGRAM_TOKEN": "123456789:AA" + RANDOM_40[:33],
    "TWILIO_KEY": "SK" + "0123456789abcdef" * 2,
}


@pytest.mark.parametrize("kind", CREDENTIALS)
def test_the_whole_credential_is_gone(kind: str) -> None:
    text = f'    value = "{CREDENTIALS[kind]}"\n'
    assert redact(text) == (f'    value = "<SECRET:{kind}>"\n', {f"SECRET:{kind}": 1})


def test_an_aws_secret_is_known_by_its_name() -> None:
    assert redact(f"aws_secret_key = '{RANDOM_40}'") == ("aws_secret_key = '<SECRET:AWS_KEY>'", {"SECRET:AWS_KEY": 1})
    assert redact(f"checksum = '{RANDOM_40}'")[1] == {}


def test_the_password_of_a_url_is_gone_and_its_placeholder_stays() -> None:
    text, counts = redact("connect('postgres://ann:s3cr3tPhrase@db.internal/main')")
    assert text == "connect('postgres://ann:<SECRET:PASSWORD_IN_URL>@db.internal/main')"
    assert counts == {"SECRET:PASSWORD_IN_URL": 1}
    for stays in ("ftp://user:password@host", "http://{user}:{pw}@host", "amqp://u:%s@h", "redis://me:<pass>@h"):
        assert redact(stays) == (stays, {})


def test_a_private_key_is_gone_and_a_mention_of_its_header_stays() -> None:
    text, counts = redact(f'KEY = """{PRIVATE_KEY}"""')
    assert "MIIE" not in text
    assert counts == {"SECRET:PRIVATE_KEY": 1}
    cut_short = PRIVATE_KEY[: PRIVATE_KEY.index("-----END")]
    assert "MIIE" not in redact(cut_short)[0]
    mention = 'if line == "-----BEGIN RSA PRIVATE ' + 'KEY-----":\n    return parse(lines)\n'
    assert redact(mention) == (mention, {})


def test_a_random_value_goes_only_where_its_name_tells() -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015"
    assert redact(f'api_key = "{digest}"') == ('api_key = "<SECRET:RANDOM_VALUE>"', {"SECRET:RANDOM_VALUE": 1})
    for stays in (
        f'key = load()\nexpected = "{digest}"',
        'password = "hunter2"',
        'secret_name = "projects/main/secrets/database"',
    ):
        assert redact(stays) == (stays, {})


@pytest.mark.parametrize("email", ["ann.b-c+d@mail.corp.co.uk", "jane_doe@gmail.com", "x@y-z.io"])
def test_an_address_of_a_person_is_gone(email: str) -> None:
    assert redact(f"Author: Ann <{email}>.") == ("Author: Ann <<EMAIL>>.", {"EMAIL": 1})
    assert redact(f"mail to {email}") == ("mail to <EMAIL>", {"EMAIL": 1})


@pytest.mark.parametrize(
    "text",
    [
        "ann@example.com, bob@mail.example.org",
        "git@github.com:owner/name.git",
        "kex = b'curve25519-sha256@libssh.org'",
        "c = a@b.T + w@x.reshape(2) + m@n.mean",
        "icon@2x.png",
        "react@17.0.2",
        "@decorator.io\ndef f(): ...",
    ],
)
def test_what_only_looks_like_a_personal_address_stays(text: str) -> None:
    assert redact(text) == (text, {})


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "172.217.16.142", "2606:4700:4700::1001", "2a00:1450:4001:81b::200e"]
)
def test_a_public_address_is_gone(address: str) -> None:
    assert redact(f"host = '{address}'") == ("host = '<IP>'", {"IP": 1})
    assert redact(f"connect to {address}.") == ("connect to <IP>.", {"IP": 1})


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 0.0.0.0 255.255.255.255 10.1.2.3 192.168.1.44 169.254.169.254 192.0.2.77 203.0.113.99",
        "8.8.8.8 and 1.1.1.1",
        "1.2.3.4 and 3.11.200.7",
        "version = '93.184.216.34'",
        "pkg==93.184.216.34",
        "v93.184.216.34",
        "§ 93.184.216.34",
        "1.3.6.1.4.1.311.200.93",
        "999.184.216.34",
        "::1 fe80::1 2001:db8::17 std::array ad::be 12:34:56",
    ],
)
def test_an_address_of_nobody_and_a_version_stay(text: str) -> None:
    assert redact(text) == (text, {})


pieces = st.sampled_from(
    [
        *CREDENTIALS.values(),
        PRIVATE_KEY,
        RANDOM_40,
        "ann@corp.com",
        "93.184.216.34",
        "2606:4700:4700::1001",
        "://",
        "@",
        ":",
        "secret",
        "password",
        "aws_key",
        "=",
        '"',
        "'",
        " ",
        "\n",
        ".",
        "-----BEGIN PRIVATE " + "KEY-----",
        "eyJ",
        "x",
        "<",
        ">",
    ]
)


@given(st.lists(pieces, max_size=12).map("".join) | st.text(max_size=80))
def test_redacting_again_changes_nothing(text: str) -> None:
    once, _ = redact(text)
    assert redact(once) == (once, {})


@pytest.mark.parametrize(
    "piece", ["a@", "a.", "1.", "://a:", "password=", "eyJ", "AKIA", "1:AA", "xox1-", '"aa', "2000:", "M."]
)
def test_no_text_is_slow(piece: str) -> None:
    redact("warm up: password = '0123456789abcdef0123'")
    text = (piece * 200_000)[:200_000]
    started = time.process_time()
    redact(text)
    assert time.process_time() - started < 3
