"""What Modal's servers would be told: a stand-in on this machine that takes definitions and keeps them.

It says of every image that it is built and of every file that it is there, so that the real `modal` package goes
through a whole deployment without an account: Dockerfiles, files to send, volumes, secrets, functions.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from grpclib.server import Server, Stream
from modal_proto.api_grpc import ModalClientBase
from modal_proto.api_pb2 import GenericResult

PREFIXES = {"secret_id": "st", "class_id": "cs", "bound_function_id": "fu"}  # the others begin as their field does


class Recorder(ModalClientBase):
    """Answers every call with new ids; `requests` are what came, with the call's name, in their order."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.replies = {path.rpartition("/")[2]: handler.reply_type for path, handler in self.__mapping__().items()}

    def named(self, call: str) -> list[Any]:
        """The requests of one call."""
        return [request for name, request in self.requests if name == call]

    def reply(self, call: str, request: Any) -> Any:
        """The answer to a request."""
        self.requests.append((call, request))
        reply = self.replies[call]()
        for field in reply.DESCRIPTOR.fields:
            if field.name.endswith("_id") and field.type == field.TYPE_STRING:
                setattr(reply, field.name, f"{PREFIXES.get(field.name, field.name[:2])}-{len(self.requests)}")
        if call == "ImageGetOrCreate":
            reply.result.status = GenericResult.GENERIC_STATUS_SUCCESS
        elif call == "FunctionCreate":
            reply.function_id = request.existing_function_id or reply.function_id
            reply.function_data.ranked_functions.add(rank=1, function=request.function)
            reply.handle_metadata.function_name = request.function.function_name
            for method in request.function.method_definitions:
                reply.handle_metadata.method_handle_metadata[method].function_name = method
        return reply


def _handler(call: str) -> Callable[[Recorder, Stream[Any, Any]], Awaitable[None]]:
    async def handle(self: Recorder, stream: Stream[Any, Any]) -> None:
        await stream.send_message(self.reply(call, await stream.recv_message()))

    return handle


for _call in ModalClientBase.__abstractmethods__:
    setattr(Recorder, _call, _handler(_call))
Recorder.__abstractmethods__ = frozenset()


@contextmanager
def recording() -> Iterator[tuple[Recorder, str]]:
    """The stand-in and its address, while it listens."""
    recorder, ready, end = Recorder(), threading.Event(), threading.Event()
    ports: list[int] = []

    async def serve() -> None:
        server = Server([recorder])
        await server.start("127.0.0.1", 0)
        assert server._server is not None
        ports.append(server._server.sockets[0].getsockname()[1])
        ready.set()
        await asyncio.to_thread(end.wait)
        server.close()
        await server.wait_closed()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    try:
        yield recorder, f"http://127.0.0.1:{ports[0]}"
    finally:
        end.set()
        thread.join(30)
        assert not thread.is_alive()


def function_of(told: Recorder, name: str) -> Any:
    """What a deployment told of one function."""
    (found,) = [each.function for each in told.named("FunctionCreate") if each.function.function_name == name]
    return found


def commands_of(told: Recorder, image: str) -> list[str]:
    """The Dockerfile lines of an image and of those that it is built on, the first one first."""
    made = {f"im-{number}": request for number, (call, request) in enumerate(told.requests, start=1)
            if call == "ImageGetOrCreate"}  # fmt: skip
    lines: list[str] = []
    while image:
        own = made[image].image
        lines = [*own.dockerfile_commands, *lines]
        image = own.base_images[0].image_id if own.base_images else ""
    return lines


def files_of(told: Recorder) -> set[str]:
    """Where files stand in containers."""
    return {file.filename for request in told.named("MountGetOrCreate") for file in request.files}


def volumes_of(told: Recorder, function: Any) -> dict[str, tuple[str, bool]]:
    """The names of a function's volumes and whether they are only read, by their places."""
    names = {f"vo-{number}": request.deployment_name for number, (call, request) in enumerate(told.requests, start=1)
             if call == "VolumeGetOrCreate"}  # fmt: skip
    return {each.mount_path: (names[each.volume_id], each.read_only) for each in function.volume_mounts}


def secrets_of(told: Recorder, function: Any) -> tuple[set[str], dict[str, str]]:
    """The names of a function's secrets, and the variables that it is given openly."""
    made = {f"st-{number}": request for number, (call, request) in enumerate(told.requests, start=1)
            if call == "SecretGetOrCreate"}  # fmt: skip
    given = [made[number] for number in function.secret_ids]
    names = {each.deployment_name for each in given if each.deployment_name}
    return names, {name: value for each in given for name, value in each.env_dict.items()}
