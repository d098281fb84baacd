"""Agents that cannot run in virtual time, and local servers for their models."""
