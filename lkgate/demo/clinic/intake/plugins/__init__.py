"""LiveKit plugins for the models that run beside the agent, without a network."""
