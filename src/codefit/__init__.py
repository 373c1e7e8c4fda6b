"""codefit fits small models to code, on your own machine, and proves every number."""

__version__ = "0.1.0"
