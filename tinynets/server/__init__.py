"""A Lab in a process of its own, and the frames that it sends."""
