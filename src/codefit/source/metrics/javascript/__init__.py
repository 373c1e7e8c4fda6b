"""Metrics of plain JavaScript without a tree: a compiled scanner that tells the walk's figures, or nothing."""
