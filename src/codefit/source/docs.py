"""The text of doc comments: what a person wrote, without the comment marks and the markup around it."""

from __future__ import annotations

import ast
import html
import inspect
import re
import textwrap
import warnings

from codefit.source.grammar import CommentStyle

# A line that opens with one of these is no description: JSDoc's @param and its like, Doxygen's commands with a
# backslash (only known ones: docs hold LaTeX), Sphinx fields, headings of Google style, doctests.
_TAG_LINE = re.compile(
    r"@!?[a-zA-Z]\w*"
    r"|\\(?:addtogroup|author|class|code|defgroup|deprecated|exception|file|fn|ingroup|internal|name|note|t?param|post|pre"
    r"|relates|result|returns?|retval|sa|see|since|struct|throws?|todo|version|warning)\b"
    r"|:[a-z]+\b[^:`]*:(?:\s|$)"
    r"|(?:Args|Arguments|Parameters|Params|Returns?|Yields|Raises|Throws|Examples?):$"
    r"|>>> "
)
# What opens a description that documentation tools print like one without a tag.
_DESCRIPTION_TAG = re.compile(r"^[@\\](?:brief|short|details|desc|description|summary)\b[ \t]*", re.MULTILINE)

# Possessive, like all that may meet a megabyte of the same character: no way back, no quadratic time.
_INLINE_TAG = re.compile(r"\{@(\w++)\s*+([^{}]*+)\}")
_LABEL_TAGS = frozenset({"link", "linkplain", "linkcode", "see", "tutorial"})
_NO_TEXT_TAGS = frozenset({"inheritDoc", "inheritdoc"})
_CODE_SPAN = re.compile(r"(`[^`\n]+`)")
_PARAGRAPH_TAG = re.compile(r"</?(?:p|ul|ol|dl|pre|table|h[1-6]|blockquote|div|hr)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_ITEM_TAG = re.compile(r"<(?:li|dt|dd|tr)(?:\s[^<>]*)?>", re.IGNORECASE)
_OTHER_TAG = re.compile(
    r"</?(?:a|abbr|b|big|caption|cite|code|dd|dt|em|font|i|img|kbd|li|q|s|samp|small|span|strike|strong|sub|sup|tbody"
    r"|td|th|thead|tr|tt|u|var)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_FONT_COMMAND = re.compile(r"(?<![\w\\@])[@\\](?:[abcep]|em)[ \t]+(?=\S)")  # Doxygen's \c, \p and the like
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_STAR = re.compile(r"^\s*\*+ ?")
_LINE_MARK = re.compile(r"^(?://+[!/]* ?|#+ ?)")


def first_paragraph(doc: str) -> str:
    """The description that opens a doc, on one line: up to a blank line or the first line of tags (`@param`, `Args:`).

    Takes a doc as `Unit.doc` holds it. Empty where a doc has nothing but tags.
    """
    words: list[str] = []
    for line in doc.strip().split("\n"):
        line = line.strip()
        if not line or _TAG_LINE.match(line):
            break
        words += line.split()
    return " ".join(words)


def clean_comment(comments: list[str], style: CommentStyle) -> str:
    """The text of one block comment, or of a run of line comments, from top to bottom."""
    if len(comments) == 1 and comments[0].startswith(style.blocks):
        lines = _block_lines(comments[0])
    else:
        lines = _without_hidden([_LINE_MARK.sub("", comment.rstrip()) for comment in comments])
    text = _tidy(lines)
    return _description_first(_plain(text) if style.markup else text)


def clean_docstring(literal: str) -> str:
    """The text of a Python string literal as `ast.get_docstring` gives it; "" where it is not a plain string."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's invalid escapes are not our user's concern
        try:
            value = ast.literal_eval(literal.strip())
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            return ""
    return _cleandoc(value) if isinstance(value, str) else ""


def _cleandoc(value: str) -> str:
    """`inspect.cleandoc`, which takes empty lines off the front one by one, in quadratic time, spared all but one."""
    lines = value.expandtabs().split("\n")
    if lines[0].strip():
        return inspect.cleandoc(value)
    margin = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    # A line of blanks is empty, once the margin is off, where it is not longer than that.
    first = next((n for n, line in enumerate(lines[1:], 1) if line.strip() or len(line) > margin), len(lines))
    return inspect.cleandoc("\n".join(["", *lines[first:]]))


def _block_lines(comment: str) -> list[str]:
    """The lines inside `/* … */` without the column of stars, or inside Ruby's `=begin … =end`."""
    if comment.startswith("=begin"):
        return comment.split("\n")[1:-1]
    lines = comment.removeprefix("/").removesuffix("/").strip("*").removeprefix("!").split("\n")
    starred = all(line.lstrip().startswith("*") for line in lines[1:] if line.strip())
    if starred:
        return [lines[0].strip(), *(_STAR.sub("", line) for line in lines[1:])]
    return [lines[0].strip(), *textwrap.dedent("\n".join(lines[1:])).split("\n")]


def _without_hidden(lines: list[str]) -> list[str]:
    """Without what stands between `#--` and `#++`, which RDoc hides."""
    if "--" not in lines:
        return lines
    shown = []
    hidden = False
    for line in lines:
        if line in ("--", "++"):
            hidden = line == "--"
        elif not hidden:
            shown.append(line)
    return shown


def _tidy(lines: list[str]) -> str:
    """Joined, without trailing blanks and the lines at both ends that hold no letter or digit (rules, frames)."""
    telling = [index for index, line in enumerate(lines) if any(map(str.isalnum, line))]
    return "\n".join(line.rstrip() for line in lines[telling[0] : telling[-1] + 1]) if telling else ""


def _description_first(text: str) -> str:
    """What a `@brief` or `@description` announces, before the tags above it."""
    tag = _DESCRIPTION_TAG.search(text)
    if tag is None:
        return text
    above, below = text[: tag.start()].strip(), text[tag.end() :]
    if not above:
        return below
    return f"{above}\n\n{below}" if first_paragraph(above) else f"{below}\n\n{above}"


def _plain(text: str) -> str:
    """JSDoc, Javadoc or PHPDoc without its markup; paragraphs are apart by a blank line."""
    if "{@" in text:
        text = _INLINE_TAG.sub(_inline_text, text)
    if "<" in text:
        pieces = _CODE_SPAN.split(text)  # every second one is code, where a tag is meant as it stands
        text = "".join(piece if index % 2 else _without_tags(piece) for index, piece in enumerate(pieces))
    if "&" in text:
        text = html.unescape(text)
    text = _FONT_COMMAND.sub("", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def _without_tags(text: str) -> str:
    text = _PARAGRAPH_TAG.sub("\n\n", text)
    text = _BREAK_TAG.sub("\n", text)
    text = _ITEM_TAG.sub("\n- ", text)
    return _OTHER_TAG.sub("", text)


def _inline_text(match: re.Match[str]) -> str:
    """What a reader of the rendered page sees of an inline tag: the label of a link, else what it points to."""
    tag, content = match[1], match[2].strip()
    if tag in _NO_TEXT_TAGS:
        return ""
    if tag in _LABEL_TAGS:
        target, _, label = content.partition("|") if "|" in content else _split_target(content)
        content = label.strip() or target.strip()
    return content or tag


def _split_target(content: str) -> tuple[str, str, str]:
    """`Foo#bar(int, int) label` in target and label: blanks inside the parentheses belong to the target."""
    depth = 0
    for position, character in enumerate(content):
        depth += (character == "(") - (character == ")")
        if character.isspace() and depth == 0:
            return content[:position], " ", content[position:]
    return content, "", ""
