"""Python's syntax over lexical tokens: the terminals, a grammar of them, and tables to parse by."""
