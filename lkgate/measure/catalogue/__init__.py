"""The lines of the registry, by layer: what each metric is, and how its number can mislead."""
