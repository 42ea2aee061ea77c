"""The system around a command: streams, signals and paths."""
