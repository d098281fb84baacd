"""A recording's caller, played into a build: the parent's side of a replay."""
