"""What a key does: controllers, which share `Commands` and never call one another."""
