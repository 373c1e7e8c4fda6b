"""Where credentials stand in a text: the patterns of detect-secrets, each behind words that it cannot do without.

detect-secrets tries every pattern on every line, some 60 microseconds a line. Here a pattern runs only where one of its
`needles` stands in the text, which `str.__contains__` decides at a gigabyte a second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple


class Span(NamedTuple):
    """A stretch of a text, `text[start:end]`, and what kind of thing it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Detector:
    """Patterns whose match, or its group number `group` where the pattern has one, is a credential."""

    kind: str
    needles: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]
    group: int = 0


# kind, module and class in detect_secrets.plugins, the group that holds the secret, needles ("" where none is sure).
# Not taken: Artifactory, whose AP pattern matches names such as `APClientHandler`; the patterns `name = 64 hex digits`
# of IBM, Cloudant and SoftLayer, and the high-entropy detectors, which `_random_values` puts together; public IPs,
# which `redact` judges by address range; JWT and NPM, whose patterns end too early (the signature stays) and too late
# (the rest of the line goes).
_PLUGINS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("AWS_KEY", "aws", "AWSKeyDetector", 1, ("AKIA", "ASIA", "ABIA", "ACCA", "A3T", "aws", "AWS")),
    ("AZURE_KEY", "azure_storage_key", "AzureStorageKeyDetector", 0, ("AccountKey=",)),
    ("DISCORD_TOKEN", "discord", "DiscordBotTokenDetector", 0, ("",)),
    ("GITHUB_TOKEN", "github_token", "GitHubTokenDetector", 0, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("GITLAB_TOKEN", "gitlab_token", "GitLabTokenDetector", 0,
     ("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "GR1348941", "glcbt-", "glimt-", "glptt-", "glagent-", "gloas-")),
    ("MAILCHIMP_KEY", "mailchimp", "MailchimpDetector", 0, ("-us",)),
    ("OPENAI_KEY", "openai", "OpenAIDetector", 0, ("T3BlbkFJ",)),
    ("PYPI_TOKEN", "pypi_token", "PypiTokenDetector", 0, ("pypi-AgE",)),
    ("SENDGRID_KEY", "sendgrid", "SendGridDetector", 0, ("SG.",)),
    ("SLACK_TOKEN", "slack", "SlackDetector", 0, ("xox", "XOX", "hooks.slack.com/services/")),
    ("SQUARE_KEY", "square_oauth", "SquareOAuthDetector", 0, ("sq0csp-",)),
    ("STRIPE_KEY", "stripe", "StripeDetector", 0, ("k_live_",)),
    ("TELEGRAM_TOKEN", "telegram_token", "TelegramBotTokenDetector", 0, (":AA",)),  # its second half begins so
    ("TWILIO_KEY", "twilio", "TwilioKeyDetector", 0, ("AC", "SK")),
)  # fmt: skip

# Formats that detect-secrets does not know or does not delimit, by their vendors' documentation.
_OWN = (
    Detector("GITHUB_TOKEN", ("github_pat_",), (re.compile(r"github_pat_[A-Za-z0-9_]{22,255}"),)),
    Detector("GOOGLE_KEY", ("AIza",), (re.compile(r"AIza[0-9A-Za-z_\-]{35}(?![0-9A-Za-z_\-])"),)),
    Detector("HUGGINGFACE_TOKEN", ("hf_",), (re.compile(r"\bhf_[A-Za-z0-9]{34}\b"),)),
    Detector("NPM_TOKEN", ("npm_",), (re.compile(r"\bnpm_[A-Za-z0-9]{36}\b"),)),
    Detector("NPM_TOKEN", ("_authToken=",), (re.compile(r"_authToken=\s*([A-Fa-f0-9-]{36})"),), group=1),
    Detector("OPENAI_KEY", ("sk-proj-", "sk-ant-"), (re.compile(r"\bsk-(?:proj|ant)-[A-Za-z0-9_\-]{40,}"),)),
    Detector("JWT", ("eyJ",), (re.compile(r"\beyJ[\w\-=]{10,}\.eyJ[\w\-=]{4,}(?:\.[\w\-+/=]*)?"),)),
)

_KEY_HEADER = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_FOOTER = "-----END "
_KEY_LINE = re.compile(r"[A-Za-z0-9+/=]{32,}")  # a line of PEM has 64; a mention of the header in code has none

# Values that stand for a password in a manual or a template, and templates' own signs.
_PLACEHOLDER = re.compile(
    r"[{}<>$%*]|x+\Z|\.+\Z"
    r"|(?:my|your|the|user|some|test|db)?[_-]?(?:pass(?:word|wd)?|pw|pwd|secret|token|key)\d?\Z",
    re.IGNORECASE,
)

# The shortest token, AWS's, has 20 characters. Three texts in four hold no such run and are done.
_LONG_RUN = re.compile(r"[A-Za-z0-9_\-+/=]{20,}")

# One of them is in every name that KeywordDetector looks for.
_NAMES = ("pass", "secret", "key", "pwd", "contrase")
_QUOTED_RUN = re.compile(r"""(["'`])([A-Za-z0-9+/=_-]{20,})\1""")

_CONTEXT = 200  # characters of its line on each side of a value in which its name is looked for


@cache
def _detectors() -> tuple[Detector, ...]:
    plugins = (
        Detector(kind, needles, tuple(_plugin(module, name).denylist), group)
        for kind, module, name, group, needles in _PLUGINS
    )
    return (*plugins, *_OWN)


@cache
def _password_in_url() -> Detector:
    return Detector("PASSWORD_IN_URL", ("://",), tuple(_plugin("basic_auth", "BasicAuthDetector").denylist), group=1)


def _plugin(module: str, name: str) -> Any:
    return getattr(import_module(f"detect_secrets.plugins.{module}"), name)()


@cache
def _judges() -> tuple[Any, Any, Any]:
    """detect-secrets' detectors of telling names and of random strings in base64 and hex, with its own limits."""
    entropy = "high_entropy_strings"
    return (
        _plugin("keyword", "KeywordDetector"),
        _plugin(entropy, "Base64HighEntropyString"),
        _plugin(entropy, "HexHighEntropyString"),
    )


def credentials(text: str) -> Iterator[Span]:
    """Every credential of `text` with its kind; spans may overlap."""
    if "PRIVATE KEY" in text:
        yield from _private_keys(text)
    if "://" in text:
        yield from _matches(_password_in_url(), text)
    if not _LONG_RUN.search(text):
        return
    for detector in _detectors():
        for needle in detector.needles:
            if needle in text:
                yield from _matches(detector, text)
                break
    lowered = text.lower()
    if any([name in lowered for name in _NAMES]):  # noqa: C419 - on so few a list is twice as fast as a generator
        yield from _random_values(text)


def _matches(detector: Detector, text: str) -> Iterator[Span]:
    for pattern in detector.patterns:
        group = min(detector.group, pattern.groups)
        for match in pattern.finditer(text):
            if not _PLACEHOLDER.match(match[group]):
                yield Span(*match.span(group), detector.kind)


def _private_keys(text: str) -> Iterator[Span]:
    """What stands between a private key's header and footer (or the text's end) where it holds lines of base64."""
    for header in _KEY_HEADER.finditer(text):
        footer = text.find(_KEY_FOOTER, header.end())
        end = footer if footer >= 0 else len(text)
        lines = list(_KEY_LINE.finditer(text, header.end(), end))
        if lines:
            start = header.end() if footer >= 0 else lines[0].start()
            yield Span(start, end if footer >= 0 else lines[-1].end(), "PRIVATE_KEY")


def _random_values(text: str) -> Iterator[Span]:
    """Random-looking strings given to something named like a secret.

    Randomness alone is not enough: digests in tests, nonces, lookup tables and identifiers of a format are what such
    code is about. The name alone is not enough either: `password = "hunter2"` in a test is nobody's.
    """
    names, base64, hexadecimal = _judges()
    for match in _QUOTED_RUN.finditer(text):
        value = match[2]
        judge = hexadecimal if re.fullmatch(r"[0-9a-fA-F]+", value) else base64
        if judge.calculate_shannon_entropy(value) > judge.entropy_limit:
            line_start = max(text.rfind("\n", 0, match.start()) + 1, match.start() - _CONTEXT)
            line_end = text.find("\n", match.end(), match.end() + _CONTEXT)
            line = text[line_start : line_end if line_end >= 0 else match.end() + _CONTEXT]
            if value in names.analyze_string(line):
                yield Span(*match.span(2), "RANDOM_VALUE")
