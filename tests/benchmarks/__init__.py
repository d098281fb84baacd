"""Figures, not tests: nothing here asserts on a wall clock."""
