"""Metrics of plain JavaScript without a tree: a compiled scanner that tells the walk's figures, or nothing."""

from codefit.source.metrics.javascript.scanner import available, scan

__all__ = ["available", "scan"]
