"""Runs a candidate program in virtual time, inside the candidate's own interpreter."""
