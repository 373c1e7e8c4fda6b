"""`python -m codefit` is `codefit`."""

from codefit.cli.main import entry_point

entry_point()
