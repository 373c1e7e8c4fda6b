"""Metrics of plain JavaScript without a tree: a compiled scanner that tells the walk's figures, or nothing."""

from codefit.source.metrics.javascript.scanner import available, compile_once, is_compiled, scan

__all__ = ["available", "compile_once", "is_compiled", "scan"]
