"""The machine around a command: its streams, its signals, its paths."""
