"""A program without a server."""

print("nothing to serve")
