"""One file a language family: its grammars, the query that finds definitions, and its custom of writing docs."""
