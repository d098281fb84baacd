"""lkgate: replay real LiveKit calls into the next build of a voice agent, and gate it."""

__version__ = "0.1.0"
