"""Models as services: over HTTP, one answer at a time, and as tools for coding agents."""
