"""Tools for coding agents by the Model Context Protocol: mend broken Python, score functions, search code.

The server is that of the official SDK. While it serves, the SDK keeps standard output for the protocol: whatever else
is written there goes to standard error.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import BaseModel, Field

import codefit
from codefit.errors import CodefitError, InputError, from_os_error
from codefit.models.repair import RepairModel
from codefit.search.folder import answer_text, search_folder
from codefit.search.index import SearchModel
from codefit.serve.fixes import fix_text, fix_to_dict, read_source
from codefit.serve.score_tool import ScoreResult, ScoreTool, score_text
from codefit.tasks.repairs.fix import fix_source

LARGEST = 1_000_000  # bytes of a source: what is larger is generated, and its region is not found in a moment
MOST_SECONDS = 60.0
MOST_RESULTS = 100
GIVEN = "source"  # the name in diffs of what is no file

INSTRUCTIONS = (
    "fix_syntax proposes repairs of Python that does not parse, likeliest first; it changes no file, so apply the diff "
    "that fits what was meant. score_complexity says how complex each function of source in ten languages is, and "
    "which lines make it so."
)
SEARCH_INSTRUCTIONS = " search_code finds functions, methods and types of a folder by what they do, asked in words."
# All tools only read, and only what is on this machine.
READ_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


class SyntaxFault(BaseModel):
    """What Python's parser says."""

    line: int
    what: str


class ProposedRepair(BaseModel):
    """A repair: its probability among all candidates, the edits in words, a unified diff."""

    probability: float
    edits: list[str]
    diff: str


class FixResult(BaseModel):
    """What `fix_syntax` gives; `why_not` says why there is no repair."""

    path: str
    sound: bool
    error: SyntaxFault | None
    region: tuple[int, int] | None
    repairs: list[ProposedRepair]
    why_not: str | None
    beyond_three_edits: bool
    more_errors: bool
    complete: bool


class FoundFunction(BaseModel):
    """A function that was found, its lines (1-based) and some of its text."""

    path: str
    start_line: int
    end_line: int
    name: str
    kind: str
    language: str
    score: float
    signals: dict[str, float]
    snippet: str
    snippet_lines: list[int]


class SearchResult(BaseModel):
    """What `search_code` gives, best first; `functions` is among how many."""

    query: str
    results: list[FoundFunction]
    fresh: bool
    took_ms: float
    indexed_ms: float
    functions: int
    skipped: dict[str, int]


@dataclass(frozen=True, slots=True)
class Tools:
    """The models behind the tools, one call at a time: two at once take longer than one after the other."""

    repair: RepairModel
    search: SearchModel | None
    scores: ScoreTool
    lock: threading.Lock

    def fix(self, source: str, path: str, repairs: int, seconds: float) -> CallToolResult:
        """What `fix_syntax` answers. Raises `ToolError` for what cannot be read."""
        with _told(), self.lock:
            text, name = _given(source, path)
            found = fix_source(
                text, lambda tokens, names: self.repair.repairs(tokens, names=names, seconds=seconds), most=repairs
            )
        return _result(fix_text(name, text, found), fix_to_dict(name, text, found))

    def score(self, source: str, path: str, language: str, explain: bool, results: int) -> CallToolResult:
        """What `score_complexity` answers. Raises `ToolError` for what cannot be read or scored."""
        with _told(), self.lock:
            text, name = _given(source, path)
            result = self.scores.result(text, name, language, explain=explain, results=results)
        return _result(score_text(result), result)

    def find(
        self, query: str, folder: str, results: int, languages: list[str] | None, globs: list[str]
    ) -> CallToolResult:
        """What `search_code` answers. Raises `ToolError` for a missing folder and for filters that leave nothing."""
        assert self.search is not None
        with _told(), self.lock:
            answer = search_folder(Path(folder), query, self.search, results, languages=languages, globs=globs)
        return _result(answer_text(answer), answer.to_dict())


def create_mcp_server(repair: RepairModel, search: SearchModel | None = None) -> MCPServer[Any]:
    """The server with `fix_syntax`, `score_complexity` and, where there is a model to search with, `search_code`.

    `run("stdio")` serves.
    """
    tools = Tools(repair, search, ScoreTool(), threading.Lock())
    server: MCPServer[Any] = MCPServer(
        "codefit",
        instructions=INSTRUCTIONS + (SEARCH_INSTRUCTIONS if search is not None else ""),
        version=codefit.__version__,
        log_level="WARNING",
    )

    _add_fix(server, tools)
    _add_score(server, tools)
    if search is not None:
        _add_search(server, tools)
    return server


# An argument is a string and not a string or None: the SDK would read what is JSON as JSON, and `[1, 2]` is Python.


def _add_fix(server: MCPServer[Any], tools: Tools) -> None:
    def fix_syntax(
        source: Annotated[str, Field(description="Python source text that does not parse. Or give path.")] = "",
        path: Annotated[
            str, Field(description="Path of a Python file, from the folder that the server runs in. Or give source.")
        ] = "",
        repairs: Annotated[int, Field(ge=1, le=20, description="Repairs to give at most.")] = 3,
        seconds: Annotated[float, Field(gt=0, le=MOST_SECONDS, description="Time to look for repairs.")] = 1.0,
    ) -> Annotated[CallToolResult, FixResult]:
        """Propose the likeliest repairs of the first syntax error of Python source, as diffs with probabilities.

        Says what the error is and, where there is no repair, why. No file is changed.
        """
        return tools.fix(source, path, repairs, seconds)

    _add(server, "Mend Python that does not parse", fix_syntax)


def _add_score(server: MCPServer[Any], tools: Tools) -> None:
    def score_complexity(
        source: Annotated[str, Field(description="Source text of a function or a file. Or give path.")] = "",
        path: Annotated[
            str, Field(description="Path of a source file, from the folder that the server runs in. Or give source.")
        ] = "",
        language: Annotated[
            str, Field(description="Language of the source, such as python. Needed unless the path's ending tells it.")
        ] = "",
        explain: Annotated[bool, Field(description="Give each line that adds to a function, and how much.")] = False,
        results: Annotated[int, Field(ge=1, le=MOST_RESULTS, description="Functions to give at most.")] = 20,
    ) -> Annotated[CallToolResult, ScoreResult]:
        """Score every function of source in ten languages from 1 (simple) to 10 (critical); highest score first.

        The score is a formula over branches, tokens and lines; cyclomatic and cognitive complexity, nesting, Halstead's
        figures and the maintainability index come with it. Broken code gives what can be read.
        """
        return tools.score(source, path, language, explain, results)

    _add(server, "Score the complexity of functions", score_complexity)


def _add_search(server: MCPServer[Any], tools: Tools) -> None:
    def search_code(
        query: Annotated[str, Field(description="What the code does, in words.")],
        folder: Annotated[
            str, Field(description="Folder or source file to search, from the folder that the server runs in.")
        ] = ".",
        results: Annotated[int, Field(ge=1, le=MOST_RESULTS, description="Results at most.")] = 10,
        languages: Annotated[
            list[str] | None, Field(description="Only files in these languages, such as python.")
        ] = None,
        globs: Annotated[
            list[str] | None, Field(description="Only files whose path matches one of these, as in .gitignore.")
        ] = None,
    ) -> Annotated[CallToolResult, SearchResult]:
        """Find functions, methods and types of a folder by what they do, in ten languages; best first.

        The folder is read anew each time; ignore files count. Each result has its path, lines and a few of them.
        """
        return tools.find(query, folder, results, languages or None, globs or [])

    _add(server, "Search code by what it does", search_code)


def _add(server: MCPServer[Any], title: str, tool: Callable[..., CallToolResult]) -> None:
    """Offer a function under its name; its docstring tells the agent what it does."""
    server.add_tool(tool, title=title, description=inspect.getdoc(tool), annotations=READ_ONLY)


@contextmanager
def _told() -> Iterator[None]:
    """Have the agent read what was wrong, as the command line would say it."""
    try:
        yield
    except CodefitError as error:
        raise ToolError(error.line()) from error
    except OSError as error:
        raise ToolError(from_os_error(error).line()) from error


def _given(source: str, path: str) -> tuple[str, str]:
    """The text of a call and what it is called. Raises `InputError` where there is none, or it is too large."""
    if bool(source) == bool(path):
        raise InputError("give source, the text, or path, a source file, and not both")
    text = _file_text(Path(path)) if path else source
    if len(text) > LARGEST:
        raise InputError(f"larger than {LARGEST:,} characters", where=path or GIVEN)
    return text, path or GIVEN


def _file_text(file: Path) -> str:
    if file.exists() and not file.is_file():
        raise InputError("not a file", where=str(file), fix="give the path of a source file")
    if file.stat().st_size > LARGEST:
        raise InputError(f"larger than {LARGEST:,} bytes", where=str(file))
    return read_source(file)


def _result(text: str, structured: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)
