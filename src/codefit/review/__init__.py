"""A review of code by its complexity: functions of a tree of files, of a change, and of a history."""
