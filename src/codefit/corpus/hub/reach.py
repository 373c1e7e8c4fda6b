"""Whether the hub answers, found out once and within seconds: its own client retries for minutes."""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request

REACH_SECONDS = 3.0  # a hub that needs longer to answer one request will not deliver gigabytes
DEFAULT_ENDPOINT = "https://huggingface.co"
TRUE = ("1", "on", "yes", "true")


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT`, as its client reads it, else the public one."""
    return os.environ.get("HF_ENDPOINT", DEFAULT_ENDPOINT).rstrip("/")


def is_offline() -> bool:
    """Whether the environment forbids the network (`HF_HUB_OFFLINE`), so that only what is cached can be read."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in TRUE


def hub_problem(seconds: float = REACH_SECONDS) -> str | None:
    """Why the hub cannot be reached, None where it answers anything at all; proxies of the environment are used."""
    problem: list[str | None] = []
    # Name resolution has no timeout of its own, so the wait is bounded from outside.
    attempt = threading.Thread(target=lambda: problem.append(_ask(seconds)), daemon=True)
    attempt.start()
    attempt.join(seconds)
    reason = problem[0] if problem else f"no answer within {seconds:g} s"
    return f"the hub {endpoint()} cannot be reached ({reason})" if reason else None


def _ask(seconds: float) -> str | None:
    try:
        request = urllib.request.Request(endpoint(), method="HEAD")
        urllib.request.urlopen(request, timeout=seconds).close()
    except urllib.error.HTTPError:  # it answered
        return None
    except urllib.error.URLError as error:
        return getattr(error.reason, "strerror", None) or str(error.reason)
    except (OSError, ValueError) as error:
        return str(error)
    return None
