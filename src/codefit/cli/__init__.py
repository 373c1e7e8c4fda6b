"""The command line: one small file per command group; it parses, calls and prints."""
