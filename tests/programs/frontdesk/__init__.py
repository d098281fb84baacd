"""An agent that is a package."""
