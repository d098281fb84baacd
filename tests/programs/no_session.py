"""A server that no session was registered with."""

from livekit.agents import AgentServer, cli

server = AgentServer()
if __name__ == "__main__":
    cli.run_app(server)
