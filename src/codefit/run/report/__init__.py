"""The page that shows a run: figures with their baseline, curves, the data receipt, and how to do it again."""

from codefit.run.report.page import write_report

__all__ = ["write_report"]
