"""The app on a socket: uvicorn with h11."""

from __future__ import annotations

import copy
import errno
import ipaddress
import logging
import socket
from typing import TYPE_CHECKING

from codefit.errors import InputError
from codefit.run import doctor

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

PACKAGES = ("fastapi", "uvicorn", "h11", "prometheus_client")
LAST_SECONDS = 3  # that answers under way get when the server is told to stop


def check_installed() -> None:
    """Raise `CodefitError` with the command to run where the extra `serve` is missing."""
    doctor.check_installed("serve", PACKAGES)


def is_local(host: str) -> bool:
    """Whether only this machine reaches a server that is bound to a host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections; port 0 is a free one. `InputError` where host or port cannot be had."""
    where = f"{host}:{port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except socket.gaierror as error:
        raise InputError(f"unknown host ({error.strerror})", where=where) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InputError("another program listens there", where=where, fix="choose another --port") from error
        raise InputError(f"cannot listen there ({error.strerror})", where=where) from error


def url_of(listening: socket.socket) -> str:
    """The address that a client on this machine uses."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: FastAPI) -> uvicorn.Server:
    """The server of an app, that logs to stderr."""
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    logs = copy.deepcopy(LOGGING_CONFIG)
    logs["handlers"]["access"]["stream"] = "ext://sys.stderr"  # stdout is for results
    logs["loggers"]["uvicorn.error"]["level"] = "WARNING"  # not that it started: the caller says so
    logs["handlers"]["default"]["filters"] = [_is_no_note_on_upgrades]
    # h11, since with httptools the body of a POST with `Upgrade: h2c` is lost, which Java's client sends.
    return uvicorn.Server(
        uvicorn.Config(
            app, http="h11", ws="none", log_config=logs, lifespan="on", timeout_graceful_shutdown=LAST_SECONDS
        )
    )


def _is_no_note_on_upgrades(record: logging.LogRecord) -> bool:
    """Every request of Java's client asks for an upgrade, and is answered without: two warnings each say nothing."""
    return not record.getMessage().startswith(("Unsupported upgrade request", "No supported WebSocket library"))


def serve(app: FastAPI, listening: socket.socket) -> None:
    """Answer until the process is told to stop (Ctrl-C, SIGTERM)."""
    try:
        server_of(app).run(sockets=[listening])
    except KeyboardInterrupt:  # raised again after everything has ended: it is how a server is meant to end
        return
