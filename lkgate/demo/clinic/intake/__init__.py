"""Harbour Street Clinic's telephone intake: a LiveKit voice agent on local models."""
