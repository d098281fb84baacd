"""Verdicts and sessions as something to read: text for people, JSON for programs."""
