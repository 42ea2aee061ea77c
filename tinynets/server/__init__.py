"""A Lab in a process of its own, and the pictures that it sends."""
