"""The demo: a clinic's voice agent, the calls to it, and the maker of their recordings."""
