"""Saves and journals on disk."""
