"""A training step and all that governs it."""
