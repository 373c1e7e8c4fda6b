"""How complex functions are: exact metrics of every function in ten languages, read off one parse."""
