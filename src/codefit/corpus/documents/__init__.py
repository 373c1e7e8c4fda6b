"""Readers of documents: a folder or git checkout, the Python environment, a JSONL file of documents."""
