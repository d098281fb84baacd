"""Two sessions of the same caller, aligned turn by turn. Pure: no I/O, no clock, no chance."""
