"""Twelve planted regressions of the demo agent, each one change, and what a gate makes of them."""
