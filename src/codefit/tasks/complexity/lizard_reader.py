"""JavaScript functions and their figures as lizard 1.24 finds them, its misreadings too.

The labels of the reference run are made of lizard's figures, so a label that is the same must be made by the same
rules. lizard has no grammar: readers on a stack take token by token, guess where functions begin and end, and give up
guesses that prove wrong with all tokens counted until then. `f(a[b])` ends a block early, `x = (y)` loses its tokens,
and of nested functions the inner one is finished first. `codefit.source.metrics` has the figures as the language has
them. Not read are lizard's own comments (`#lizard forgives`) and that it stops at `GENERATED CODE`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from codefit.tasks.complexity.lizard_bindings import Pattern, Seen
from codefit.tasks.complexity.lizard_tokens import Token, lizard_tokens
from codefit.tasks.complexity.lizard_types import (
    Mode,
    TypeReader,
    read_alias,
    skip_braces,
    skip_declared,
    skip_generics,
)

_CONDITIONS = frozenset({"if", "elseif", "for", "while", "catch", "&&", "||", "??", "case", "?"})
_KEYWORDS_BEFORE_LIST = frozenset({"const", "let", "var", "return", "throw", "yield", "await"})


class Counted(NamedTuple):
    """What counts for a function at the character `start`."""

    start: int
    branches: int
    tokens: int
    lines: int


@dataclass(slots=True, eq=False)
class LizardFunction:
    """What lizard counts for a function, place by place, and the figures that it comes to."""

    places: list[Counted]
    ccn: int = 1

    @property
    def tokens(self) -> int:
        """Tokens, from the bracket before the parameters on."""
        return sum(place.tokens for place in self.places)

    @property
    def lines(self) -> int:
        """Lines with code."""
        return sum(place.lines for place in self.places)


class _File:
    """The functions that are open and those that are finished; the global one is no function."""

    def __init__(self) -> None:
        self.place = 0  # of the token that is read
        self.outside = LizardFunction([])
        self.current = self.outside
        self.open: list[LizardFunction] = []
        self.finished: list[LizardFunction] = []
        self.at_line_start = True

    def begin(self) -> None:
        self.open.append(self.current)
        # The token that a function is noticed at counts for it as well as for what is around.
        self.current = LizardFunction([Counted(self.place, 0, 1, 1)])

    def take(self, token: Token) -> None:
        """Count a token for the function that is open."""
        self.place, self.at_line_start = token.start, token.lines > 0
        branches = int(token.text in _CONDITIONS)
        self.current.places.append(Counted(token.start, branches, 1, token.lines))
        self.current.ccn += branches

    def branch(self, count: int) -> None:
        """Branches that are noticed at the token that is read; fewer where they prove to be of another function."""
        if count:
            self.current.places.append(Counted(self.place, count, 0, 0))
            self.current.ccn += count

    def end(self, *, counts: bool) -> None:
        if counts:
            self.finished.append(self.current)
        self.current = self.open.pop() if self.open else self.outside


@dataclass(frozen=True, slots=True)
class _Pending:
    """What a bracket held that may have been a pattern: defaults, branches in it, defaults known to be of patterns."""

    defaults: int
    branches: int
    known: int


class _Reader:
    """Reads tokens at one level of brackets; `mode` is what it expects next, and says whether it is done."""

    def __init__(self, file: _File, *, pattern: Pattern | None = None, is_object: bool = False) -> None:
        self.file = file
        self.pattern = pattern
        self.is_object = is_object
        self.mode: Mode = self.code
        self.resumes: Mode = self.code
        self.inner: _Reader | TypeReader | None = None
        self.when_back: Callable[[], None] | None = None
        self.done = False
        self.last = self.previous = self.name = self.condition = ""
        self.has_function = self.in_value = self.is_static = self.is_async = False
        self.is_declared = self.is_abstract = False
        self.accessor = ""
        self.ternaries = 0
        self.pending: _Pending | None = None
        self.known_defaults = 0
        self.parameters = Pattern(")")
        self.default_reader: _Reader | None = None

    def read(self, token: str) -> bool:
        """Take a token; whether this reader's level ends with it."""
        if self.pattern is not None:
            self.pattern.read(token)
        if self.inner is not None:
            if self.inner.read(token):
                self._resume()
        elif self.mode(token):
            self._resume()
        return self.done

    def _resume(self) -> None:
        self.inner = None  # also where a mode entered another level and was done in the same step
        self.mode = self.resumes
        back, self.when_back = self.when_back, None
        if back is not None:
            back()

    def enter(self, inner: _Reader | TypeReader, when_back: Callable[[], None] | None = None) -> None:
        """Give the tokens to another reader until its level ends."""
        self.resumes = self.mode
        self.inner, self.when_back = inner, when_back

    def leave(self) -> None:
        """This level ends."""
        self.done = True
        self.end_of_input()

    def end_of_input(self) -> None:
        """A function that is open here ends."""
        if self.has_function:
            self.pop_function()

    def begin_function(self) -> None:
        """A function begins, unless it is abstract."""
        if not self.is_abstract:
            self.has_function = True
            self.file.begin()

    def pop_function(self) -> None:
        """The function of this level ends."""
        if self.has_function:
            self.file.end(counts=True)
        self.has_function = self.in_value = False

    def drop_function(self) -> None:
        """What looked like a function was none; what was counted for it is lost."""
        self.file.end(counts=False)
        self.has_function = False

    # Code.

    def code(self, token: str) -> bool:
        """Statements and expressions."""
        self._settle_pending(token)
        if self._reads_type(token) or self._reads_modifier(token):
            return False
        if token == "?":
            self.ternaries += 1
        elif token == ":" and self.ternaries:
            self.ternaries -= 1
            self.last = self.previous = token
            return False
        if self.is_object and self._reads_member(token):
            return False
        if token in (".", "?."):
            self.mode = self.after_dot
            self.last += token
            self.previous = "."
            return False
        self._dispatch(token)
        if token == "`":
            self.mode = self.template
        if token == ":" and not self.is_object:
            self._type_annotation()
            self.previous = token
            return False
        if self.is_object and token == ",":
            self.in_value = False
        self.last = token
        if self.previous not in ("new", "."):
            self.previous = token
        return False

    def _reads_modifier(self, token: str) -> bool:
        if token not in ("static", "async", "new"):
            return False
        self.is_static = self.is_static or token == "static"
        self.is_async = self.is_async or token == "async"
        self.previous = token
        return True

    def _dispatch(self, token: str) -> None:
        if token == "function":
            if self.has_function and not self.is_object:
                self.pop_function()
            self.mode = self.function
        elif token in ("if", "switch", "for", "while", "catch"):
            self.condition = token
            self.mode = self.before_condition
        elif token in ("else", "do", "try", "final"):
            self.mode = self.before_block
        elif token == "=>":
            self.mode = self.arrow
        elif token == "=":
            self.name = self.last if _is_name(self.last) else self.name
        elif token == "(":
            self._round_bracket(token)
        elif token == "[" and self.previous not in (".", ")", "]", "}"):
            self._square_bracket()
        elif token == "{":
            self._brace()
        elif token in ("}", ")") or (token == "]" and self.pattern is not None):
            self.leave()
        elif self.file.at_line_start or token == ";":
            self.name = self.previous = ""
            self.pop_function()
            self.is_static = self.is_async = self.is_abstract = self.in_value = False

    def _round_bracket(self, token: str) -> None:
        if self.previous in (".", "new"):
            self.enter(_Reader(self.file))
        elif not self.name or (self.pattern is not None and self.pattern.in_code):
            self._candidate(")")
        elif self.last != self.name and self.previous not in ("=", "async", ">"):
            self.name = ""
            self.enter(_Reader(self.file))
        else:
            if not self.has_function:
                self.function(self.name)
            self.mode = self.function
            self.function(token)

    def _square_bracket(self) -> None:
        before = self.previous
        is_operand = bool(before) and (before[0].isalnum() or before[0] in "_$#'\"`")
        if not is_operand or before in _KEYWORDS_BEFORE_LIST:
            self._candidate("]")

    def _brace(self) -> None:
        if self.has_function:
            self.enter(_Reader(self.file), self.pop_function)
            return
        inner = self._candidate("}", is_object=True, counts_branches=False, when_back=self._after_object)
        inner.is_static, inner.is_async = self.is_static, self.is_async
        self.is_static = self.is_async = False

    def _after_object(self, summary: _Pending) -> None:
        self.pending = summary
        self.mode = self.code

    def after_dot(self, token: str) -> bool:
        """A member, or the brackets of an optional call."""
        if token in ("(", "["):
            self.name = ""
            self.previous = "."
            self.mode = self.code
            return self.code(token)
        self.last += token
        self.mode = self.code
        return False

    def template(self, token: str) -> bool:
        """The inside of a template string."""
        if token == "`":
            self.mode = self.code
        return False

    def before_condition(self, token: str) -> bool:
        """After `if`, `for` and their like."""
        if token == "await":
            return False
        if token != "(":
            self.mode = self.code
            return self.code(token)
        if self.condition == "catch":
            self._candidate(")", counts_branches=False, when_back=self._after_catch)
        else:
            self.enter(_Reader(self.file), self._expect_block)
        return False

    def _after_catch(self, summary: _Pending) -> None:
        self.file.branch(summary.defaults)
        self._expect_block()

    def _expect_block(self) -> None:
        self.mode = self.before_block

    def before_block(self, token: str) -> bool:
        """A block or a statement."""
        if token == "{":
            self.enter(_Reader(self.file), self._after_block)
            return False
        self.mode = self.code
        return self.code(token)

    def _after_block(self) -> None:
        self.previous = ""
        self.mode = self.code

    # Functions.

    def arrow(self, token: str) -> bool:
        """The first token behind `=>`."""
        pending, self.pending = self.pending, None
        if not self.has_function:
            if pending is not None:
                self.file.branch(-pending.branches)
            self.begin_function()
            if pending is not None:
                self.file.branch(pending.defaults + pending.branches)
        self.name = ""
        self.is_async = self.is_static = False
        self.mode = self.code
        return self.code(token)

    def function(self, token: str) -> bool:
        """The name of a function, and the bracket that opens its parameters."""
        if token == "*" or (token.startswith("<") and token.endswith(">") and len(token) > 1):
            return False
        if token == "<":
            self.mode = skip_generics(self, then=self.code)
        elif token != "(":
            self.name = token if _is_name(token) else ""
            self.is_static = self.is_async = False
        else:
            if not self.has_function:
                self.begin_function()
            self.parameters = Pattern(")")
            self.mode = self.in_parameters
        return False

    def in_parameters(self, token: str) -> bool:
        """Parameters, or what proves to be an expression in brackets."""
        if token == "(" and self.parameters.is_new:
            self.drop_function()
            self.mode = self.code
            self._candidate(")")
            return False
        if token == "function" and not self.parameters.defaults:
            self.drop_function()
            self.mode = self.code
            return self.code(token)
        if self._parameter(token).ended:
            self.mode = self.after_parameters
        return False

    def _parameter(self, token: str) -> Seen:
        seen = self.parameters.read(token)
        if seen.begins_default:
            self.file.branch(1)
            self.default_reader = _Reader(self.file)
        elif seen.in_code and self.default_reader is not None:
            if seen.ends_default:
                self.default_reader.end_of_input()
                self.default_reader = None
            else:
                self.default_reader.read(token)
        return seen

    def after_parameters(self, token: str) -> bool:
        """The body, or the proof that there is none."""
        if token == ":":
            self.mode = self.code
            self._type_annotation()
            return False
        if token == ";" and self.is_object and self.is_abstract:
            if self.has_function:
                self.pop_function()
            self.is_abstract = False
        elif token not in ("{", "=>") and self.has_function:
            self.drop_function()
        self.mode = self.code
        return self.code(token)

    # Objects and classes.

    def _reads_member(self, token: str) -> bool:
        if token in ("get", "set"):
            self.accessor = token
        elif self.accessor:
            self.last = f"{self.accessor} {token}"
            self.accessor = ""
        elif token == "[":
            self.mode = self.computed_name
        elif token == ":":
            self.name = self.last if _is_name(self.last) else self.name
            self.in_value = True
        elif token.startswith("<") and (token == "<" or token.endswith(">")):
            if token == "<":
                self.mode = skip_generics(self, then=self.code)
        elif token == "(":
            self._member_bracket(token)
        elif (self.is_async or self.is_static) and token not in ("*", "function", "=>"):
            if token == "=":
                self.is_static = self.is_async = False
                return False
            self.last = token
        else:
            return False
        return True

    def _member_bracket(self, token: str) -> None:
        is_call = self.previous in (".", "new")
        if is_call or (self.in_value and (not self.name or self.last != self.name)):
            self.enter(_Reader(self.file))
            self.previous = token
            return
        if not self.has_function:
            self.function(self.name if self.last == "=" and self.name else self.last)
        self.mode = self.function
        self.function(token)

    def computed_name(self, token: str) -> bool:
        """The inside of `[name]`."""
        if token == "]":
            self.last = "computed"
            self.mode = self.code
            return True
        return False

    # Patterns that may prove to be expressions, and the other way round.

    def _candidate(
        self,
        closing: str,
        *,
        is_object: bool = False,
        counts_branches: bool = True,
        when_back: Callable[[_Pending], None] | None = None,
    ) -> _Reader:
        pattern = Pattern(closing)
        inner = _Reader(self.file, pattern=pattern, is_object=is_object)
        function, before = self.file.current, self.file.current.ccn

        def back() -> None:
            branches = function.ccn - before if counts_branches else 0
            summary = _Pending(pattern.defaults, branches, inner.known_defaults if counts_branches else 0)
            if when_back is not None:
                when_back(summary)
            else:
                self.pending = summary

        self.enter(inner, back)
        return inner

    def _settle_pending(self, token: str) -> None:
        pending, self.pending = self.pending, None
        if pending is None:
            return
        if token in ("=", "of", "in"):
            if self.pattern is not None:
                self.known_defaults += pending.defaults
            else:
                self.file.branch(pending.defaults)
        elif token == "=>":
            self.pending = pending
        else:
            self.file.branch(pending.known)

    # What looks like TypeScript.

    def _type_annotation(self) -> None:
        types = TypeReader()

        def back() -> None:
            if types.saved:
                self.read(types.saved)

        self.enter(types, back)

    def _reads_type(self, token: str) -> bool:
        if token == "declare":
            self.is_declared = True
            return True
        if token == "function" and self.is_declared:
            self.is_declared = False
            self.mode = skip_declared(self)
            return True
        self.is_declared = False
        if token == "type" and not self.is_object:
            self.mode = read_alias(self)
        elif token == "interface":
            self.mode = skip_braces(self, depth=0)
        elif token == "abstract" and self.is_object:
            self.is_abstract = True
        else:
            return False
        return True


def _is_name(text: str) -> bool:
    return bool(text) and (text[0].isalpha() or text[0] in "_$#")


def lizard_functions(code: str) -> list[LizardFunction]:
    """The functions that lizard finds, in the order in which it finishes them; those inside come before those around.

    Code nested deeper than Python's stack is read as far as that allows, as lizard does.
    """
    file = _File()
    reader = _Reader(file)
    try:
        for token in lizard_tokens(code):
            file.take(token)
            reader.read(token.text)
        reader.end_of_input()
    except RecursionError:
        pass
    return file.finished
