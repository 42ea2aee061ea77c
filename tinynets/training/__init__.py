"""Training: a training step and everything that controls it."""
