"""Datasets of the Hugging Face hub: one file a source, the loader that reads them, the check that the hub answers."""
