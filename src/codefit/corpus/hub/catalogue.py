"""Every source that `codefit data pull` knows, in the order in which they are read."""

from __future__ import annotations

from codefit.corpus.hub import coderag, codexglue, humaneval, leetcode, mbpp
from codefit.corpus.hub.source import HubSource

SOURCES: dict[str, HubSource] = {
    source.name: source
    for source in (
        codexglue.SOURCE,
        leetcode.SOURCE,
        mbpp.SOURCE,
        humaneval.SOURCE,
        # The smallest first: what it has not of its share of the raw rows goes to those after it.
        coderag.PROGRAMMING_SOLUTIONS,
        coderag.ONLINE_TUTORIALS,
        coderag.STACKOVERFLOW_POSTS,
    )
}
