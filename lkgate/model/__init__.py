"""Frozen domain types. No I/O, no clock, no chance; standard library only."""
