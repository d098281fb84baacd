"""One module a command: parse, call one use case, report, exit."""
