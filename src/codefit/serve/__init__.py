"""The HTTP service: one model, one answer at a time, in the form of OpenAI's API."""
