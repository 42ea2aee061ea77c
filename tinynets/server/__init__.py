"""The server: a Lab in its own process, and the frames that it sends."""
