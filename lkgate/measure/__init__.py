"""Bundle -> turns -> measurements. Pure: no I/O, no clock, no chance."""
