"""The hub's HTTP API as far as `codefit lm push` uses it, in a thread: repositories, checks, large files, commits."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

TOKEN = "hf_test"
LARGE = (".safetensors", ".gguf", ".gz")  # what the hub's .gitattributes sends to large file storage


@dataclass
class Repository:
    """What one repository holds."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0


@dataclass
class Hub:
    """The repositories by "models/owner/name", objects by hash, and every request as (method, path)."""

    endpoint: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False  # answers every commit with an error


@contextmanager
def serve_hub() -> Iterator[Hub]:
    """A hub on a free port of this machine."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""

    def do_GET(self) -> None:
        if self._refused():
            return
        if found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)(/revision/main)?", self._path()):
            repository = self._repository(*found.groups()[:2])
            if repository is not None:
                name = found[2]
                self._answer({"id": name, "modelId": name, "private": repository.private, "sha": "0" * 40})
        elif found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/tree/main", self._path()):
            repository = self._repository(*found.groups())
            if repository is not None:
                tree = [
                    {"type": "file", "path": path, "size": len(data), "oid": "1" * 40}
                    for path, data in repository.files.items()
                ]
                self._answer(tree)
        else:
            self._answer({"error": "not found"}, 404)

    def do_POST(self) -> None:
        body = self._body()
        if self._refused():
            return
        path = self._path()
        if path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
            self.hub.repositories[name] = Repository(private=asked.get("visibility") == "private")
            self._answer({"url": f"{self.hub.endpoint}/{asked['organization']}/{asked['name']}"})
        elif path == "/api/validate-yaml":
            head = json.loads(body)["content"].removeprefix("---\n").partition("\n---\n")[0]
            good = isinstance(yaml.safe_load(head), dict)
            self._answer({"errors": [] if good else [{"message": "no metadata"}], "warnings": []}, 200 if good else 400)
        elif found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/preupload/main", path):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(LARGE) else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif path.endswith(".git/info/lfs/objects/batch"):
            objects = [
                {**asked, "actions": {"upload": {"href": f"{self.hub.endpoint}/lfs/{asked['oid']}"}}}
                for asked in json.loads(body)["objects"]
            ]
            self._answer({"objects": objects, "transfer": "basic"}, kind="application/vnd.git-lfs+json")
        elif found := re.fullmatch(r"/api/(models|datasets)/([^/]+/[^/]+)/commit/main", path):
            repository = self._repository(*found.groups())
            if repository is not None and self.hub.broken:
                self._answer({"error": "the disks are full"}, 500)
            elif repository is not None:
                place = f"{'datasets/' if found[1] == 'datasets' else ''}{found[2]}"
                self._commit(repository, place, [json.loads(line) for line in body.splitlines()])
        else:
            self._answer({"error": "not found"}, 404)

    def do_PUT(self) -> None:
        self.hub.requests.append(("PUT", self.path))
        data = self._body()
        oid = self.path.rpartition("/")[2]
        if hashlib.sha256(data).hexdigest() != oid:
            self._answer({"error": "the bytes are others"}, 400)
            return
        self.hub.objects[oid] = data
        self._answer({})

    def _commit(self, repository: Repository, place: str, lines: list[dict[str, Any]]) -> None:
        assert lines[0]["key"] == "header"
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                repository.files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                repository.files[value["path"]] = self.hub.objects[value["oid"]]
            elif line["key"] == "deletedFile":
                del repository.files[value["path"]]
        repository.commits += 1
        self._answer({"commitUrl": f"{self.hub.endpoint}/{place}/commit/{'2' * 40}", "commitOid": "2" * 40})

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _repository(self, kind: str, name: str) -> Repository | None:
        found = self.hub.repositories.get(f"{kind}/{name}")
        if found is None:
            self._answer({"error": "Repository not found"}, 404, headers={"X-Error-Code": "RepoNotFound"})
        return found

    def _refused(self) -> bool:
        self.hub.requests.append((self.command, self.path))
        if self.headers.get("Authorization") == f"Bearer {TOKEN}":
            return False
        self._answer({"error": "Invalid credentials"}, 403)
        return True

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(
        self, value: Any, status: int = 200, *, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)
