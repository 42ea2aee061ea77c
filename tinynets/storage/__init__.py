"""Storage: saves and journals on disk."""
