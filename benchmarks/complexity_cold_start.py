"""What the first complexity score costs: the service from its start to its first answer, and the command line.

    python -m benchmarks.complexity_cold_start [--quick] [--model DIR]

The sides run in turns, each time in new processes, with the file cache warm: the service is asked by HTTP as soon as it
says where it is, the command scores the same file. `--model` is the folder of a complexity model: then the service is
measured with it as well, until its first learned score. Beside them stands an interpreter that does nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from benchmarks.common import MIB, in_turns, ratio, store_result, timing
from codefit.progress import say

NAME = "complexity_cold_start"
SCRIPT = str(Path(sys.executable).with_name("codefit"))
ROUNDS, QUICK_ROUNDS = 20, 2
WARM_ANSWERS = 20  # of a service that has answered once
SERVICE, WITH_MODEL, COMMAND, PASS = (
    "codefit serve --complexity",
    "codefit serve --complexity MODEL",
    "codefit complexity score",
    "python -c pass",
)
CODE = """\
function cheapest(offers, limit) {
  let best = null;
  for (const offer of offers) {
    if (offer.price > limit || offer.isSold) {
      continue;
    }
    if (best === null || offer.price < best.price) {
      best = offer;
    }
  }
  return best;
}
"""


def main() -> None:
    """Time all sides and store the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, nothing stored")
    parser.add_argument("--model", type=Path, help="folder of a complexity model")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        result = measured(Path(temporary), QUICK_ROUNDS if arguments.quick else ROUNDS, arguments.model)
    store_result(NAME, result, packages=("fastapi", "uvicorn", "tree-sitter"), quick=arguments.quick)


def measured(folder: Path, rounds: int, model: Path | None) -> dict[str, Any]:
    """The seconds of each side, the service's with what it holds in memory and how long it takes once it is warm."""
    file = folder / "offers.js"
    file.write_text(CODE, encoding="utf-8")
    services: list[dict[str, Any]] = []
    sides: dict[str, Callable[[], float]] = {
        SERVICE: partial(_service_seconds, None, services),
        COMMAND: partial(_command_seconds, [SCRIPT, "complexity", "score", str(file), "--json"]),
        PASS: partial(_command_seconds, [sys.executable, "-c", "pass"]),
    }
    if model is not None:
        sides[WITH_MODEL] = partial(_service_seconds, model, [])
    for side in sides.values():
        side()  # the first run writes bytecode
    services.clear()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for name in in_turns(list(sides), rounds):
        seconds[name].append(sides[name]())
    for name, own in seconds.items():
        say(f"{name}: {timing(own).median:.2f} s")
    return {
        **{name: asdict(timing(own)) for name, own in seconds.items()},
        "ready": asdict(timing([each["ready"] for each in services])),
        "warm": asdict(timing([each["warm"] for each in services])),
        "memory_mib": max(each["memory"] for each in services) / MIB,
        "ratio_service_to_command": ratio(seconds[SERVICE], seconds[COMMAND]),
    }


def _command_seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _service_seconds(model: Path | None, found: list[dict[str, Any]]) -> float:
    """Seconds until the first answer; `found` gets those until it was ready, and what it was then."""
    place = [str(model)] if model is not None else []
    command = [SCRIPT, "--json", "serve", "--complexity", *place, "--port", "0"]
    variables = {name: value for name, value in os.environ.items() if name != "CODEFIT_TOKEN"}
    started = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables
    ) as process:
        try:
            url = _told(process)
            ready = time.perf_counter() - started
            _ask(url, learned=model is not None)
            first = time.perf_counter() - started
            warm = time.perf_counter()
            for _ in range(WARM_ANSWERS):
                _ask(url, learned=False)
            found.append(
                {"ready": ready, "warm": (time.perf_counter() - warm) / WARM_ANSWERS, "memory": _memory(process.pid)}
            )
        finally:
            process.terminate()
    return first


def _told(process: subprocess.Popen[str]) -> str:
    """The address that a service prints when it is ready."""
    assert process.stdout is not None
    lines = ""
    while not lines.endswith("}\n"):
        line = process.stdout.readline()
        if not line:
            raise SystemExit("the service ended before it was ready")
        lines += line
    url: str = json.loads(lines)["url"]
    return url


def _ask(url: str, *, learned: bool) -> None:
    body = json.dumps({"code": CODE, "language": "javascript", "learned": learned or None}).encode()
    request = Request(f"{url}/v1/complexity", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        (function,) = json.load(answer)["results"][0]["functions"]
    assert function["score"] > 1
    assert not learned or "score" in function["learned"]


def _memory(pid: int) -> int:
    """Bytes that a process and its children hold for themselves."""
    import psutil

    process = psutil.Process(pid)
    return sum(each.memory_full_info().uss for each in (process, *process.children(recursive=True)))


if __name__ == "__main__":
    main()
