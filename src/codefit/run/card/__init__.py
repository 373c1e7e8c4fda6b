"""The model card: a README.md that says what a model is, what it is worth, how to load it and how it came about."""

from codefit.run.card.write import write_card

__all__ = ["write_card"]
